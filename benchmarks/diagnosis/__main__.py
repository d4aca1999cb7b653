"""Print how often `diagnose` is right: `python -m benchmarks.diagnosis [--seeds N]`.

Every wrong gradient should be caught, none of the right ones accused, and the mistake that was made
named, first or among the first two. `seen` and `seen_too` hold the functions that the rules were
written with, `held_out` others, which they were not.
"""

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from itertools import product

import numpy as np

from backprop_book import check_gradient, diagnose

CORPORA = ("seen", "seen_too", "held_out")
RIGHT_SEEDS = 10


def cases(corpus):
    """Return the cases of a corpus."""
    return import_module(f"benchmarks.diagnosis.{corpus}").CASES


def judge(task):
    """Return what became of one wrong function: corpus, case, kind, note, kinds named, caught."""
    corpus, i, j, seed = task
    case = cases(corpus)[i]
    mistake = case.wrong[j]
    found = diagnose(mistake.function, *case.draw(np.random.default_rng(seed)))
    named = [finding.kind for finding in found.mistakes]
    return corpus, case.name, mistake.kind, mistake.note, named, not found.passed


def accuse(task):
    """Return the name of a right function if the check does not pass it, else None."""
    corpus, i, seed = task
    case = cases(corpus)[i]
    passed = check_gradient(case.right, *case.draw(np.random.default_rng(seed))).passed
    return None if passed else f"{corpus}.{case.name}, seed {seed}"


def wrong_tasks(seeds):
    """Return a task for each wrong function and seed."""
    pairs = [
        (c, i, j) for c in CORPORA for i, k in enumerate(cases(c)) for j in range(len(k.wrong))
    ]
    return [(*pair, seed) for pair, seed in product(pairs, range(seeds))]


def right_tasks():
    """Return a task for each right function and seed."""
    return [
        (c, i, seed) for c in CORPORA for i in range(len(cases(c))) for seed in range(RIGHT_SEEDS)
    ]


def table(results):
    """Return the lines of the table: a row for each corpus."""
    lines = ["corpus     functions  wrong gradients  caught  named first  among the first two"]
    for corpus in CORPORA:
        own = [result for result in results if result[0] == corpus]
        caught = sum(result[5] for result in own)
        first = sum(result[4][:1] == [result[2]] for result in own) / len(own)
        two = sum(result[2] in result[4] for result in own) / len(own)
        counts = f"{len(cases(corpus)):9}  {len(own):15}  {caught:6}"
        lines.append(f"{corpus:10} {counts}  {first:11.1%}  {two:19.1%}")
    return lines


def main(arguments=None):
    """Judge every case, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.diagnosis", description=__doc__)
    parser.add_argument(
        "--seeds", type=int, default=1, help="draws of each wrong function's inputs"
    )
    parser.add_argument("--by-kind", action="store_true", help="list the kinds that were missed")
    options = parser.parse_args(arguments)
    with ProcessPoolExecutor() as pool:
        results = list(pool.map(judge, wrong_tasks(options.seeds), chunksize=8))
        accused = list(pool.map(accuse, right_tasks(), chunksize=32))
    print("\n".join(table(results)))
    wrongly = [name for name in accused if name]
    print(f"{len(accused)} right gradients, {len(wrongly)} of them accused", *wrongly, sep="\n  ")
    if options.by_kind:
        missed = Counter((r[0], r[2]) for r in results if r[2] not in r[4])
        print(*(f"{corpus:10} {kind:22} {n}" for (corpus, kind), n in missed.items()), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

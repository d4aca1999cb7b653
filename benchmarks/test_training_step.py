"""A training step, timed in turns: every contender has a short turn, then every one again.

So whatever slows the machine for a while meets them all alike. `python -m benchmarks.table` runs
this and puts the turns together.
"""

from functools import cache

import pytest

from benchmarks.training_step import CASES, CONTENDERS, contenders

N_TURNS = 20
CALLS = {64: (25, 4), 784: (12, 1)}  # by the number of features: rounds in a turn, calls in a round

contenders = cache(contenders)


@pytest.mark.parametrize(
    ("case", "contender"),
    [(case, name) for case in CASES for _ in range(N_TURNS) for name in CONTENDERS],
)
def test_training_step(benchmark, case, contender):
    """One turn of one contender."""
    rounds, calls = CALLS[CASES[case][0][0]]
    step = contenders(case)[contender]
    benchmark.extra_info.update(case=case, contender=contender)
    benchmark.pedantic(step, rounds=rounds, iterations=calls, warmup_rounds=1)

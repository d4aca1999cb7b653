"""A step of training micrograd's demo network, by it and by `Value`; needs `pip install micrograd`.

`python -m benchmarks.scalar_step` prints what it takes. The network is micrograd's own code in both
cases, `micrograd.nn`: 2 inputs, two layers of 16 units with relu, one output, on 100 points of two
moons; hinge loss with L2, number by number. Each engine takes its turns in processes of its own,
one turn of one, then one of the other, so that whatever slows the machine for a while meets both.
The first step of a process does not count: later ones also have to free the graph before.
"""

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from time import process_time
from typing import Any

import numpy as np

HERE = Path(__file__).parent
ENGINES = ["the package", "micrograd"]
AT_MOST = 1 / 15
N_TURNS, N_STEPS = 6, 8
MOST_APART = 1e-9


def moons(n_points: int) -> tuple[Any, Any]:
    """Return points on two half circles, a little off them, and on which of the two: 1 or -1."""
    rng = np.random.default_rng(1337)
    angle = np.pi * rng.random(n_points)
    side = np.repeat([1, -1], n_points // 2)
    x = np.stack([np.cos(angle) + (side < 0), side * np.sin(angle) + (side < 0) / 2], axis=1)
    return x + rng.normal(scale=0.1, size=x.shape), side


def network(engine: str) -> tuple[Any, Any]:
    """Return an engine's class of numbers, and micrograd's network made of them."""
    from micrograd import nn

    if engine == "the package":
        from backprop_book import Value

        nn.Value = Value
    random.seed(1337)
    return nn.Value, nn.MLP(2, [16, 16, 1])


def step_of(engine: str) -> Callable[[], float]:
    """Return a step of training, to call again and again; it returns the loss before it."""
    value, model = network(engine)
    points, sides = moons(100)

    def step() -> float:
        scores = [model([value(x) for x in point]) for point in points]
        hinges = [(1 + -side * score).relu() for side, score in zip(sides, scores, strict=True)]
        size = sum(p * p for p in model.parameters())
        loss = sum(hinges) * (1.0 / len(hinges)) + 1e-4 * size
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.5 * p.grad
        return float(loss.data)

    return step


def take_turn(engine: str) -> None:
    """Print the losses of some steps, and the seconds of processor time of each, as JSON."""
    step, losses, seconds = step_of(engine), [], []
    for _ in range(N_STEPS):
        began = process_time()
        losses.append(step())
        seconds.append(process_time() - began)
    print(json.dumps([losses, seconds[1:]]))


def measured() -> dict[str, list[float]]:
    """Return the seconds that a step takes, by engine. Raises ValueError if the losses differ."""
    times: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    losses = {}
    for _ in range(N_TURNS):
        for engine in ENGINES:
            command = [sys.executable, "-m", "benchmarks.scalar_step", engine]
            told = subprocess.check_output(command, cwd=HERE.parent)
            losses[engine], seconds = json.loads(told)
            times[engine] += seconds
    ours, theirs = (np.array(losses[engine]) for engine in ENGINES)
    if abs(ours - theirs).max() > MOST_APART:
        raise ValueError(f"the losses differ: {ours.tolist()}, {theirs.tolist()}")
    return times


def rows(times: dict[str, list[float]]) -> list[str]:
    """Return the lines of the table, in milliseconds, and whether the goal is met."""
    lines = [f"{'':20}{'median':>10}{'quartiles':>21}   (milliseconds)"]
    for engine, seconds in times.items():
        lower, middle, upper = (1e3 * quartile for quartile in quantiles(seconds, n=4))
        lines.append(f"  {engine:18}{middle:10.1f}{lower:11.1f} to{upper:7.1f}")
    ours, theirs = (median(times[engine]) for engine in ENGINES)
    held = "met    " if ours <= AT_MOST * theirs else "NOT MET"
    told = f"  {held} 1/{theirs / ours:.1f} of micrograd's time, at most 1/{1 / AT_MOST:.0f}"
    return [*lines, "", "Goal", told]


if __name__ == "__main__":
    if sys.argv[1:]:
        take_turn(sys.argv[1])
    else:
        print("\n".join(rows(measured())))

"""Print what the engines cost beside what they are made of: python -m benchmarks.engines

Each line is a ratio or a count, with the goal that it is held to. The times are processor time, the
least of several turns taken one after the other by all that are compared.
"""

import gc
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from backprop_book import (
    Tensor,
    apply,
    checkpoint,
    cross_entropy,
    dense,
    grad,
    hvp,
    initialize,
    tanh,
)


def least(*functions: Callable[[], Any], turns: int = 15, times: int = 1) -> list[float]:
    """Return the least processor time of each function over several turns, in seconds."""
    found: list[list[float]] = [[] for _ in functions]
    for _ in range(turns):
        for function, seconds in zip(functions, found, strict=True):
            began = time.process_time()
            for _ in range(times):
                function()
            seconds.append((time.process_time() - began) / times)
    return [min(seconds) for seconds in found]


def told(what: str, value: float, most: float, unit: str = "") -> None:
    """Print a value beside the most that it should be."""
    held = "met    " if value <= most else "NOT MET"
    print(f"  {held} {value:8.2f}{unit}, at most {most:g}{unit}: {what}")


def long_chains() -> None:
    """Say what a node costs as chains grow to a million."""
    print("Microseconds a node, forward and backward, in a chain of additions")
    costs = []
    for n in (1_000, 10_000, 100_000, 1_000_000):

        def chain(n: int = n) -> None:
            y = Tensor(1.0, requires_grad=True)
            for _ in range(n):
                y = y + 1.0
            y.backward()

        (seconds,) = least(chain, turns=1 + 10_000 // n)
        costs.append(1e6 * seconds / n)
        print(f"{'':10}{costs[-1]:8.2f}: {n} nodes")
    told("of a million, as a part of the cost of a node in ten thousand", costs[3] / costs[1], 2)


def memory_over_steps() -> None:
    """Say how memory grows over ten thousand steps of training, the garbage collector off."""
    print("Memory while training, in kilobytes, the garbage collector off")
    gc.disable()
    x = np.random.default_rng(0).normal(size=(8, 4))
    w = Tensor(np.ones((4, 2)), requires_grad=True)
    tracemalloc.start()
    for step in range(10_001):
        loss = (np.tanh(x @ w) ** 2).mean()
        w.zero_grad()
        loss.backward()
        w.data -= 0.01 * w.grad
        if step == 3_000:  # by then Python has filled its lists of small objects to use again
            before = tracemalloc.get_traced_memory()[0]
    told("grown from step 3,000 to 10,000", (tracemalloc.get_traced_memory()[0] - before) / 1e3, 2)
    tracemalloc.stop()
    gc.enable()


def peak(function: Callable[[], Any], size: int) -> float:
    """Return the most memory that a call has at once, in arrays of so many floats."""
    tracemalloc.start()
    function()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / (8 * size)


def checkpoints() -> None:
    """Say what checkpoints save, and what they cost."""
    print("Arrays alive at once for a chain of n sines, in segments of sqrt(n), over sqrt(n)")
    x, runs = np.ones(2_000), [0]

    def sines(x: Any, n: int) -> Any:
        for _ in range(n):
            x, runs[0] = np.sin(x), runs[0] + 1
        return x

    for n in (100, 400, 1600, 6400):
        each = round(n**0.5)

        def segments(x: Any, each: int = each) -> Any:
            for _ in range(each):
                x = checkpoint(lambda x: sines(x, each), x)
            return x.sum()

        told(f"n = {n}", peak(lambda f=segments: grad(f)(x), x.size) / each, 4)
        runs[0] = 0
        grad(segments)(x)
        told("runs of each sine", runs[0] / n, 2)


def curvature() -> None:
    """Say what a Hessian-vector product costs."""
    print("A Hessian-vector product, as a part of a gradient: 300-240-100-10, 100,000 parameters")
    rng = np.random.default_rng(0)
    parameters = initialize([300, 240, 100, 10], rng)
    x, labels = rng.normal(size=(64, 300)), rng.integers(10, size=64)
    direction = {name: rng.normal(size=array.shape) for name, array in parameters.items()}

    def loss(p: Any) -> Any:
        a = apply(tanh, apply(dense, x, p["weights_1"], p["bias_1"]))
        a = apply(tanh, apply(dense, a, p["weights_2"], p["bias_2"]))
        return apply(cross_entropy, apply(dense, a, p["weights_3"], p["bias_3"]), labels)

    product, gradient = least(
        lambda: hvp(loss, parameters, direction), lambda: grad(loss)(parameters), times=3
    )
    told("hvp", product / gradient, 5)


if __name__ == "__main__":
    for part in (long_chains, memory_over_steps, checkpoints, curvature):
        part()

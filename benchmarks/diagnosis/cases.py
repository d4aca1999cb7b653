"""A differentiable function with its inputs, and the mistakes its backward pass is given.

A mistake is an edit: a piece of the function's source replaced by what someone might have
written instead. What results is an ordinary function with its own source.
"""

import inspect
import linecache
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

KINDS = (
    "sign",
    "factor",
    "batch",
    "transposed",
    "swapped",
    "activation-missing",
    "activation-misplaced",
    "not-summed",
    "one-example",
    "overwritten",
    "updated-weights",
    "softmax-twice",
    "one-hot-missing",
    "wrong-axis",
    "regulariser",
    "detached",
    "dropout",
    "statistics",
    "integer",
    "precision",
    "upstream",
)


@dataclass(frozen=True)
class Mistake:
    """A function whose forward pass is right and whose backward pass is not."""

    kind: str
    note: str
    function: Callable


@dataclass(frozen=True)
class Case:
    """A function, a way to draw its inputs, and the mistaken variants of it."""

    name: str
    draw: Callable
    right: Callable
    wrong: tuple


def case(function, draw, *mistakes):
    """Make a case; a mistake is (kind, note, old, new), or more pairs of old and new."""
    wrong = []
    for number, (kind, note, *edits) in enumerate(mistakes):
        if kind not in KINDS:
            raise ValueError(f"{function.__name__}: unknown kind {kind!r}")
        wrong.append(Mistake(kind, note, edited(function, number, edits)))
    return Case(function.__name__, draw, function, tuple(wrong))


def edited(function, number, edits):
    """Return the function with pieces of its source replaced: old, new, old, new, ..."""
    source = inspect.getsource(function)
    for old, new in zip(edits[::2], edits[1::2], strict=True):
        if source.count(old) != 1:
            raise ValueError(f"{function.__name__}: {old!r} occurs {source.count(old)} times")
        source = source.replace(old, new)
    filename = f"<{function.__module__}.{function.__name__}, variant {number}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    names = dict(function.__globals__)
    exec(compile(source, filename, "exec"), names)
    return names[function.__name__]


def sizes(rng, features=2):
    """Draw a batch size (3 to 6) and so many feature sizes, all different."""
    batch = int(rng.integers(3, 7))
    choice = [size for size in range(2, 6 if features < 4 else 8) if size != batch]
    return (batch, *rng.permutation(choice)[:features].tolist())


def labels_of_all_sorts(rng, batch, classes):
    """Draw integer labels that are not all the same."""
    labels = rng.integers(classes, size=batch)
    labels[:2] = rng.permutation(classes)[:2]
    return labels


def ids_with_repeats(rng, count, shape):
    """Draw integer ids below count, of which at least two are the same."""
    ids = rng.integers(count, size=shape)
    flat = ids.reshape(-1)
    flat[-1] = flat[0]
    return ids


def mask_of_both(rng, shape):
    """Draw a mask of zeros and ones, each occurring in it about as often as the other."""
    flat = np.arange(int(np.prod(shape))) % 2
    return rng.permutation(flat).reshape(shape).astype(float)

"""The slope of a function of one number at 0, measured with care: value, error, two sides."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Curve = Callable[[float], float]

EPSILON = float(np.finfo(float).eps)
STEP = EPSILON ** (1 / 3)
LEVELS = 12
COLUMNS = 4


class Slope(NamedTuple):
    """A measured slope, and by how much it may be off."""

    value: float
    error: float


def quick_slope(curve: Curve, size: float) -> Slope:
    """Return the slope of a curve at 0 from two of its values, and the rounding in it.

    `size` is that of the number which the curve's argument is added to, at least 1.

    >>> round(quick_slope(math.exp, 1.0).value, 8)
    1.0
    """
    h = STEP * size
    above, below = curve(h), curve(-h)
    return Slope((above - below) / (2 * h), EPSILON * max(abs(above), abs(below)) / h)


def careful_slope(curve: Curve, size: float) -> Slope:
    """Return the slope of a curve at 0 from twelve steps, each a quarter of the last.

    The two-sided differences are combined so that the powers of the step cancel, one more in every
    column; of all the results that is taken which differs least from those that it was made of
    (Ridders, Advances in Engineering Software 4, 1982, 75-76).

    >>> slope = careful_slope(math.exp, 1.0)
    >>> abs(slope.value - 1) < 1e-11, slope.error < 1e-11
    (True, True)
    """
    best = Slope(math.nan, math.inf)
    before: list[float] = []
    for level in range(LEVELS):
        h = 0.01 * size / 4**level
        above, below = curve(h), curve(-h)
        row = [(above - below) / (2 * h)]
        rounding = EPSILON * max(abs(above), abs(below)) / h
        for column, other in enumerate(before[: COLUMNS - 1], start=1):
            row.append(row[-1] + (row[-1] - other) / (16**column - 1))
            error = max(abs(row[-1] - row[-2]), abs(row[-1] - other), rounding)
            best = min(best, Slope(row[-1], error), key=lambda slope: slope.error)
        before = row
    return best


def surest_slope(curve: Curve, size: float) -> Slope:
    """Return the slope of a curve at 0, measured three times with care, by steps of other lengths.

    Where the curve is rough, results of one set of steps may agree by chance; so how far the other
    sets are from it counts as its error.

    >>> slope = surest_slope(math.exp, 1.0)
    >>> abs(slope.value - 1) < 1e-11, slope.error < 1e-11
    (True, True)
    """
    slopes = [careful_slope(curve, part * size) for part in (1.0, 0.7, 0.45)]
    best, *others = sorted(slopes, key=lambda slope: slope.error)
    return Slope(best.value, max(best.error, *(abs(best.value - each.value) for each in others)))


def sides(curve: Curve, h: float) -> tuple[float, float]:
    """Return the slopes of a curve to the left and to the right of 0, each from three values.

    >>> sides(abs, 1e-3)
    (-1.0, 1.0)
    """
    here = curve(0.0)
    left = (3 * here - 4 * curve(-h) + curve(-2 * h)) / (2 * h)
    right = (-3 * here + 4 * curve(h) - curve(2 * h)) / (2 * h)
    return left, right


def kink(curve: Curve, size: float, scale: float) -> tuple[float, float] | None:
    """Return the slopes on both sides of a kink at 0; None where the curve is smooth.

    At a kink the two sides differ, and by the same amount however small the step is. `scale` is the
    size of the slopes that count; a difference of a millionth of it is no kink.

    >>> kink(abs, 1.0, 1.0), kink(math.sin, 1.0, 1.0)
    ((-1.0, 1.0), None)
    """
    coarse, fine = (sides(curve, h * size) for h in (1e-5, 1e-6))
    jumps = [right - left for left, right in (coarse, fine)]
    rounding = 20 * EPSILON * abs(curve(0.0)) / (1e-6 * size)
    least = max(1e-3 * max(map(abs, fine)), 1e-6 * scale, rounding)
    jumps_alike = abs(jumps[0] - jumps[1]) <= 0.1 * abs(jumps[1])
    return fine if min(map(abs, jumps)) > least and jumps_alike else None


def is_finite(value: Any) -> bool:
    """Tell whether every entry of an array, or a number, is finite.

    >>> is_finite(np.array([1.0, np.nan]))
    False
    """
    return bool(np.all(np.isfinite(value)))

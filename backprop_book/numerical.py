"""Derivatives by nudging. Begun in chapter 2, written in chapter 11."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from backprop_book.arrays import Array
from backprop_book.input_checks import nudging
from backprop_book.rules import count, generator, optional, positive


def arrays_in(inputs: Iterable[Any]) -> Iterator[Array]:
    """Yield the arrays, of any shapes, among inputs that are arrays or dicts of arrays, in order.

    >>> [array.shape for array in arrays_in([np.ones(2), {"w": np.ones((3, 1)), "b": np.ones(1)}])]
    [(2,), (3, 1), (1,)]
    """
    for value in inputs:
        yield from arrays_in(value.values()) if isinstance(value, dict) else [value]


def copied(value: Any, dtype: Any = None) -> Any:
    """Return a copy of an array, or of a dict of arrays, perhaps of another dtype.

    >>> copied({"w": np.ones(2)}, complex)
    {'w': array([1.+0.j, 1.+0.j])}
    """
    if isinstance(value, dict):
        return {name: copied(array, dtype) for name, array in value.items()}
    return np.array(value, dtype=dtype)


def entry_by_entry(
    f: Callable[..., Any], inputs: Iterable[Any], slope: Callable[..., Any], dtype: Any = None
) -> Any:
    """Return the slope of f along every entry of its inputs, in arrays and dicts like these.

    `slope(f_at, x)` is given an entry x and the function f_at of a value in its place.

    >>> entry_by_entry(np.sum, [np.array([1.0, 2.0])], lambda f_at, x: f_at(x + 1) - f_at(x))
    array([1., 1.])
    """
    points = [copied(value, dtype) for value in inputs]
    gradients = [copied(value) for value in inputs]
    for point, gradient in zip(arrays_in(points), arrays_in(gradients), strict=True):
        for i in np.ndindex(point.shape):
            x = gradient[i]  # the input's entry, until its slope takes its place

            def f_at(value: Any) -> Any:
                point[i] = value  # noqa: B023
                return f(*map(copied, points))

            gradient[i] = slope(f_at, x)
            point[i] = x
    return gradients[0] if len(gradients) == 1 else tuple(gradients)


@nudging(h=optional(positive))
def numerical_gradient(f: Callable[..., Any], *inputs: Any, h: float | None = None) -> Any:
    """Return the gradient of f, entry by entry, from two-sided differences.

    f takes the inputs, which are arrays of floats or dicts of arrays, and returns one number; it is
    given copies. The result is like the input if there is one, and a tuple if there are several. It
    costs two calls of f for every entry. Without a step h each entry x has its own, the cube root
    of its dtype's machine epsilon times max(1, |x|), where the error that falls with h squared
    meets the rounding, which grows as 1/h (Nocedal and Wright, Numerical Optimization, 2006,
    section 8.1).

    Raises TypeError for what is not an array of floats, ValueError if h is not positive or f
    returns more than one number.

    >>> numerical_gradient(lambda x: (x**2).sum(), np.array([1.0, -3.0])).round(6)
    array([ 2., -6.])
    """

    def slope(f_at: Callable[[Any], Any], x: Any) -> Any:
        step = np.finfo(x.dtype).eps ** (1 / 3) * max(1, abs(x)) if h is None else h
        above, below = x + step, x - step
        return (f_at(above) - f_at(below)) / (above - below)

    return entry_by_entry(f, inputs, slope)


@nudging(h=optional(positive))
def one_sided_gradient(f: Callable[..., Any], *inputs: Any, h: float | None = None) -> Any:
    """Return the gradient of f, entry by entry, from one-sided differences.

    As `numerical_gradient`, but the error falls only with h, so the step is the square root of
    machine epsilon times max(1, |x|), and about half of the digits are right. Its two calls of f
    for every entry could be one, as f at the point itself is the same for all (Nocedal and Wright,
    2006, section 8.1).

    Raises as `numerical_gradient` does.

    >>> one_sided_gradient(lambda x: (x**2).sum(), np.array([1.0, -3.0])).round(6)
    array([ 2., -6.])
    """

    def slope(f_at: Callable[[Any], Any], x: Any) -> Any:
        step = np.finfo(x.dtype).eps ** (1 / 2) * max(1, abs(x)) if h is None else h
        above = x + step
        return (f_at(above) - f_at(x)) / (above - x)

    return entry_by_entry(f, inputs, slope)


@nudging(h=positive)
def complex_step_gradient(f: Callable[..., Any], *inputs: Any, h: float = 1e-200) -> Any:
    """Return the gradient of f, entry by entry, from steps along the imaginary axis.

    f is called with complex arrays and has to be made of functions that take them and are analytic:
    no `abs`, no conjugate. (Comparisons in NumPy look at the real parts first, and do no harm.)
    There is no difference in which digits cancel, so the step can be as small as can be written,
    and the result is right to machine precision (Squire and Trapp, SIAM Review 40, 1998, 110-112).

    Raises as `numerical_gradient` does, and ValueError if f returns a real number.

    >>> float(complex_step_gradient(lambda x: np.exp(x) * np.sin(x), np.array(0.0)))
    1.0
    """

    def slope(f_at: Callable[[Any], Any], x: Any) -> Any:
        value = f_at(complex(x, h))
        if not np.iscomplexobj(value):
            raise ValueError(f"f returned {value!r}; it should be complex, as its arguments are")
        return value.imag / h

    return entry_by_entry(f, inputs, slope, complex)


@nudging(n_directions=count, rng=generator)
def directional_derivatives(
    f: Callable[..., Any], *inputs: Any, n_directions: int, rng: np.random.Generator
) -> list[tuple[Any, float]]:
    """Return random directions, and the slope of f along each, from two-sided differences.

    A direction is a tuple of arrays and dicts like the inputs, all its entries normal numbers,
    scaled to length 1 together. A gradient is right only if its inner product with every direction
    is that slope. It costs two calls of f for each direction, however many entries there are. The
    step is the cube root of machine epsilon, that of the coarsest dtype among the inputs, and suits
    entries of about 1.

    A wrong gradient whose error has a length of r times the tolerance goes unseen along one
    direction with probability of about 0.8 / r times the square root of the number of entries (for
    r well above that), and along k directions with that to the power k.

    Raises as `numerical_gradient` does, and ValueError if n_directions is below 1.

    >>> x, rng = np.array([1.0, -3.0]), np.random.default_rng(0)
    >>> ((direction,), slope), *_ = directional_derivatives(
    ...     lambda x: (x**2).sum(), x, n_directions=5, rng=rng)
    >>> bool(np.isclose(slope, direction @ (2 * x)))
    True
    """
    step = max(float(np.finfo(array.dtype).eps) for array in arrays_in(inputs)) ** (1 / 3)
    found: list[tuple[Any, float]] = []
    for _ in range(n_directions):
        direction = random_direction(inputs, rng)
        above = f(*moved(inputs, direction, step))
        below = f(*moved(inputs, direction, -step))
        found.append((direction, float(above - below) / (2 * step)))
    return found


def random_direction(inputs: Iterable[Any], rng: np.random.Generator) -> tuple[Any, ...]:
    """Return arrays and dicts like the inputs, of length 1 together, in a random direction.

    >>> (direction,) = random_direction([np.ones((2, 3))], np.random.default_rng(0))
    >>> direction.shape, round(float((direction**2).sum()), 12)
    ((2, 3), 1.0)
    """
    direction = tuple(copied(value, float) for value in inputs)
    for array in arrays_in(direction):
        array[...] = rng.normal(size=array.shape)
    length = np.sqrt(sum((array**2).sum() for array in arrays_in(direction)))
    for array in arrays_in(direction):
        array /= length
    return direction


def moved(inputs: Iterable[Any], direction: Iterable[Any], step: float) -> list[Any]:
    """Return copies of the inputs, moved a step along a direction.

    >>> moved([np.array([1.0])], [np.array([2.0])], 0.5)
    [array([2.])]
    """
    points = [copied(value) for value in inputs]
    for point, array in zip(arrays_in(points), arrays_in(direction), strict=True):
        point += step * array
    return points

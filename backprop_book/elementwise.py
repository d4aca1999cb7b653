"""Arithmetic, entry by entry: what chapter 14 shows on `add` and `multiply`, for the rest of it."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from backprop_book.arrays import Array
from backprop_book.checks import shapes, values
from backprop_book.operations import unbroadcast
from backprop_book.rules import finite
from backprop_book.shape_rules import broadcastable_with

One: TypeAlias = tuple[Array, Callable[[Any], Array]]
Two: TypeAlias = tuple[Array, Callable[[Any], tuple[Array, Array]]]


@shapes("(...)->(...)")
def negative(x: Array) -> One:
    """Return -x, for an array of any shape; `backward(doutput)` is -doutput.

    Raises TypeError for what is not an array of floats.

    >>> negative(np.array([2.0]))[1](np.ones(1))
    array([-1.])
    """
    return -x, lambda doutput: -doutput


@shapes("(...)->(...)")
def exp(x: Array) -> One:
    """Return e to the power of x, entry by entry, for an array of any shape.

    `backward(doutput)` multiplies by the output.

    Raises TypeError for what is not an array of floats.

    >>> exp(np.array([0.0]))[1](np.ones(1))
    array([1.])
    """
    output = np.exp(x)
    return output, lambda doutput: doutput * output


@shapes("(...)->(...)")
def log(x: Array) -> One:
    """Return the natural logarithm, entry by entry, for an array of any shape.

    `backward(doutput)` divides by x. As NumPy's, the logarithm is nan below 0 and -inf at 0, with
    NumPy's warning.

    Raises TypeError for what is not an array of floats.

    >>> log(np.array([4.0]))[1](np.ones(1))
    array([0.25])
    """
    return np.log(x), lambda doutput: doutput / x


@shapes("(...)->(...)")
def sqrt(x: Array) -> One:
    """Return the square root, entry by entry, for an array of any shape.

    `backward(doutput)` divides by twice the output. At 0 the slope is infinite, and so is what
    `backward` returns.

    Raises TypeError for what is not an array of floats.

    >>> sqrt(np.array([4.0]))[1](np.ones(1))
    array([0.25])
    """
    output = np.sqrt(x)
    return output, lambda doutput: doutput / (2 * output)


@shapes("(...)->(...)")
def sin(x: Array) -> One:
    """Return the sine, entry by entry, for an array of any shape.

    `backward(doutput)` multiplies by the cosine.

    Raises TypeError for what is not an array of floats.

    >>> sin(np.array([0.0]))[1](np.ones(1))
    array([1.])
    """
    return np.sin(x), lambda doutput: doutput * np.cos(x)


@shapes("(...)->(...)")
def cos(x: Array) -> One:
    """Return the cosine, entry by entry, for an array of any shape.

    `backward(doutput)` multiplies by minus the sine.

    Raises TypeError for what is not an array of floats.

    >>> cos(np.array([np.pi / 2]))[1](np.ones(1))
    array([-1.])
    """
    return np.cos(x), lambda doutput: -doutput * np.sin(x)


@shapes("(...)->(...)")
def absolute(x: Array) -> One:
    """Return |x|, entry by entry, for an array of any shape.

    `backward(doutput)` multiplies by the sign, which is 0 at 0, as in PyTorch and JAX.

    Raises TypeError for what is not an array of floats.

    >>> absolute(np.array([-2.0, 0.0]))[1](np.ones(2))
    array([-1.,  0.])
    """
    return np.abs(x), lambda doutput: doutput * np.sign(x)


@shapes("(...)->(...)")
@values(exponent=finite)
def power(x: Array, exponent: float) -> One:
    """Return x to the power of a number n, entry by entry, for an array of any shape.

    `backward(doutput)` multiplies by n x**(n - 1), and by 0 where n is 0.

    Raises TypeError for what is not an array of floats, ValueError for an exponent that is not a
    finite number.

    >>> power(np.array([3.0]), 2)[1](np.ones(1))
    array([6.])
    """

    def backward(doutput: Array) -> Array:
        return doutput * (exponent * x ** (exponent - 1)) if exponent else np.zeros_like(x)

    return x**exponent, backward


@shapes("(...),(...)->(...)")
@values(b=broadcastable_with("a"))
def subtract(a: Array, b: Array) -> Two:
    """Return a - b, broadcast as NumPy does; `backward(doutput)` returns (da, db).

    Raises TypeError for arrays that are not floats of one dtype, ValueError for shapes that do not
    broadcast.

    >>> subtract(np.ones(2), np.ones(1))[1](np.ones(2))
    (array([1., 1.]), array([-2.]))
    """

    def backward(doutput: Array) -> tuple[Array, Array]:
        return unbroadcast(doutput, a.shape), unbroadcast(-doutput, b.shape)

    return a - b, backward


@shapes("(...),(...)->(...)")
@values(b=broadcastable_with("a"))
def divide(a: Array, b: Array) -> Two:
    """Return a / b, broadcast as NumPy does; `backward(doutput)` returns (da, db).

    Raises TypeError for arrays that are not floats of one dtype, ValueError for shapes that do not
    broadcast.

    >>> divide(np.array([6.0]), np.array([2.0]))[1](np.ones(1))
    (array([0.5]), array([-1.5]))
    """
    output = a / b

    def backward(doutput: Array) -> tuple[Array, Array]:
        da = doutput / b
        return unbroadcast(da, a.shape), unbroadcast(-da * output, b.shape)

    return output, backward


@shapes("(...),(...)->(...)")
@values(b=broadcastable_with("a"))
def maximum(a: Array, b: Array) -> Two:
    """Return the larger of a and b, entry by entry, broadcast as NumPy does.

    `backward(doutput)` returns (da, db): the larger has the gradient, and where they are equal each
    has half, as in PyTorch and JAX.

    Raises TypeError for arrays that are not floats of one dtype, ValueError for shapes that do not
    broadcast.

    >>> maximum(np.array([1.0, 2.0]), np.array([2.0, 2.0]))[1](np.ones(2))
    (array([0. , 0.5]), array([1. , 0.5]))
    """
    return np.maximum(a, b), _to_the_winner(a, b, a > b)


@shapes("(...),(...)->(...)")
@values(b=broadcastable_with("a"))
def minimum(a: Array, b: Array) -> Two:
    """Return the smaller of a and b, entry by entry, broadcast as NumPy does.

    `backward(doutput)` returns (da, db): the smaller has the gradient, and where they are equal
    each has half, as in PyTorch and JAX.

    Raises TypeError for arrays that are not floats of one dtype, ValueError for shapes that do not
    broadcast.

    >>> minimum(np.array([1.0, 2.0]), np.array([2.0, 2.0]))[1](np.ones(2))
    (array([1. , 0.5]), array([0. , 0.5]))
    """
    return np.minimum(a, b), _to_the_winner(a, b, a < b)


def _to_the_winner(a: Array, b: Array, a_wins: Any) -> Callable[[Array], tuple[Array, Array]]:
    """Return the backward that gives a the gradient where it wins, half of it where both do."""

    def backward(doutput: Array) -> tuple[Array, Array]:
        da = np.where(a == b, doutput / 2, doutput * a_wins)
        return unbroadcast(da, a.shape), unbroadcast(doutput - da, b.shape)

    return backward

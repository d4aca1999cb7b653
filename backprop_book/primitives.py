"""Differentiable functions that the engines need besides those that chapters write.

Each returns (output, backward), as all do. They are called with arrays that have been looked at, by
the operators of `operands.py`, or by one another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from backprop_book.activations import error_tail
from backprop_book.arrays import Array
from backprop_book.operations import unbroadcast

One: TypeAlias = tuple[Array, Callable[[Any], Any]]
Several: TypeAlias = tuple[Array, Callable[[Any], tuple[Any, ...]]]


def square(x: Array) -> One:
    """Return x * x, entry by entry, for any shape; `backward` multiplies by 2 x.

    >>> square(np.array([3.0]))[1](np.ones(1))
    array([6.])
    """
    return x * x, lambda doutput: doutput * (2 * x)


def log1p(x: Array) -> One:
    """Return log(1 + x), entry by entry, for any shape; `backward` divides by 1 + x.

    >>> log1p(np.array([1.0]))[1](np.ones(1))
    array([0.5])
    """
    return np.log1p(x), lambda doutput: doutput / (1 + x)


def expm1(x: Array) -> One:
    """Return exp(x) - 1, entry by entry, for any shape; `backward` multiplies by exp(x).

    >>> expm1(np.array([0.0]))[1](np.ones(1))
    array([1.])
    """
    return np.expm1(x), lambda doutput: doutput * np.exp(x)


def arctan(x: Array) -> One:
    """Return the inverse tangent, entry by entry, for any shape; `backward` divides by 1 + x**2.

    >>> arctan(np.array([1.0]))[1](np.ones(1))
    array([0.5])
    """
    return np.arctan(x), lambda doutput: doutput / (1 + x * x)


def sinh(x: Array) -> One:
    """Return the hyperbolic sine, entry by entry, for any shape; `backward` multiplies by cosh.

    >>> sinh(np.array([0.0]))[1](np.ones(1))
    array([1.])
    """
    return np.sinh(x), lambda doutput: doutput * np.cosh(x)


def cosh(x: Array) -> One:
    """Return the hyperbolic cosine, entry by entry, for any shape; `backward` multiplies by sinh.

    >>> cosh(np.array([0.0]))[1](np.ones(1))
    array([0.])
    """
    return np.cosh(x), lambda doutput: doutput * np.sinh(x)


def tail(x: Array) -> One:
    """Return the complementary error function, entry by entry, for any shape.

    `backward` multiplies by -2 / sqrt(pi) * exp(-x**2) (NIST Digital Library of Mathematical
    Functions, 7.2.2).

    >>> tail(np.array([0.0]))[1](np.ones(1)).round(6)
    array([-1.128379])
    """
    output: Any = np.reshape(error_tail(x), x.shape)
    slope = -2 / math.sqrt(math.pi)
    return output.astype(x.dtype), lambda doutput: doutput * (slope * np.exp(-x * x))


def clip(x: Array, low: float | None, high: float | None) -> One:
    """Return x, of any shape, held between two numbers, either of which may be None.

    `backward` passes the gradient on where x is between them, or equal to one, as in PyTorch.

    >>> clip(np.array([0.0, 1.0, 2.0]), None, 1.0)[1](np.ones(3))
    array([1., 1., 0.])
    """
    inside: Any = (x >= (-math.inf if low is None else low)) & (
        x <= (math.inf if high is None else high)
    )
    return np.clip(x, low, high), lambda doutput: doutput * inside


def cast(x: Array, dtype: Any) -> One:
    """Return x, of any shape, in another dtype of floats; `backward` casts back.

    >>> cast(np.ones(1), np.float32)[1](np.ones(1, np.float32)).dtype
    dtype('float64')
    """
    return x.astype(dtype), lambda doutput: doutput.astype(x.dtype)


def exponentiate(base: Array, exponent: Array) -> Several:
    """Return base to the power of an array of a shape that broadcasts; both have gradients.

    `backward` returns (dbase, dexponent). Where the base is 0 and the exponent is not negative, the
    exponent's is 0, as in PyTorch; where the base is negative it is nan.

    >>> exponentiate(np.array([2.0]), np.array([3.0]))[1](np.ones(1))
    (array([12.]), array([5.54517744]))
    """
    output = base**exponent

    def backward(doutput: Array) -> tuple[Array, Array]:
        dbase = doutput * exponent * base ** np.where(exponent == 0, 1, exponent - 1)
        dexponent = doutput * output * np.log(np.where((base == 0) & (exponent >= 0), 1, base))
        return unbroadcast(dbase, base.shape), unbroadcast(dexponent, exponent.shape)

    return output, backward


def logaddexp(a: Array, b: Array) -> Several:
    """Return log(exp(a) + exp(b)) without overflow, for shapes that broadcast.

    `backward` returns (da, db).

    >>> logaddexp(np.array([0.0]), np.array([0.0]))[1](np.ones(1))
    (array([0.5]), array([0.5]))
    """
    output = np.logaddexp(a, b)

    def backward(doutput: Array) -> tuple[Array, Array]:
        da, db = doutput * np.exp(a - output), doutput * np.exp(b - output)
        return unbroadcast(da, a.shape), unbroadcast(db, b.shape)

    return output, backward


def where(condition: Any, a: Array, b: Array) -> Several:
    """Return a where the condition holds and b elsewhere, for shapes that broadcast.

    `backward` returns (da, db).

    >>> where(np.array([True, False]), np.ones(2), np.zeros(2))[1](np.array([3.0, 5.0]))
    (array([3., 0.]), array([0., 5.]))
    """

    def backward(doutput: Array) -> tuple[Array, Array]:
        nothing = np.zeros((), doutput.dtype)
        da, db = np.where(condition, doutput, nothing), np.where(condition, nothing, doutput)
        return unbroadcast(da, a.shape), unbroadcast(db, b.shape)

    return np.where(condition, a, b), backward


def reduce_min(x: Array, axis: Any = None, keepdims: bool = False) -> One:
    """Return the smallest entry along one axis, several or all, for any shape.

    `backward` shares the gradient among equals, as `reduce_max` does.

    >>> reduce_min(np.array([1.0, 3.0, 1.0]))[1](np.array(1.0))
    array([0.5, 0. , 0.5])
    """
    output = x.min(axis=axis, keepdims=True)
    winners: Any = x == output

    def backward(doutput: Array) -> Any:
        shares = winners / winners.sum(axis=axis, keepdims=True, dtype=x.dtype)
        return np.reshape(doutput, output.shape) * shares

    return output if keepdims else np.squeeze(output, axis), backward


def broadcast_to(x: Array, shape: tuple[int, ...]) -> One:
    """Return x copied along axes to a shape; `backward` sums over the copies.

    >>> broadcast_to(np.ones(3), (4, 3))[1](np.ones((4, 3)))
    array([4., 4., 4.])
    """
    return np.broadcast_to(x, shape), lambda doutput: unbroadcast(doutput, x.shape)


def concatenate(*arrays: Array, axis: int = 0) -> Several:
    """Return arrays joined along an axis, their shapes alike but for that.

    `backward` cuts the gradient at the joints.

    >>> concatenate(np.zeros(2), np.zeros(1))[1](np.array([1.0, 2.0, 3.0]))
    (array([1., 2.]), array([3.]))
    """
    ends = np.cumsum([array.shape[axis] for array in arrays])

    def backward(doutput: Array) -> tuple[Array, ...]:
        before = (slice(None),) * (axis % doutput.ndim)
        cuts = zip([0, *ends[:-1]], ends, strict=True)
        return tuple(doutput[(*before, slice(start, end))] for start, end in cuts)

    return np.concatenate(arrays, axis), backward


def cumsum(x: Array, axis: int) -> One:
    """Return the running sum along an axis, for any shape; `backward` runs from the other end.

    >>> cumsum(np.zeros(3), 0)[1](np.array([1.0, 2.0, 3.0]))
    array([6., 5., 3.])
    """

    def backward(doutput: Array) -> Any:
        return np.flip(np.cumsum(np.flip(doutput, axis), axis), axis)

    return np.cumsum(x, axis), backward


def einsum(subscripts: str, *arrays: Array) -> Several:
    """Return the sum of products that NumPy's `einsum` writes as "ij,jk->ik".

    The arrays have the shapes that it says. `backward` returns a gradient for each: the same
    product with the gradient in that array's place. Raises ValueError for dots, for a letter twice
    in one array, and without an arrow.

    >>> output, backward = einsum("ij,j->i", np.ones((2, 3)), np.ones(3))
    >>> backward(np.ones(2))[1]
    array([2., 2., 2.])
    """
    letters, result = _read(subscripts, len(arrays))

    def backward(doutput: Array) -> tuple[Array, ...]:
        which = range(len(arrays))
        return tuple(_einsum_gradient(i, letters, result, arrays, doutput) for i in which)

    return np.einsum(subscripts, *arrays), backward


def _einsum_gradient(
    i: int, letters: Sequence[str], result: str, arrays: Sequence[Array], doutput: Array
) -> Any:
    """Return the gradient of one array: a letter that it alone has was summed, so it is copied."""
    others = [j for j in range(len(arrays)) if j != i]
    known = set(result).union(*(letters[j] for j in others))
    found = "".join(letter for letter in letters[i] if letter in known)
    subscripts = ",".join([result, *(letters[j] for j in others)]) + "->" + found
    gradient: Any = np.einsum(subscripts, doutput, *(arrays[j] for j in others))
    shape = tuple(n if s in known else 1 for s, n in zip(letters[i], arrays[i].shape, strict=True))
    return np.broadcast_to(np.reshape(gradient, shape), arrays[i].shape)


def _read(subscripts: str, n_arrays: int) -> tuple[list[str], str]:
    inputs, arrow, result = subscripts.replace(" ", "").partition("->")
    letters = inputs.split(",")
    told = f"subscripts is {subscripts!r}; it should"
    if not arrow or (not (inputs.replace(",", "") + result).isalpha() and result):
        raise ValueError(f"{told} be letters, commas and an arrow, as 'ij,jk->ik'")
    if len(letters) != n_arrays:
        raise ValueError(f"{told} describe {n_arrays} arrays, and describes {len(letters)}")
    if any(len(set(each)) < len(each) for each in [*letters, result]):
        raise ValueError(f"{told} have no letter twice in one array")
    return letters, result

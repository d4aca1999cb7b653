"""Shape tricks of NumPy and their backwards. Written in chapter 14."""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from backprop_book.arrays import Array
from backprop_book.checks import shapes, values
from backprop_book.shape_rules import (
    axes_of,
    broadcastable_with,
    index_into,
    index_of,
    multipliable_with,
    permutation_of,
    shape_for,
    shape_within,
    whole_numbers,
)

Axes: TypeAlias = int | tuple[int, ...] | None


@values(shape=shape_within("gradient"))
def unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the axes along which an array of this shape was broadcast.

    What broadcasting copies has as its gradient the sum over the copies. The result has the shape
    asked for.

    Raises ValueError if an array of that shape does not broadcast to the gradient's.

    >>> unbroadcast(np.ones((4, 3)), (3,))
    array([4., 4., 4.])
    >>> unbroadcast(np.ones((4, 3)), (4, 1)).shape
    (4, 1)
    """
    if gradient.shape == shape:
        return gradient
    extra = gradient.ndim - len(shape)
    stretched = [extra + i for i, n in enumerate(shape) if n == 1]
    summed: Array = gradient.sum(axis=(*range(extra), *stretched))
    return summed.reshape(shape)


@shapes("(...),(...)->(...)")
@values(b=broadcastable_with("a"))
def add(a: Array, b: Array) -> tuple[Array, Callable[[Array], tuple[Array, Array]]]:
    """Return a + b, broadcast as NumPy does; `backward(doutput)` returns (da, db).

    Raises TypeError for arrays that are not floats of one dtype, ValueError for shapes that do not
    broadcast.

    >>> output, backward = add(np.ones((2, 3)), np.ones(3))
    >>> backward(output)[1]
    array([4., 4., 4.])
    """

    def backward(doutput: Array) -> tuple[Array, Array]:
        return unbroadcast(doutput, a.shape), unbroadcast(doutput, b.shape)

    return a + b, backward


@shapes("(...),(...)->(...)")
@values(b=broadcastable_with("a"))
def multiply(a: Array, b: Array) -> tuple[Array, Callable[[Array], tuple[Array, Array]]]:
    """Return a * b, entry by entry, broadcast as NumPy does; `backward(doutput)` returns (da, db).

    Raises TypeError for arrays that are not floats of one dtype, ValueError for shapes that do not
    broadcast.

    >>> output, backward = multiply(np.array([2.0, 3.0]), np.array([5.0]))
    >>> backward(np.ones(2))
    (array([5., 5.]), array([5.]))
    """

    def backward(doutput: Array) -> tuple[Array, Array]:
        return unbroadcast(doutput * b, a.shape), unbroadcast(doutput * a, b.shape)

    return a * b, backward


@shapes("(...),(...)->(...)")
@values(b=multipliable_with("a"))
def matmul(a: Array, b: Array) -> tuple[Array, Callable[..., tuple[Any, Array]]]:
    """Return a @ b for stacks of matrices, which broadcast; `backward(doutput)` returns (da, db).

    a is (..., N, D) and b (..., D, H), the output (..., N, H). `backward(doutput, with_da=False)`
    spares the product for da, and returns None in its place.

    Raises TypeError for arrays that are not floats of one dtype, ValueError for fewer than two axes
    or shapes that do not fit.

    >>> output, backward = matmul(np.ones((5, 2, 3)), np.ones((3, 4)))
    >>> output.shape, [gradient.shape for gradient in backward(output)]
    ((5, 2, 4), [(5, 2, 3), (3, 4)])
    """

    def backward(doutput: Array, with_da: bool = True) -> tuple[Any, Array]:
        da = unbroadcast(doutput @ b.swapaxes(-1, -2), a.shape) if with_da else None
        return da, unbroadcast(a.swapaxes(-1, -2) @ doutput, b.shape)

    return a @ b, backward


@shapes("(...)->(...)")
@values(axis=axes_of("x"))
def reduce_sum(
    x: Array, axis: Axes = None, keepdims: bool = False
) -> tuple[Array, Callable[[Array], Array]]:
    """Return the sum over one axis, several or all, as NumPy's `sum` does.

    `backward(doutput)` returns dx, shaped like x: every summand has its sum's gradient.

    Raises TypeError for what is not an array of floats, ValueError for an axis that x lacks.

    >>> output, backward = reduce_sum(np.ones((2, 3)), axis=1)
    >>> backward(np.array([1.0, 2.0]))
    array([[1., 1., 1.],
           [2., 2., 2.]])
    """
    output = x.sum(axis=axis, keepdims=True)

    def backward(doutput: Array) -> Any:
        return np.broadcast_to(np.reshape(doutput, output.shape), x.shape).copy()

    return output if keepdims else np.squeeze(output, axis), backward


@shapes("(...)->(...)")
@values(axis=axes_of("x"))
def reduce_mean(
    x: Array, axis: Axes = None, keepdims: bool = False
) -> tuple[Array, Callable[[Array], Array]]:
    """Return the mean over one axis, several or all, as NumPy's `mean` does.

    `backward(doutput)` returns dx, shaped like x: each of the n entries of a mean has 1/n of its
    gradient.

    Raises TypeError for what is not an array of floats, ValueError for an axis that x lacks.

    >>> reduce_mean(np.array([1.0, 5.0]))[1](1.0)
    array([0.5, 0.5])
    """
    total, sum_backward = reduce_sum(x, axis, keepdims)
    n_entries = x.size // total.size
    return total / n_entries, lambda doutput: sum_backward(doutput / n_entries)


@shapes("(...)->(...)")
@values(axis=axes_of("x"))
def reduce_max(
    x: Array, axis: Axes = None, keepdims: bool = False
) -> tuple[Array, Callable[[Array], Array]]:
    """Return the largest entry along one axis, several or all, as NumPy's `max` does.

    `backward(doutput)` returns dx, shaped like x: the largest entry has the gradient; those that
    share the first place share it equally, as in PyTorch's `amax` and JAX's `max`.

    Raises TypeError for what is not an array of floats, ValueError for an axis that x lacks.

    >>> reduce_max(np.array([1.0, 3.0, 3.0]))[1](1.0)
    array([0. , 0.5, 0.5])
    """
    output = x.max(axis=axis, keepdims=True)

    def backward(doutput: Array) -> Any:
        winners = x == output
        shares = winners / winners.sum(axis=axis, keepdims=True, dtype=x.dtype)
        return np.reshape(doutput, output.shape) * shares

    return output if keepdims else np.squeeze(output, axis), backward


@shapes("(...)->(...)")
@values(shape=shape_for("x"))
def reshape(x: Array, shape: Sequence[int]) -> tuple[Array, Callable[[Array], Array]]:
    """Return the entries of x in another shape, one of whose lengths may be -1 for the rest.

    `backward(doutput)` shapes the gradient back.

    Raises TypeError for what is not an array of floats, ValueError for a shape that does not hold
    as many entries.

    >>> reshape(np.ones((2, 3)), (3, -1))[0].shape
    (3, 2)
    """
    return x.reshape(shape), lambda doutput: doutput.reshape(x.shape)


@shapes("(...)->(...)")
@values(axes=permutation_of("x"))
def transpose(
    x: Array, axes: Sequence[int] | None = None
) -> tuple[Array, Callable[[Array], Array]]:
    """Return x with its axes in another order, or in reverse order without one.

    `backward(doutput)` puts the axes back, to the shape of x.

    Raises TypeError for what is not an array of floats, ValueError for what is no order of the
    axes of x.

    >>> transpose(np.ones((2, 3, 4)), (2, 0, 1))[0].shape
    (4, 2, 3)
    """
    order = range(x.ndim)[::-1] if axes is None else axes
    return x.transpose(order), lambda doutput: doutput.transpose(np.argsort(order))


@shapes("(...)->(...)")
@values(index=index_of("x"))
def getitem(x: Array, index: Any) -> tuple[Array, Callable[[Array], Array]]:
    """Return x[index], for any index that NumPy takes: numbers, slices, arrays of either, masks.

    `backward(doutput)` returns dx, shaped like x: every gradient is added to the entry that it came
    from, and an entry that was taken twice gets both.

    Raises TypeError for what is not an array of floats, IndexError for an index that x lacks,
    ValueError for one that takes nothing.

    >>> output, backward = getitem(np.array([1.0, 2.0]), [0, 0, 1])
    >>> backward(np.ones(3))
    array([2., 1.])
    """
    return x[index], lambda doutput: scatter_add(doutput, index, x.shape)[0]


@shapes("(...)->(...)")
@values(shape=whole_numbers, index=index_into("shape", "values"))
def scatter_add(
    values: Array, index: Any, shape: tuple[int, ...]
) -> tuple[Array, Callable[[Array], Array]]:
    """Add values into an array of zeros of this shape, each at its place in array[index].

    It is what `getitem` does backwards, and `getitem` is what it does backwards: values is shaped
    as array[index], and what goes to one place is added up. `backward(doutput)` returns
    doutput[index].

    Raises TypeError for what is not an array of floats, IndexError for an index that such an array
    lacks, ValueError for values of another shape than array[index].

    >>> scatter_add(np.array([1.0, 2.0, 4.0]), [0, 0, 1], (3,))[0]
    array([3., 4., 0.])
    """
    size = math.prod(shape)
    places = np.arange(size).reshape(shape)[index]
    output = np.bincount(places.ravel(), weights=values.ravel(), minlength=size)
    return output.reshape(shape).astype(values.dtype), lambda doutput: doutput[index]

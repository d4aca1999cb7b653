"""What stands in an array's place in an expression: the operators of tensors and dual numbers.

An operand holds a value, which is an array or an operand of a lower level, and leaves to its class
what happens when a function of the package is applied to it. This module is the long table that
leads from `+`, `np.exp` or `x.sum(axis=0)` to that function; there are no derivatives in it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from backprop_book import activations, elementwise, losses, operations, primitives
from backprop_book.arrays import Array, a_kind, is_real

new_level = itertools.count(1).__next__
"""Give a level above all that were given before; a tensor that a reader makes has level 0."""


def apply(function: Callable[..., Any], *inputs: Any, **options: Any) -> Any:
    """Call a function that returns (output, backward) and give the output alone.

    Where inputs are tensors, so is the output, and `backward` goes on their tape; where they are
    dual numbers, so is the output. Of operands of different levels the highest decides, and to it
    the others are constants.

    Raises TypeError for a function that returns no such pair, and as the function does.

    >>> float(apply(activations.sigmoid, np.array(0.0)))
    0.5
    """
    top = highest(inputs)
    if top is None:
        return pair(function, inputs, options)[0]
    return top.carry(function, inputs, options)


def pair(function: Callable[..., Any], inputs: Iterable[Any], options: Any) -> tuple[Any, Any]:
    """Call a function that should return (output, backward), and see that it does.

    >>> pair(np.sin, [np.array([1.0, 2.0])], {})
    Traceback (most recent call last):
    TypeError: sin returned an array; it should return (output, backward)
    """
    if not callable(function):
        told = f"function is {a_kind(function)}"
        raise TypeError(f"{told}; it should be a function that returns (output, backward)")
    returned = function(*inputs, **options)
    if not (isinstance(returned, tuple) and len(returned) == 2 and callable(returned[1])):
        name = getattr(function, "__name__", "the function")
        raise TypeError(f"{name} returned {a_kind(returned)}; it should return (output, backward)")
    return returned


def highest(inputs: Iterable[Any]) -> Operand | None:
    """Return the operand of the highest level among inputs, None if there is none.

    >>> highest([2.0, np.ones(3)]) is None
    True
    """
    top = None
    for x in inputs:
        if isinstance(x, Operand) and (top is None or x.level > top.level):
            top = x
    return top


def plain(x: Any) -> Any:
    """Return the array under an operand, of whatever level; anything else as it is.

    >>> plain(2.0)
    2.0
    """
    while isinstance(x, Operand):
        x = x.value
    return x


class Operand:
    """A value and a level, with the operators of an array.

    A subclass says in `carry` what a function of the package does to it.

    >>> class Listening(Operand):
    ...     def carry(self, function, inputs, options):
    ...         return f"asked for {function.__name__}"
    >>> np.exp(Listening())
    'asked for exp'
    """

    __slots__ = ()
    __hash__ = object.__hash__
    value: Any
    level: int

    def carry(self, function: Callable[..., Any], inputs: Any, options: Any) -> Any:
        """Apply a function to inputs among which this is one of the highest level."""
        raise NotImplementedError

    def become(self, other: Any) -> None:
        """Take the place of another operand: what a change of entries comes to."""
        raise NotImplementedError

    def detach(self) -> Any:
        """Return the same as a constant."""
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        shape: tuple[int, ...] = self.value.shape
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the entries."""
        dtype: np.dtype[Any] = self.value.dtype
        return dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of entries."""
        size: int = self.value.size
        return size

    @property
    def T(self) -> Any:
        """The same with its axes in reverse order."""
        return self.transpose()

    def __add__(self, other: Any) -> Any:
        return _of_two(operations.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _of_two(operations.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return _of_two(elementwise.subtract, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _of_two(elementwise.subtract, other, self)

    def __mul__(self, other: Any) -> Any:
        return _of_two(operations.multiply, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _of_two(operations.multiply, other, self)

    def __truediv__(self, other: Any) -> Any:
        return _of_two(elementwise.divide, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _of_two(elementwise.divide, other, self)

    def __pow__(self, exponent: Any) -> Any:
        return _power(self, exponent)

    def __rpow__(self, base: Any) -> Any:
        return _power(base, self)

    def __matmul__(self, other: Any) -> Any:
        return _matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return _matmul(other, self)

    def __neg__(self) -> Any:
        return apply(elementwise.negative, self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return apply(elementwise.absolute, self)

    def __lt__(self, other: Any) -> Any:
        return plain(self) < plain(other)

    def __le__(self, other: Any) -> Any:
        return plain(self) <= plain(other)

    def __gt__(self, other: Any) -> Any:
        return plain(self) > plain(other)

    def __ge__(self, other: Any) -> Any:
        return plain(self) >= plain(other)

    def __eq__(self, other: object) -> Any:
        return plain(self) == plain(other)

    def __ne__(self, other: object) -> Any:
        return plain(self) != plain(other)

    def __getitem__(self, index: Any) -> Any:
        return apply(operations.getitem, self, _plain_index(index))

    def __setitem__(self, index: Any, values: Any) -> None:
        here: Any = np.zeros(self.shape, bool)
        here[_plain_index(index)] = True
        spread = np.broadcast_to(as_floats(values, self), here[_plain_index(index)].shape)
        there = apply(operations.scatter_add, spread, _plain_index(index), self.shape)
        self.become(np.where(here, there, self))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"a {type(self).__name__} of shape () has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(plain(self))

    def __float__(self) -> float:
        return float(plain(self))

    def __int__(self) -> int:
        return int(plain(self))

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        kind = type(self).__name__
        raise TypeError(
            f"NumPy asked for the array of a {kind}, which would cut it off from its derivative; "
            f"use a function that a {kind} knows, or take its array with .numpy()"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if options.get("out", (None,))[0] is inputs[0]:
            del options["out"]  # `array += operand`, after which the name stands for an operand
        if method == "__call__" and ufunc in CONSTANT:
            return ufunc(*map(plain, inputs), **options)
        handler = UFUNCS.get(ufunc) if method == "__call__" else REDUCTIONS.get((ufunc, method))
        if handler is None or "out" in options:
            called = ufunc.__name__ + ("" if method == "__call__" else f".{method}")
            raise TypeError(f"np.{called} {_unknown(self, 'out' in options)}")
        return handler(*inputs, **options)

    def __array_function__(self, function: Any, _: Any, args: Any, options: Any) -> Any:
        if function not in FUNCTIONS:
            name = f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1)
            raise TypeError(f"{name} {_unknown(self, False)}")
        return FUNCTIONS[function](*args, **options)

    def numpy(self) -> Any:
        """Return the array, without a way back to the derivative."""
        return plain(self)

    def item(self) -> float:
        """Return the only entry as a Python number."""
        entry: float = plain(self).item()
        return entry

    def tolist(self) -> Any:
        """Return the entries as Python numbers, in lists."""
        return plain(self).tolist()

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the sum over one axis, several or all."""
        return apply(operations.reduce_sum, self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the mean over one axis, several or all."""
        return apply(operations.reduce_mean, self, axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the largest entry along one axis, several or all."""
        return apply(operations.reduce_max, self, axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the smallest entry along one axis, several or all."""
        return apply(primitives.reduce_min, self, axis, keepdims)

    def var(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
        """Return the variance: the sum of squares about the mean, over the number less ddof."""
        centred = self - self.mean(axis, keepdims=True)
        total = (centred * centred).sum(axis, keepdims)
        return total / (self.size // total.size - ddof)

    def std(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
        """Return the square root of the variance."""
        return self.var(axis, ddof, keepdims).sqrt()

    def cumsum(self, axis: int | None = None) -> Any:
        """Return the running sum along an axis, of the flattened entries without one."""
        return apply(primitives.cumsum, self.ravel() if axis is None else self, axis or 0)

    def argmax(self, axis: int | None = None) -> Any:
        """Return the index of the largest entry: a constant."""
        return plain(self).argmax(axis)

    def argmin(self, axis: int | None = None) -> Any:
        """Return the index of the smallest entry: a constant."""
        return plain(self).argmin(axis)

    def reshape(self, *shape: Any) -> Any:
        """Return the entries in another shape."""
        return apply(operations.reshape, self, _unpacked(shape))

    def ravel(self) -> Any:
        """Return the entries along one axis."""
        return self.reshape(-1)

    flatten = ravel

    def transpose(self, *axes: Any) -> Any:
        """Return the axes in another order, in reverse without one."""
        return apply(operations.transpose, self, _unpacked(axes) if axes else None)

    def swapaxes(self, a: int, b: int) -> Any:
        """Return two axes exchanged."""
        order = np.arange(self.ndim)
        order[[a, b]] = order[[b, a]]
        return self.transpose(order)

    def squeeze(self, axis: Any = None) -> Any:
        """Return the same without axes of length 1: one, several or all."""
        return self.reshape(np.squeeze(np.empty(self.shape, bool), axis).shape)

    def astype(self, dtype: Any, **_: Any) -> Any:
        """Return the entries in another dtype; whole numbers and bools are constants."""
        if np.dtype(dtype) == self.dtype:
            return self
        floats = np.dtype(dtype).kind == "f"
        return apply(primitives.cast, self, dtype) if floats else plain(self).astype(dtype)

    def copy(self) -> Any:
        """Return an operand of the same entries, which may be changed without changing this one."""
        return apply(activations.identity, self)

    def clip(self, low: float | None = None, high: float | None = None) -> Any:
        """Return the entries held between two numbers."""
        low, high = (None if bound is None else float(bound) for bound in (low, high))
        return apply(primitives.clip, self, low, high)

    def dot(self, other: Any) -> Any:
        """Return the matrix product, or the multiple by a number."""
        return self * other if self.ndim == 0 or np.ndim(other) == 0 else self @ other

    def exp(self) -> Any:
        """Return e to the power of each entry."""
        return apply(elementwise.exp, self)

    def log(self) -> Any:
        """Return the natural logarithm of each entry."""
        return apply(elementwise.log, self)

    def sqrt(self) -> Any:
        """Return the square root of each entry."""
        return apply(elementwise.sqrt, self)

    def abs(self) -> Any:
        """Return each entry without its sign."""
        return abs(self)

    def tanh(self) -> Any:
        """Return the hyperbolic tangent of each entry."""
        return apply(activations.tanh, self)

    def sigmoid(self) -> Any:
        """Return 1 / (1 + exp(-x)) for each entry."""
        return apply(activations.sigmoid, self)

    def relu(self) -> Any:
        """Return each entry or 0, whichever is larger."""
        return apply(activations.relu, self)

    def softmax(self, axis: int = -1) -> Any:
        """Return the softmax along an axis."""
        return apply(losses.softmax, self, axis)


def as_floats(x: Any, *others: Any, name: str = "the other operand") -> Any:
    """Return a number, array or operand as an array or operand of the dtype it has with others.

    >>> as_floats(2, np.ones(1, np.float32)).dtype
    dtype('float32')
    """
    if isinstance(x, list | tuple):
        x = np.array(x)
    kind = x.dtype.kind if hasattr(x, "dtype") else "f" if isinstance(x, int | float) else "?"
    if kind not in "fiub":
        told = f"has dtype {x.dtype}" if hasattr(x, "dtype") else f"is {a_kind(x)}"
        raise TypeError(f"{name} {told}; it should be a number or an array of numbers")
    dtype = np.result_type(*(getattr(each, "dtype", each) for each in (x, *others)))
    if isinstance(x, Operand):
        return x.astype(dtype)
    return np.asarray(x, dtype if dtype.kind == "f" else np.float64)


def _of_two(function: Callable[..., Any], a: Any, b: Any) -> Any:
    if type(b) in (int, float):
        b = np.asarray(b, a.dtype)
    elif type(a) in (int, float):
        a = np.asarray(a, b.dtype)
    elif not (isinstance(a, Operand) and isinstance(b, Operand) and a.dtype == b.dtype):
        a, b = as_floats(a, b), as_floats(b, a)
    return apply(function, a, b)


def _power(base: Any, exponent: Any) -> Any:
    if is_real(exponent) and not isinstance(exponent, np.generic):
        return apply(elementwise.power, base, exponent)
    return _of_two(primitives.exponentiate, base, exponent)


def _matmul(a: Any, b: Any) -> Any:
    a, b = as_floats(a, b), as_floats(b, a)
    if a.ndim == 1:
        return _matmul(np.reshape(a, (1, -1)), b)[..., 0, :] if b.ndim > 1 else (a * b).sum()
    if b.ndim == 1:
        return _matmul(a, np.reshape(b, (-1, 1)))[..., 0]
    return apply(operations.matmul, a, b)


def _unpacked(lengths: tuple[Any, ...]) -> tuple[int, ...]:
    """Return (2, 3) for x.reshape(2, 3), and for x.reshape((2, 3))."""
    if len(lengths) != 1:
        return lengths
    one = lengths[0]
    return tuple(map(int, one)) if np.iterable(one) else (one,)


def _plain_index(index: Any) -> Any:
    return tuple(map(plain, index)) if isinstance(index, tuple) else plain(index)


def _unknown(operand: Operand, out: bool) -> str:
    kind = type(operand).__name__
    if out:
        return f"was asked to write into an array, which a {kind} cannot do; use what it returns"
    return f"is none of the functions that a {kind} knows, so there is no derivative for it"


def _elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: apply(function, x)


def _pairwise(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, b: _of_two(function, a, b)


def _reduce(method: str) -> Callable[..., Any]:
    def handler(x: Any, axis: Any = 0, keepdims: bool = False) -> Any:
        return getattr(x, method)(axis, keepdims)

    return handler


CONSTANT = {
    *(np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal),
    *(np.sign, np.floor, np.ceil, np.rint, np.trunc, np.isnan, np.isfinite, np.isinf, np.signbit),
    *(np.logical_and, np.logical_or, np.logical_not),
}
"""What has no slope, or one of 0 wherever there is one: it gives plain arrays."""

UFUNCS: dict[Any, Callable[..., Any]] = {
    np.absolute: _elementwise(elementwise.absolute),
    np.add: _pairwise(operations.add),
    np.arctan: _elementwise(primitives.arctan),
    np.cos: _elementwise(elementwise.cos),
    np.cosh: _elementwise(primitives.cosh),
    np.divide: _pairwise(elementwise.divide),
    np.exp: _elementwise(elementwise.exp),
    np.expm1: _elementwise(primitives.expm1),
    np.float_power: _power,
    np.log: _elementwise(elementwise.log),
    np.log1p: _elementwise(primitives.log1p),
    np.logaddexp: _pairwise(primitives.logaddexp),
    np.matmul: _matmul,
    np.maximum: _pairwise(elementwise.maximum),
    np.minimum: _pairwise(elementwise.minimum),
    np.multiply: _pairwise(operations.multiply),
    np.negative: _elementwise(elementwise.negative),
    np.positive: _elementwise(activations.identity),
    np.power: _power,
    np.reciprocal: lambda x: 1 / x,
    np.sin: _elementwise(elementwise.sin),
    np.sinh: _elementwise(primitives.sinh),
    np.sqrt: _elementwise(elementwise.sqrt),
    np.square: _elementwise(primitives.square),
    np.subtract: _pairwise(elementwise.subtract),
    np.tanh: _elementwise(activations.tanh),
    activations.error_tail: _elementwise(primitives.tail),
}
"""NumPy's functions of one entry or two, and what they are here."""

REDUCTIONS: dict[Any, Callable[..., Any]] = {
    (np.add, "reduce"): _reduce("sum"),
    (np.maximum, "reduce"): _reduce("max"),
    (np.minimum, "reduce"): _reduce("min"),
}
"""What NumPy's `np.add.reduce` and the like are here."""


def _bincount(places: Any, weights: Any, minlength: int = 0) -> Any:
    return apply(operations.scatter_add, weights, places, (max(minlength, places.max() + 1),))


def _broadcast_to(x: Any, shape: Any) -> Any:
    shape = tuple(np.atleast_1d(shape)) if np.ndim(shape) == 0 else tuple(shape)
    return apply(primitives.broadcast_to, x, shape)


def _concatenate(arrays: Sequence[Any], axis: int | None = 0) -> Any:
    if axis is None:
        return _concatenate([np.ravel(x) for x in arrays])
    return apply(primitives.concatenate, *(as_floats(x, *arrays) for x in arrays), axis=axis)


def _stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    return _concatenate([np.expand_dims(x, axis) for x in arrays], axis)


def _einsum(subscripts: str, *arrays: Any) -> Any:
    return apply(primitives.einsum, subscripts, *(as_floats(x, *arrays) for x in arrays))


def _expand_dims(x: Any, axis: Any) -> Any:
    return x.reshape(np.expand_dims(np.empty(x.shape, bool), axis).shape)


def _flip(x: Any, axis: Any = None) -> Any:
    turned = range(x.ndim) if axis is None else np.atleast_1d(axis) % x.ndim
    return x[tuple(slice(None, None, -1 if i in turned else 1) for i in range(x.ndim))]


def _outer(a: Array, b: Array) -> Any:
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


def _where(condition: Any, *values: Any) -> Any:
    if not values:
        return np.where(plain(condition))
    a, b = values
    return apply(primitives.where, plain(condition), as_floats(a, b), as_floats(b, a))


def _like(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return NumPy's function of what it is told about plain arrays."""
    return lambda *args, **options: function(*map(plain, args), **options)


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.amax: Operand.max,
    np.amin: Operand.min,
    np.bincount: _bincount,
    np.broadcast_to: _broadcast_to,
    np.clip: Operand.clip,
    np.concatenate: _concatenate,
    np.copy: Operand.copy,
    np.cumsum: Operand.cumsum,
    np.dot: lambda a, b: a.dot(b) if isinstance(a, Operand) else as_floats(a, b) @ b,
    np.einsum: _einsum,
    np.expand_dims: _expand_dims,
    np.flip: _flip,
    np.max: Operand.max,
    np.mean: Operand.mean,
    np.min: Operand.min,
    np.outer: _outer,
    np.ravel: Operand.ravel,
    np.reshape: Operand.reshape,
    np.squeeze: Operand.squeeze,
    np.stack: _stack,
    np.std: Operand.std,
    np.sum: Operand.sum,
    np.swapaxes: Operand.swapaxes,
    np.transpose: Operand.transpose,
    np.var: Operand.var,
    np.where: _where,
} | {
    function: _like(function)
    for function in (
        *(np.allclose, np.argmax, np.argmin, np.argsort, np.array_equal, np.full_like),
        *(np.isclose, np.ndim, np.ones_like, np.shape, np.size, np.zeros_like),
    )
}
"""NumPy's other functions, and what they are here."""

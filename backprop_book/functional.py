"""Functions that turn a function into its derivative. Written in chapter 19."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backprop_book.checks import values
from backprop_book.dual import jvp
from backprop_book.input_checks import of_a_function
from backprop_book.nested import argument_numbers, floating, floating_like, mapped, one_array
from backprop_book.operands import new_level
from backprop_book.rules import callback
from backprop_book.tensor import Node, Tensor, made, recording, sweep


@of_a_function
def vjp(f: Callable[..., Any], *inputs: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return f(*inputs) and its `backward`: by machine, what the book so far writes by hand.

    inputs are numbers, arrays or dicts of arrays; f may use NumPy, `apply` and the operators of
    arrays, and returns one array. `backward(doutput)` returns the gradients, shaped like the
    inputs, one alone or a tuple of several, and may be called more than once: reverse mode.

    Raises TypeError for inputs that are no floats or an output that is no array, and as f does.

    >>> output, backward = vjp(np.sin, 0.0)
    >>> float(backward(1.0))
    1.0
    """
    level = new_level()
    given = [floating(f"inputs[{i}]", x) for i, x in enumerate(inputs)]
    leaves = [mapped(lambda x: made(x, Node(), level), x) for x in given]
    with recording(True):
        output = f(*leaves)
    mine = isinstance(output, Tensor) and output.level == level
    value, node = (output.value, output.node) if mine else (one_array("f", output), None)

    def backward(doutput: Any) -> Any:
        doutput = floating_like("doutput", doutput, "the output", value)
        found = sweep(node, doutput) if node else {}
        gradients = mapped_all(lambda leaf: gradient_of(leaf, found), leaves)
        return gradients if len(inputs) > 1 else gradients[0]

    return value, backward


def gradient_of(leaf: Tensor, found: dict[Any, Any]) -> Any:
    """Return the gradient that reached a leaf, or zeros if none did.

    >>> gradient_of(made(np.ones(2), Node(), 1), {})
    array([0., 0.])
    """
    return found[leaf.node] if leaf.node in found else np.zeros_like(leaf)


def mapped_all(function: Callable[[Any], Any], inputs: Sequence[Any]) -> tuple[Any, ...]:
    """Apply a function to every array among inputs that are arrays or dicts of arrays.

    >>> mapped_all(np.negative, [np.ones(2), {"w": np.ones(1)}])
    (array([-1., -1.]), {'w': array([-1.])})
    """
    return tuple(mapped(function, x) for x in inputs)


@values(f=callback, argnums=argument_numbers)
def value_and_grad(f: Callable[..., Any], argnums: Any = 0) -> Callable[..., tuple[Any, Any]]:
    """Return a function that gives f's output, one number, and its gradient in one sweep.

    argnums says with respect to which argument, or a tuple of several: then the gradients come in a
    tuple. Each is shaped like its argument, a number, an array or a dict of arrays. The other
    arguments may be anything.

    Raises TypeError if f is no function or argnums no whole numbers. What comes back raises
    ValueError if f does not return one number, TypeError if an argument that argnums asks for is
    not given by position, and as `vjp` does.

    >>> value, gradient = value_and_grad(lambda w, x: ((w * x) ** 2).sum())(np.ones(2), np.ones(2))
    >>> float(value), gradient
    (2.0, array([2., 2.]))
    """
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)

    def run(*inputs: Any, **options: Any) -> tuple[Any, Any]:
        def of_some(*chosen: Any) -> Any:
            places = dict(zip(numbers, chosen, strict=True))
            return f(*(places.get(i, x) for i, x in enumerate(inputs)), **options)

        if max(numbers) >= len(inputs):
            raise TypeError(f"argnums is {argnums}; positional arguments given: {len(inputs)}")
        value, backward = vjp(of_some, *(inputs[i] for i in numbers))
        if value.shape != ():
            raise ValueError(f"f returned an array of shape {value.shape}; it should be one number")
        gradients = backward(1.0)
        return value, (gradients,) if argnums == numbers[:1] else gradients

    return run


@values(f=callback, argnums=argument_numbers)
def grad(f: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """Return the function that gives the gradient of f, which returns one number.

    As `value_and_grad`, without the value. It can be taken again: `grad(grad(f))`.

    Raises as `value_and_grad` does.

    >>> float(grad(grad(lambda x: x**3))(2.0))
    12.0
    """
    both = value_and_grad(f, argnums)
    return lambda *inputs, **options: both(*inputs, **options)[1]


@values(f=callback)
def jacobian(f: Callable[..., Any], forward: bool = False) -> Callable[[Any], Any]:
    """Return the function that gives the Jacobian of f, a function of one array or dict.

    Its shape is that of the output and then that of the input; for a dict it is a dict of those. It
    is built row by row, one sweep of `vjp` for each entry of the output, or, if `forward` is true,
    column by column, one run of `jvp` for each entry of the input. The numbers are the same;
    forward, the output may be a dict too.

    Raises TypeError if f is no function; what comes back raises as `vjp` or `jvp` does.

    >>> jacobian(lambda x: x**2)(np.array([1.0, 3.0]))
    array([[2., 0.],
           [0., 6.]])
    """
    build = jacobian_columns if forward else jacobian_rows
    return lambda x: build(f, x)


def jacobian_rows(f: Callable[..., Any], x: Any) -> Any:
    """Return the Jacobian of f at x, one gradient for each entry of the output.

    >>> jacobian_rows(np.cumsum, np.ones(2))
    array([[1., 0.],
           [1., 1.]])
    """
    output, backward = vjp(f, x)
    gradients = [backward(direction) for direction in unit_directions(output)]
    return mapped(lambda *each: np.stack(each).reshape((*output.shape, *each[0].shape)), *gradients)


def jacobian_columns(f: Callable[..., Any], x: Any) -> Any:
    """Return the Jacobian of f at x, one tangent for each entry of the input.

    >>> jacobian_columns(np.cumsum, np.ones(2))
    array([[1., 0.],
           [1., 1.]])
    """
    if isinstance(x, dict):
        parts = [jacobian_columns(lambda part, k=k: f(x | {k: part}), x[k]) for k in x]
        return mapped(lambda _, *each: dict(zip(x, each, strict=True)), f(x), *parts)
    x = floating("x", x)
    tangents = [jvp(f, [x], [direction])[1] for direction in unit_directions(x)]
    return mapped(lambda *each: np.stack(each, -1).reshape((*each[0].shape, *x.shape)), *tangents)


def unit_directions(x: Any) -> Any:
    """Return, for each entry of an array, an array of its shape that is 1 there and 0 elsewhere.

    >>> unit_directions(np.zeros((1, 2)))
    array([[[1., 0.]],
    <BLANKLINE>
           [[0., 1.]]])
    """
    return np.eye(x.size, dtype=x.dtype).reshape(x.size, *x.shape)

"""From a function and its backward to its tangents. Written in chapter 16."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from backprop_book.kinds import ELEMENTWISE, LINEAR, MULTILINEAR, SELECTING
from backprop_book.operations import reduce_sum

Pushed: TypeAlias = tuple[Any, Any]


def is_floats(x: Any) -> bool:
    """Tell whether an input is an array of floats, which may move, or some other argument.

    >>> is_floats(np.ones(2)), is_floats(np.arange(2)), is_floats("ij->i")
    (True, False, False)
    """
    return getattr(getattr(x, "dtype", None), "kind", "") == "f"


def moved_by(x: Any, tangent: Any) -> Any:
    """Return a tangent, or for an array that stays the tangent 0.

    >>> moved_by(np.ones(2), None)
    array([0., 0.])
    """
    return np.zeros_like(x) if tangent is None else tangent


def push_linear(function: Callable[..., Any], inputs: Any, tangents: Any) -> Pushed:
    """Apply the function to the tangents, with zeros for the arrays that stay.

    >>> push_linear(reduce_sum, [np.ones((2, 2)), 1], [np.array([[1.0, 2.0], [3.0, 4.0]]), None])
    (array([2., 2.]), array([3., 7.]))
    """
    pairs = zip(inputs, tangents, strict=True)
    moves = [moved_by(x, tangent) if is_floats(x) else x for x, tangent in pairs]
    return function(*inputs)[0], function(*moves)[0]


def push_products(function: Callable[..., Any], inputs: Any, tangents: Any) -> Pushed:
    """Apply the function once for each tangent, in the place of its input, and add up.

    >>> from backprop_book import multiply
    >>> push_products(multiply, [np.ones(1), np.array([2.0])], [np.ones(1), np.array([0.5])])
    (array([2.]), array([2.5]))
    """
    output = function(*inputs)[0]
    moved = np.zeros_like(output)
    for i, tangent in enumerate(tangents):
        if tangent is not None:
            moved = moved + function(*inputs[:i], tangent, *inputs[i + 1 :])[0]
    return output, moved


def push_elementwise(function: Callable[..., Any], inputs: Any, tangents: Any) -> Pushed:
    """Send each tangent through `backward`, whose Jacobians are diagonal, and add up.

    >>> from backprop_book import divide
    >>> push_elementwise(divide, [np.ones(1), np.array([1.0, 2.0])], [np.ones(1), None])
    (array([1. , 0.5]), array([1. , 0.5]))
    """
    shape = np.broadcast_shapes(*(x.shape for x in inputs if is_floats(x)))
    output, backward = function(*(np.broadcast_to(x, shape) if is_floats(x) else x for x in inputs))
    moved = np.zeros_like(output)
    for i, tangent in enumerate(tangents):
        if tangent is not None:
            gradients = backward(np.broadcast_to(tangent, shape))
            moved = moved + (gradients[i] if isinstance(gradients, tuple) else gradients)
    return output, moved


def push_selecting(function: Any, inputs: Any, tangents: Any) -> Pushed:
    """Weigh the tangent by the share that each entry has in the output, and sum.

    >>> from backprop_book import reduce_max
    >>> push_selecting(partial(reduce_max, axis=0), [np.array([1.0, 3.0])], [np.array([5.0, 7.0])])
    (array(3.), array(7.))
    """
    output, backward = function(*inputs)
    shares = backward(np.ones_like(output))
    moves = shares * moved_by(inputs[0], tangents[0])
    return output, reduce_sum(moves, *inputs[1:], **function.keywords)[0]


PUSHES = {
    **dict.fromkeys(LINEAR, push_linear),
    **dict.fromkeys(MULTILINEAR, push_products),
    **dict.fromkeys(ELEMENTWISE, push_elementwise),
    **dict.fromkeys(SELECTING, push_selecting),
}


def push_forward(
    function: Callable[..., Any], inputs: Sequence[Any], tangents: Sequence[Any], **options: Any
) -> Pushed:
    """Return a function's output, and how it moves when its inputs move along tangents.

    tangents has an array shaped like the input for each input that moves, and None for the rest.
    What comes back is the Jacobian-vector product, with no Jacobian: a linear function is its own
    derivative; a product has a term for each factor that moves; where the Jacobian is diagonal it
    is its own transpose, so that `backward` will do (Griewank and Walther, Evaluating Derivatives,
    2nd edition, 2008, chapter 3).

    Raises KeyError for a function that is none of these kinds.

    >>> from backprop_book import multiply
    >>> push_forward(multiply, [np.array([2.0]), np.array([3.0])], [np.array([1.0]), None])
    (array([6.]), array([3.]))
    """
    return PUSHES[function](partial(function, **options), inputs, tangents)

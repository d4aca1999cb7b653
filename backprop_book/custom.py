"""Gradients that are not the derivative, on purpose. Written in chapter 21."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from backprop_book.arrays import a_kind, is_real
from backprop_book.checks import values
from backprop_book.dual import Dual
from backprop_book.nested import WANTED, mapped
from backprop_book.operands import Operand, apply, highest, plain
from backprop_book.rules import callback
from backprop_book.tensor import Tensor

FORWARD = "{} has a backward of its own, which jvp cannot use; take its derivative with vjp or grad"
UNSEEN = (
    "{} was given a tensor by name, or inside a dict, a list or a tuple, where its backward would "
    "not be used; give the arrays one by one, by their places"
)


def constant(x: Any) -> Any:
    """Return a number or an array as it is, and an operand without its derivative.

    >>> constant([1.0])
    Traceback (most recent call last):
    TypeError: x is a list; it should be a number, an array of floats or a dict of arrays
    """
    if isinstance(x, Operand):
        return x.detach()
    if not is_real(x) and not isinstance(x, np.ndarray | np.generic):
        raise TypeError(f"x is {a_kind(x)}; {WANTED}")
    return x


def stop_gradient(x: Any) -> Any:
    """Return x, an array or a dict of arrays, as a constant: its derivative is 0 here.

    It is a constant to every derivative that is being taken, of any order and in either mode.

    Raises TypeError for anything else, such as a list of arrays, which would go on unstopped.

    >>> from backprop_book import grad
    >>> float(grad(lambda x: x * stop_gradient(x**2))(3.0))
    9.0
    """
    return mapped(constant, x)


def holds_operand(value: Any) -> bool:
    """Tell whether a value is an operand, or has one somewhere inside.

    >>> holds_operand([{"w": np.ones(2)}]), holds_operand([{"w": Tensor([1.0])}])
    (False, True)
    """
    if isinstance(value, dict | list | tuple):
        return any(map(holds_operand, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Operand)


@values(function=callback)
def custom_vjp(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn a function that returns (output, backward) into one that returns the output.

    A derivative taken of what it is used in goes through that `backward`, whatever the output would
    say. The inputs that are arrays come first among those that `backward` has gradients for. A
    second derivative in reverse goes through it for the output, and through the arithmetic of
    `backward` for the gradient.

    Raises TypeError if function is none. What comes back raises TypeError in forward mode, which
    has no use for a `backward`, and for a tensor that is given by name or inside a dict, a list or
    a tuple.

    >>> from backprop_book import grad
    >>> clipped = custom_vjp(lambda x: (x, lambda doutput: np.clip(doutput, -1.0, 1.0)))
    >>> float(grad(lambda x: 5 * clipped(x))(2.0))
    1.0
    """

    @wraps(function)
    def rule(*inputs: Any, **options: Any) -> Any:
        output, backward = function(*inputs, **options)
        lower = isinstance(highest(inputs), Tensor)
        return called(*inputs, **options) if lower else output, backward

    @wraps(function)
    def called(*inputs: Any, **options: Any) -> Any:
        if isinstance(highest(inputs), Dual):
            raise TypeError(FORWARD.format(called.__name__))
        if holds_operand([options, *(x for x in inputs if not isinstance(x, Operand))]):
            raise TypeError(UNSEEN.format(called.__name__))
        return apply(rule, *inputs, **options)

    return called


@values(f=callback)
def straight_through(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return f for the way forward, the identity for the way back (Bengio et al., arXiv:1308.3432).

    f takes an array of finite numbers and returns one of its shape; its derivative is not asked
    for. It works in both modes, and for derivatives of any order.

    Raises TypeError if f is no function; what comes back raises ValueError if f returns another
    shape.

    >>> from backprop_book import grad
    >>> float(grad(lambda x: straight_through(np.round)(x) ** 2)(2.6))
    6.0
    """

    def straight(x: Any) -> Any:
        output, shape = f(plain(x)), np.shape(plain(x))
        if np.shape(output) != shape:
            raise ValueError(f"f returned the shape {np.shape(output)}; it should be {shape}")
        return output + (x - stop_gradient(x))

    return straight

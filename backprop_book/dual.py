"""Dual numbers, which carry a derivative forward. Written in chapter 17."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backprop_book.checks import values
from backprop_book.nested import float_inputs, floating, like_inputs, mapped
from backprop_book.operands import Operand, new_level, plain
from backprop_book.pushforward import PUSHES, push_forward
from backprop_book.rules import callback


class Dual(Operand):
    """An array, and a tangent: by how much it moves when the input of the derivative does.

    Each derivative that is being taken has a level of its own, and takes a dual number of a lower
    level for a constant, so that it does not mistake another's tangent for its own (Siskind and
    Pearlmutter, IFL 2005).

    >>> x = Dual(np.array(3.0), np.array(1.0), level=1)
    >>> x * x
    Dual(9.0, tangent=6.0)
    """

    __slots__ = ("level", "tangent", "value")

    def __init__(self, value: Any, tangent: Any, level: int) -> None:
        """Pair an array with a tangent of its shape, at a level."""
        self.value, self.tangent, self.level = value, tangent, level

    def __repr__(self) -> str:
        return f"Dual({self.value}, tangent={self.tangent})"

    def carry(self, function: Callable[..., Any], inputs: Any, options: Any) -> Any:
        """Push this level's tangents through a function; run one of no kind as it is written.

        >>> from backprop_book import multiply
        >>> x = Dual(np.array(3.0), np.array(1.0), level=1)
        >>> x.carry(multiply, [x, np.array(2.0)], {})
        Dual(6.0, tangent=2.0)
        """
        if function not in PUSHES:
            return function(*inputs, **options)[0]
        values, tangents = zip(*(split(x, self.level) for x in inputs), strict=True)
        return Dual(*push_forward(function, values, tangents, **options), self.level)

    def become(self, other: Any) -> None:
        """Take another's value and tangent.

        >>> x = Dual(np.zeros(2), np.zeros(2), level=1)
        >>> x.become(Dual(np.ones(2), np.ones(2), level=1))
        >>> x
        Dual([1. 1.], tangent=[1. 1.])
        """
        self.value, self.tangent, self.level = other.value, other.tangent, other.level

    def detach(self) -> Dual:
        """Return the same with a tangent of 0.

        >>> Dual(np.array(3.0), np.array(1.0), level=1).detach()
        Dual(3.0, tangent=0.0)
        """
        return Dual(plain(self), np.zeros_like(plain(self)), self.level)


def split(x: Any, level: int, still: Any = None) -> tuple[Any, Any]:
    """Return the value and the tangent of a dual number of a level; of others, x and `still`.

    >>> split(Dual(np.array(3.0), np.array(1.0), level=1), 1)
    (array(3.), array(1.))
    """
    mine = isinstance(x, Dual) and x.level == level
    return (x.value, x.tangent) if mine else (x, still)


@values(f=callback, inputs=float_inputs, tangents=like_inputs("inputs"))
def jvp(f: Callable[..., Any], inputs: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return f(*inputs), and how it moves when the inputs move along tangents: forward mode.

    inputs are numbers, arrays or dicts of arrays, and tangents is like them. f may use NumPy,
    `apply` and the operators of arrays. Both results have the shape of f's output, an array or a
    dict. It costs a small multiple of f, whatever the number of inputs, and gives one
    Jacobian-vector product (Wengert, Communications of the ACM 7, 1964, 463-464).

    Raises TypeError or ValueError for tangents that are not like the inputs, TypeError if f returns
    anything else, and as f does.

    >>> jvp(lambda x: x**2, [np.array([3.0])], [np.array([1.0])])
    (array([9.]), array([6.]))
    """
    level = new_level()
    duals = [
        mapped(lambda x, tangent: Dual(x, tangent, level), *pair)
        for pair in zip(inputs, tangents, strict=True)
    ]
    output = f(*duals)
    value = floating("f's output", mapped(lambda y: split(y, level)[0], output))
    still = mapped(np.zeros_like, value)
    return value, mapped(lambda y, zeros: split(y, level, zeros)[1], output, still)

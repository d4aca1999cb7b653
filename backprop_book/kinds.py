"""Which functions are linear, which work entry by entry: all that forward mode has to know of them.

A function that is in none of these sets is made of others, and is run on dual numbers as it stands.
"""

from collections.abc import Callable
from typing import Any

from backprop_book import activations, elementwise, operations, primitives

Functions = dict[Callable[..., Any], None]  # a set that keeps its order

ELEMENTWISE: Functions = dict.fromkeys(
    [
        activations.leaky_relu,
        activations.relu,
        activations.sigmoid,
        activations.softplus,
        activations.tanh,
        elementwise.absolute,
        elementwise.cos,
        elementwise.divide,
        elementwise.exp,
        elementwise.log,
        elementwise.maximum,
        elementwise.minimum,
        elementwise.power,
        elementwise.sin,
        elementwise.sqrt,
        primitives.arctan,
        primitives.clip,
        primitives.cosh,
        primitives.exponentiate,
        primitives.expm1,
        primitives.log1p,
        primitives.logaddexp,
        primitives.sinh,
        primitives.square,
        primitives.tail,
    ]
)
"""An entry of the output depends on one entry of each input: the Jacobian is diagonal."""

LINEAR: Functions = dict.fromkeys(
    [
        activations.identity,
        elementwise.negative,
        elementwise.subtract,
        operations.add,
        operations.getitem,
        operations.reduce_mean,
        operations.reduce_sum,
        operations.reshape,
        operations.scatter_add,
        operations.transpose,
        primitives.broadcast_to,
        primitives.cast,
        primitives.concatenate,
        primitives.cumsum,
        primitives.where,
    ]
)
"""Linear in all inputs together: the function is its own derivative."""

MULTILINEAR: Functions = dict.fromkeys([operations.matmul, operations.multiply, primitives.einsum])
"""Linear in each input while the others stay: the product rule."""

SELECTING: Functions = dict.fromkeys([operations.reduce_max, primitives.reduce_min])
"""An output is one of the inputs, or a mean of several that are equal."""

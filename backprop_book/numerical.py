"""Derivatives by nudging. Written in chapter 2."""

from collections.abc import Callable

import numpy as np

from backprop_book.arrays import Array
from backprop_book.checks import values
from backprop_book.rules import doubles, positive, scalar_function


@values(f=scalar_function, x=doubles, h=positive)
def numerical_gradient(f: Callable[[Array], float], x: Array, h: float = 1e-5) -> Array:
    """Return the gradient of f at x, entry by entry, from two-sided differences.

    f takes an array shaped like x and returns one number; the result has the shape of x. It costs
    two calls of f for every entry. The error falls with h squared until rounding, which grows as
    1/h, takes over (Nocedal and Wright, Numerical Optimization, 2006, section 8.1).

    Raises TypeError if x is not an array of float64, ValueError if h is not positive or f returns
    more than one number.

    >>> numerical_gradient(lambda x: (x**2).sum(), np.array([1.0, -3.0])).round(6)
    array([ 2., -6.])
    """
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        nudge = np.zeros_like(x)
        nudge[i] = h
        gradient[i] = (f(x + nudge) - f(x - nudge)) / (2 * h)
    return gradient

"""Second derivatives, whole and one direction at a time. Written in chapter 22."""

from collections.abc import Callable
from typing import Any

from backprop_book.checks import values
from backprop_book.dual import jvp
from backprop_book.functional import grad, jacobian
from backprop_book.nested import float_input, like_input
from backprop_book.rules import callback


@values(f=callback, x=float_input, v=like_input("x"))
def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """Return the Hessian of f at x times v, without the Hessian: forward over reverse.

    f returns one number; x is a number, an array or a dict of arrays, and v and the result are like
    it. It costs a small multiple of a gradient, whatever the number of entries (Pearlmutter, Neural
    Computation 6, 1994, 147-160).

    Raises TypeError or ValueError if v is not like x, and as `grad` does.

    >>> hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([6., 0.])
    """
    return jvp(grad(f), [x], [v])[1]


@values(f=callback)
def hessian(f: Callable[..., Any]) -> Callable[[Any], Any]:
    """Return the function that gives the Hessian of f, whose output is one number.

    For an array its shape is that of the array twice; for a dict it is a dict of dicts. It costs
    a Hessian-vector product for each entry.

    Raises TypeError if f is no function, and the function that comes back as `grad` does.

    >>> hessian(lambda x: x[0] * x[1])(np.array([3.0, 5.0]))
    array([[0., 1.],
           [1., 0.]])
    """
    return jacobian(grad(f), forward=True)

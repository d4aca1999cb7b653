"""Functions in a chain, and their backwards in the chain reversed. Written in chapter 6."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from backprop_book.checks import values
from backprop_book.rules import callbacks

Differentiable: TypeAlias = Callable[[Any], tuple[Any, Callable[[Any], Any]]]


@values(functions=callbacks)
def compose(functions: Sequence[Differentiable]) -> Differentiable:
    """Return the function that applies the given ones in turn.

    Each takes one array and returns (output, backward), and so does the result; its `backward`
    takes an array shaped like the output and returns one shaped like the input. It runs the
    derivatives' products from the output to the input, which is reverse accumulation (Griewank and
    Walther, Evaluating Derivatives, 2nd edition, 2008, section 3.2).

    Raises TypeError for what cannot be called, ValueError if there is no function.

    >>> double = lambda x: (2 * x, lambda dy: 2 * dy)
    >>> square = lambda x: (x**2, lambda dy: 2 * x * dy)
    >>> output, backward = compose([double, square])(3.0)
    >>> output, backward(1.0)
    (36.0, 24.0)
    """

    def composed(x: Any) -> tuple[Any, Callable[[Any], Any]]:
        backwards = []
        for function in functions:
            x, backward = function(x)
            backwards.append(backward)

        def composed_backward(doutput: Any) -> Any:
            for backward in reversed(backwards):
                doutput = backward(doutput)
            return doutput

        return x, composed_backward

    return composed

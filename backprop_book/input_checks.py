"""A check for functions of another function and its inputs, of which there may be any number."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from backprop_book.rules import Rule, callback, nudgeable, scalar_function

P = ParamSpec("P")
R = TypeVar("R")


def nudging(**rules: Rule) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Hold f to return one number, its inputs to be arrays or dicts of arrays, the rest to rules.

    >>> @nudging()
    ... def twice(f, *inputs):
    ...     return 2 * f(*inputs)
    >>> twice(np.sum, [1.0])
    Traceback (most recent call last):
    TypeError: inputs[0] is a list; it should be a NumPy array of floats
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def wrapper(f: Any, *inputs: Any, **options: Any) -> R:
            nudgeable("inputs", inputs, {})
            for name in options.keys() & rules.keys():
                options[name] = rules[name](name, options[name], options)
            ready: Callable[..., R] = function
            return ready(scalar_function("f", f, {}), *inputs, **options)

        return cast(Callable[P, R], wrapper)

    return decorate


def of_a_function(function: Callable[P, R]) -> Callable[P, R]:
    """Hold a function's first argument, f, to be a function; the others may be anything.

    >>> call = of_a_function(lambda f, *inputs: f(*inputs))
    >>> call(1, 2)
    Traceback (most recent call last):
    TypeError: f is an int; it should be a function
    """

    @wraps(function)
    def wrapper(f: Any, *inputs: Any) -> R:
        ready: Callable[..., R] = function
        return ready(callback("f", f, {}), *inputs)

    return cast(Callable[P, R], wrapper)

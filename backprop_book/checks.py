"""Checks of arguments, as decorators, so that a function's body is its mathematics and no more.

`shapes` reads a signature in NumPy's gufunc notation and holds arrays to it; `values` holds the
other arguments to rules. Both raise before anything is computed: TypeError for what is not an array
of floats, ValueError for a shape or a value that does not fit.
"""

import math
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Signature, signature
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Rule = Callable[[str, Any, Mapping[str, Any]], Any]
P = ParamSpec("P")
R = TypeVar("R")


def shapes(notation: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Hold a differentiable function's arrays, and what its `backward` is given, to a notation.

    In `(n,d),(d,h),(h)->(n,h)` a letter stands for one length throughout; `h?` may be absent. The
    arrays are of floats, all of one dtype, none of them empty.

    >>> @shapes("(n),(n)->()")
    ... def dot(a, b):
    ...     return a @ b, lambda dproduct: (dproduct * b, dproduct * a)
    >>> dot(np.ones(3), np.ones(2))
    Traceback (most recent call last):
    ValueError: b has shape (2,); it should be (n) with n = 3
    """
    wanted = _parse(notation.split("->")[0])

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        told = signature(function)
        names = list(told.parameters)[: len(wanted)]

        @wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            given = told.bind(*args, **kwargs).args if kwargs else args
            _check_arrays(names, given, wanted)
            result: Any = function(*args, **kwargs)
            output, backward = result
            return cast(R, (output, _checked_backward(output, backward)))

        return wrapper

    return decorate


def values(**rules: Rule) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Hold each argument that is named to its rule, which returns the value to go on with.

    >>> @values(learning_rate=positive)
    ... def step(x, learning_rate):
    ...     return x - learning_rate
    >>> step(1.0, learning_rate=float("nan"))
    Traceback (most recent call last):
    ValueError: learning_rate is nan; it should be a positive finite number
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        told = signature(function)

        @wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            bound = _bind(told, args, kwargs)
            for name, rule in rules.items():
                bound.arguments[name] = rule(name, bound.arguments[name], bound.arguments)
            return function(*bound.args, **bound.kwargs)

        return wrapper

    return decorate


def positive(name: str, value: Any, _: Mapping[str, Any]) -> float:
    """Rule: a positive finite number."""
    if not _is_real(value) or not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value!r}; it should be a positive finite number")
    return float(value)


def count(name: str, value: Any, _: Mapping[str, Any]) -> int:
    """Rule: a whole number, 1 or more."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} is {value!r}; it should be a whole number, 1 or more")
    return int(value)


def generator(name: str, value: Any, _: Mapping[str, Any]) -> np.random.Generator:
    """Rule: a NumPy random generator."""
    if not isinstance(value, np.random.Generator):
        message = f"{name} is {value!r}; it should be a generator: np.random.default_rng(seed)"
        raise TypeError(message)
    return value


def optional(rule: Rule) -> Rule:
    """Return a rule that lets None pass."""
    return lambda name, value, others: None if value is None else rule(name, value, others)


def floats(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: an array of floats with something in it."""
    _check_floats(name, value)
    return value


def doubles(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: an array of float64; differences of nearby values are noise in anything shorter."""
    _check_floats(name, value)
    if value.dtype != np.float64:
        raise TypeError(f"{name} has dtype {value.dtype}; it should be float64")
    return value


def symmetric(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: a symmetric matrix that is not all zeros."""
    _check_floats(name, value)
    if value.ndim != 2 or value.shape[0] != value.shape[1]:
        raise ValueError(f"{name} has shape {value.shape}; it should be square, (d, d)")
    if not np.allclose(value, value.T) or not value.any():
        raise ValueError(f"{name} should be symmetric and not all zeros")
    return value


def as_many_as(other: str) -> Rule:
    """Return a rule: an array with as many examples (rows) as another argument has."""

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> Any:
        _check_floats(name, value)
        wanted = len(others[other])
        if value.ndim == 0 or len(value) != wanted:
            message = f"{name} has shape {value.shape}; it should have the {wanted} rows of {other}"
            raise ValueError(message)
        return value

    return rule


def examples(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: an array of floats whose rows are examples."""
    _check_floats(name, value)
    if value.ndim == 0:
        raise ValueError(f"{name} has shape (); it should have one row for each example")
    return value


def parameters(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: a dict of arrays of floats, by name."""
    if not isinstance(value, dict) or not value:
        raise TypeError(f"{name} is {value!r}; it should be a dict of arrays by name")
    for key, array in value.items():
        _check_floats(f"{name}[{key!r}]", array)
    return value


def like(other: str) -> Rule:
    """Return a rule: a dict with the keys of another argument, and arrays of the same shapes."""

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> Any:
        parameters(name, value, others)
        wanted = others[other]
        if value.keys() != wanted.keys():
            message = f"{name} has the keys {sorted(value)}; it should have those of {other}, "
            raise ValueError(message + f"{sorted(wanted)}")
        for key, array in value.items():
            _check_same_shape(f"{name}[{key!r}]", array, wanted[key])
        return value

    return rule


def _parse(notation: str) -> list[list[str]]:
    return [part.strip("() ").split(",") for part in notation.split("),")]


def _bind(told: Signature, args: Any, kwargs: Any) -> Any:
    bound = told.bind(*args, **kwargs)
    bound.apply_defaults()
    return bound


def _check_arrays(names: list[str], given: tuple[Any, ...], wanted: list[list[str]]) -> None:
    lengths: dict[str, int] = {}
    for name, array, letters in zip(names, given, wanted, strict=False):
        _check_floats(name, array)
        if array.dtype != given[0].dtype:
            wanted_dtype = f"it should be {given[0].dtype}, as {names[0]} is"
            raise TypeError(f"{name} has dtype {array.dtype}; {wanted_dtype}")
        if not _fits(array.shape, letters, lengths):
            raise ValueError(f"{name} has shape {array.shape}; {_should_be(letters, lengths)}")


def _fits(shape: tuple[int, ...], letters: list[str], lengths: dict[str, int]) -> bool:
    """Tell whether a shape fits, and note the lengths that it settles (0: the axis is absent)."""
    needed = [letter for letter in letters if letter and not letter.endswith("?")]
    if not len(needed) <= len(shape) <= len([letter for letter in letters if letter]):
        return False
    padded = (*shape, *[0] * (len(letters) - len(shape)))
    pairs = zip(letters, padded, strict=True) if letters != [""] else ()
    return all(lengths.setdefault(letter, length) == length for letter, length in pairs)


def _should_be(letters: list[str], lengths: dict[str, int]) -> str:
    present = [letter for letter in letters if lengths.get(letter) != 0]
    settled = [f"{k.strip('?')} = {lengths[k]}" for k in present if k in lengths]
    known = f" with {', '.join(settled)}" if settled else ""
    return f"it should be ({', '.join(present)}){known}"


def _check_floats(name: str, value: Any) -> None:
    if not (hasattr(value, "shape") and hasattr(value, "dtype")):
        kind = type(value).__name__
        raise TypeError(f"{name} is a {kind}; it should be a NumPy array of floats")
    if not np.issubdtype(value.dtype, np.floating):
        raise TypeError(f"{name} has dtype {value.dtype}; it should be floats, as float64")
    if 0 in value.shape:
        raise ValueError(f"{name} has shape {value.shape}; it should not be empty")


def _check_same_shape(name: str, value: Any, wanted: Any) -> None:
    if value.shape != wanted.shape:
        raise ValueError(f"{name} has shape {value.shape}; it should be {wanted.shape}")


def _checked_backward(output: Any, backward: Callable[[Any], R]) -> Callable[[Any], R]:
    """Hold what `backward` is given to the output's shape; a plain number will do for a scalar."""

    @wraps(backward)
    def wrapper(doutput: Any) -> R:
        if not (isinstance(doutput, int | float) and output.shape == ()):
            _check_floats("doutput", doutput)
            _check_same_shape("doutput", doutput, output)
        return backward(doutput)

    return wrapper


def _is_real(value: Any) -> bool:
    return isinstance(value, int | float | np.floating | np.integer) and not isinstance(value, bool)

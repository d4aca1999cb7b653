"""Arrays and dicts of arrays, taken alike: what the derivatives of functions of either need."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from backprop_book.arrays import a_kind, check_floats, check_like, is_real
from backprop_book.pushforward import is_floats
from backprop_book.rules import Rule

WANTED = "it should be a number, an array of floats or a dict of arrays"


def mapped(function: Callable[..., Any], value: Any, *others: Any) -> Any:
    """Apply a function to an array, or to each array of a dict, with those that others have there.

    >>> mapped(np.add, {"w": np.ones(2)}, {"w": np.ones(2)})
    {'w': array([2., 2.])}
    """
    if isinstance(value, dict):
        return {key: mapped(function, value[key], *(o[key] for o in others)) for key in value}
    return function(value, *others)


def floating(name: str, value: Any) -> Any:
    """Return a value with its numbers made into arrays, if it is one that a derivative can be of.

    >>> floating("x", "a")
    Traceback (most recent call last):
    TypeError: x is a str; it should be a number, an array of floats or a dict of arrays
    """
    if isinstance(value, dict):
        return {key: floating(f"{name}[{key!r}]", each) for key, each in value.items()}
    if is_real(value) and not isinstance(value, np.floating):
        return np.asarray(value, float)
    if not hasattr(value, "dtype"):
        raise TypeError(f"{name} is {a_kind(value)}; {WANTED}")
    check_floats(name, value)
    return value


def floating_like(name: str, value: Any, other: str, model: Any) -> Any:
    """Return a value as `floating` does, if it has the keys, dtypes and shapes of another.

    >>> floating_like("v", np.ones(2), "x", np.ones(3))
    Traceback (most recent call last):
    ValueError: v has shape (2,); it should be (3,), as x is
    """
    if isinstance(model, dict):
        if not isinstance(value, dict) or value.keys() != model.keys():
            told = list(value) if isinstance(value, dict) else a_kind(value)
            raise ValueError(f"{name} is {told}; it should be a dict with the keys {list(model)}")
        each = ((f"{name}[{k!r}]", value[k], f"{other}[{k!r}]", model[k]) for k in model)
        return dict(zip(model, (floating_like(*told) for told in each), strict=True))
    if is_real(value) and model.shape == ():
        return np.asarray(value, model.dtype)
    check_like(name, value, other, model)
    return value


def float_input(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: a number, an array of floats or a dict of arrays.

    >>> float_input("x", 2, {})
    array(2.)
    """
    return floating(name, value)


def like_input(other: str) -> Rule:
    """Return a rule: what has the keys, dtypes and shapes of another argument.

    >>> like_input("x")("v", np.ones(2), {"x": np.ones(3)})
    Traceback (most recent call last):
    ValueError: v has shape (2,); it should be (3,), as x is
    """
    return lambda name, value, others: floating_like(name, value, other, others[other])


def float_inputs(name: str, value: Any, _: Mapping[str, Any]) -> list[Any]:
    """Rule: a list or tuple of what a derivative can be taken of, one or more.

    >>> float_inputs("inputs", np.ones(2), {})
    Traceback (most recent call last):
    TypeError: inputs is an array; it should be a list or tuple, one entry for each argument of f
    """
    if not isinstance(value, list | tuple) or not value:
        told = f"{name} is {'empty' if isinstance(value, list | tuple) else a_kind(value)}"
        raise TypeError(f"{told}; it should be a list or tuple, one entry for each argument of f")
    return [floating(f"{name}[{i}]", each) for i, each in enumerate(value)]


def like_inputs(other: str) -> Rule:
    """Return a rule: as many as another argument holds, each with its shape and dtype.

    >>> like_inputs("inputs")("tangents", [], {"inputs": [np.ones(2)]})
    Traceback (most recent call last):
    ValueError: tangents has 0 entries; it should have 1, as inputs does
    """

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> list[Any]:
        models = others[other]
        if len(value) != len(models):
            told = f"{name} has {len(value)} entries"
            raise ValueError(f"{told}; it should have {len(models)}, as {other} does")
        pairs = enumerate(zip(value, models, strict=True))
        return [floating_like(f"{name}[{i}]", v, f"{other}[{i}]", m) for i, (v, m) in pairs]

    return rule


def one_array(name: str, value: Any) -> Any:
    """Return what a function returned as an array, if it is a number or an array of floats.

    >>> one_array("f", (1.0, 2.0))
    Traceback (most recent call last):
    TypeError: f returned a tuple; it should return one number or array of floats
    """
    if is_real(value) and not isinstance(value, np.floating):
        value = np.asarray(value, float)
    if not is_floats(value):
        raise TypeError(
            f"{name} returned {a_kind(value)}; it should return one number or array of floats"
        )
    return value


def argument_numbers(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: the number of an argument, counted from 0, or a tuple of several.

    >>> argument_numbers("argnums", "w", {})
    Traceback (most recent call last):
    TypeError: argnums is 'w'; it should be a whole number or a tuple of several
    """
    several = value if isinstance(value, tuple) and value else (value,)
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in several):
        raise TypeError(f"{name} is {value!r}; it should be a whole number or a tuple of several")
    if len(set(several)) < len(several):
        raise ValueError(f"{name} is {value!r}; it should name each argument once")
    return value

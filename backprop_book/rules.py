"""Rules for arguments: each takes a name, a value and the other arguments, by name.

A rule returns the value to go on with, or raises: TypeError for a value of the wrong kind,
ValueError for one that does not fit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from functools import wraps
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np

from backprop_book.arrays import (
    Parameters,
    a_kind,
    check_floats,
    check_like,
    is_real,
    kinds,
    remember,
)

Rule = Callable[[str, Any, Mapping[str, Any]], Any]

_PAIRS = "pairs (parent, local derivative)"


def positive(name: str, value: Any, _: Mapping[str, Any]) -> float:
    """Rule: a positive finite number. It goes on as a Python float, so float32 stays float32.

    >>> positive("learning_rate", np.float64(0.5), {})
    0.5
    """
    if not (is_real(value) and 0 < value < math.inf):
        raise ValueError(f"{name} is {value!r}; it should be a positive finite number")
    return float(value)


def rates(name: str, value: Any, others: Mapping[str, Any]) -> list[float]:
    """Rule: positive finite numbers, one or more.

    >>> rates("learning_rates", np.array([0.5, 1.0]), {})
    [0.5, 1.0]
    """
    if not np.iterable(value):
        raise TypeError(f"{name} is {value!r}; it should be a list of numbers")
    checked = [positive(f"{name}[{i}]", rate, others) for i, rate in enumerate(value)]
    if not checked:
        raise ValueError(f"{name} is empty; it should hold one number or more")
    return checked


def count(name: str, value: Any, _: Mapping[str, Any]) -> int:
    """Rule: a whole number, 1 or more.

    >>> count("batch_size", 0, {})
    Traceback (most recent call last):
    ValueError: batch_size is 0; it should be a whole number, 1 or more
    """
    return _whole(name, value, 1)


def seed_number(name: str, value: Any, _: Mapping[str, Any]) -> int:
    """Rule: a whole number, 0 or more.

    >>> seed_number("seed", None, {})
    Traceback (most recent call last):
    ValueError: seed is None; it should be a whole number, 0 or more
    """
    return _whole(name, value, 0)


def generator(name: str, value: Any, _: Mapping[str, Any]) -> np.random.Generator:
    """Rule: a NumPy random generator.

    >>> generator("rng", 1, {})
    Traceback (most recent call last):
    TypeError: rng is 1; it should be a generator: np.random.default_rng(seed)
    """
    if not isinstance(value, np.random.Generator):
        message = f"{name} is {value!r}; it should be a generator: np.random.default_rng(seed)"
        raise TypeError(message)
    return value


def optional(rule: Rule) -> Rule:
    """Return a rule that lets None pass.

    >>> optional(count)("batch_size", None, {}) is None
    True
    """
    return lambda name, value, others: None if value is None else rule(name, value, others)


def callback(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: a function, or anything else that can be called.

    >>> callback("f", 1.0, {})
    Traceback (most recent call last):
    TypeError: f is a float; it should be a function
    """
    if not callable(value):
        raise TypeError(f"{name} is {a_kind(value)}; it should be a function")
    return value


def scalar_function(name: str, value: Any, others: Mapping[str, Any]) -> Callable[..., Any]:
    """Rule: a function that returns one number, and is held to that at every call.

    >>> scalar_function("f", np.sqrt, {})(np.ones(3))
    Traceback (most recent call last):
    ValueError: f returned an array of shape (3,); it should return one number
    """
    callback(name, value, others)

    def checked(*args: Any) -> Any:
        result = value(*args)
        if getattr(result, "shape", ()) != ():
            told = f"{name} returned an array of shape {result.shape}"
            raise ValueError(f"{told}; it should return one number")
        if not (hasattr(result, "shape") or is_real(result)):
            raise TypeError(f"{name} returned {a_kind(result)}; it should return one number")
        return result

    return checked


def floats(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: an array of floats, of any shape.

    >>> floats("z", 1.0, {})
    Traceback (most recent call last):
    TypeError: z is a float; it should be a NumPy array of floats
    """
    check_floats(name, value)
    return value


def doubles(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: an array of float64; small differences drown in the rounding of anything shorter.

    >>> doubles("x", np.ones(3, dtype=np.float32), {})
    Traceback (most recent call last):
    TypeError: x has dtype float32; it should be float64
    """
    check_floats(name, value)
    if value.dtype != np.float64:
        raise TypeError(f"{name} has dtype {value.dtype}; it should be float64")
    return value


def nudgeable(name: str, value: Any, others: Mapping[str, Any]) -> Any:
    """Rule: one argument or more, each an array of floats or a dict of arrays by name.

    >>> nudgeable("inputs", (np.ones(2), 3), {})
    Traceback (most recent call last):
    TypeError: inputs[1] is an int; it should be a NumPy array of floats
    """
    if not value:
        raise TypeError(f"{name} is empty; there should be one array of floats or more")
    for i, each in enumerate(value):
        rule = parameters if isinstance(each, dict) else floats
        rule(f"{name}[{i}]", each, others)
    return value


def symmetric(name: str, value: Any, others: Mapping[str, Any]) -> Any:
    """Rule: a symmetric matrix of float64, its entries finite and not all 0.

    >>> symmetric("matrix", np.array([[1.0, 2.0], [3.0, 4.0]]), {})
    Traceback (most recent call last):
    ValueError: matrix differs from its transpose by 1.0; it should be symmetric
    """
    doubles(name, value, others)
    if value.ndim != 2 or value.shape[0] != value.shape[1]:
        raise ValueError(f"{name} has shape {value.shape}; it should be square, (d, d)")
    size = float(abs(value).max())
    if not (math.isfinite(size) and size > 0):
        told = f"{name} has {size} as its largest entry"
        raise ValueError(f"{told}; its entries should be finite and not all 0")
    difference = float(abs(value - value.T).max())
    if difference > 1e-8 * size:
        told = f"{name} differs from its transpose by {difference}"
        raise ValueError(f"{told}; it should be symmetric")
    return value


def examples(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: an array of floats whose rows are examples.

    >>> examples("x", np.array(1.0), {})
    Traceback (most recent call last):
    ValueError: x has shape (); it should have one row for each example
    """
    check_floats(name, value)
    if value.ndim == 0:
        raise ValueError(f"{name} has shape (); it should have one row for each example")
    return value


def as_many_as(other: str) -> Rule:
    """Return a rule: an array of numbers with as many rows as another argument has.

    >>> as_many_as("x")("y", np.ones(3), {"x": np.ones((4, 2))})
    Traceback (most recent call last):
    ValueError: y has shape (3,); it should have the 4 rows of x
    """

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> Any:
        if getattr(getattr(value, "dtype", None), "kind", "f") not in "iu":
            check_floats(name, value)
        wanted = len(others[other])
        if value.ndim == 0 or len(value) != wanted:
            message = f"{name} has shape {value.shape}; it should have the {wanted} rows of {other}"
            raise ValueError(message)
        return value

    return rule


def once_a_kind(rule: Rule) -> Rule:
    """Return a rule for dicts that looks at names, dtypes and shapes alone, and once at the same.

    >>> once_a_kind(parameters)("parameters", {"w": 1.0}, {})
    Traceback (most recent call last):
    TypeError: parameters['w'] is a float; it should be a NumPy array of floats
    """
    passed: set[Any] = set()

    @wraps(rule)
    def wrapper(name: str, value: Any, others: Mapping[str, Any]) -> Any:
        seen = _seen(value)
        if seen not in passed:
            rule(name, value, others)
            remember(passed, seen)
        return value

    return wrapper


@once_a_kind
def parameters(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: a dict of arrays of floats, by name.

    >>> parameters("parameters", [np.ones(3)], {})
    Traceback (most recent call last):
    TypeError: parameters is a list; it should be a dict of arrays by name
    """
    _check_dict(name, value)
    for key, array in value.items():
        check_floats(f"{name}[{key!r}]", array)
    return value


def holding(*keys: str) -> Rule:
    """Return a rule: a dict with these keys, perhaps among others.

    >>> holding("weights", "bias")("parameters", {"weights": np.ones((2, 1))}, {})
    Traceback (most recent call last):
    ValueError: parameters has the keys ['weights']; it should have ['weights', 'bias']
    """

    def rule(name: str, value: Any, _: Mapping[str, Any]) -> Any:
        _check_dict(name, value)
        if not value.keys() >= set(keys):
            raise ValueError(f"{name} has the keys {list(value)}; it should have {list(keys)}")
        return value

    return rule


def like(other: str) -> Rule:
    """Return a rule: a dict with the keys, shapes and dtypes of another, which is one of arrays.

    >>> like("parameters")("gradients", {"w": np.ones(2)}, {"parameters": {"w": np.ones(3)}})
    Traceback (most recent call last):
    ValueError: gradients['w'] has shape (2,); it should be (3,), as parameters['w'] is
    """
    passed: set[Any] = set()

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> Any:
        wanted = others[other]
        seen = (_seen(wanted), _seen(value))
        if seen not in passed:
            parameters(other, wanted, others)
            _check_alike(name, value, other, wanted)
            remember(passed, seen)
        return value

    return rule


def callbacks(name: str, value: Any, others: Mapping[str, Any]) -> list[Any]:
    """Rule: functions, one or more.

    >>> callbacks("functions", [], {})
    Traceback (most recent call last):
    ValueError: functions is empty; it should hold one function or more
    """
    if not np.iterable(value):
        raise TypeError(f"{name} is {a_kind(value)}; it should be a list of functions")
    checked = [callback(f"{name}[{i}]", function, others) for i, function in enumerate(value)]
    if not checked:
        raise ValueError(f"{name} is empty; it should hold one function or more")
    return checked


def key_of(other: str) -> Rule:
    """Return a rule: a key of another argument, which is a dict.

    >>> key_of("edges")("output", "z", {"edges": {"x": [], "y": []}})
    Traceback (most recent call last):
    ValueError: output is 'z'; it should be one of ['x', 'y']
    """

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> Any:
        if not isinstance(value, Hashable) or value not in others[other]:
            raise ValueError(f"{name} is {value!r}; it should be one of {list(others[other])}")
        return value

    return rule


def like_a_graph(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: a Graph, or what has `values` and `edges` as it has: the reader's own.

    >>> like_a_graph("graph", {}, {})
    Traceback (most recent call last):
    TypeError: graph is a dict; it should be a Graph
    """
    if not (hasattr(value, "edges") and hasattr(value, "values")):
        raise TypeError(f"{name} is {a_kind(value)}; it should be a Graph")
    return value


def number(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: a number, of Python or of NumPy.

    >>> number("value", "3", {})
    Traceback (most recent call last):
    TypeError: value is '3'; it should be a number
    """
    if not is_real(value):
        raise TypeError(f"{name} is {value!r}; it should be a number")
    return value


def finite(name: str, value: Any, _: Mapping[str, Any]) -> float:
    """Rule: a finite number. It goes on as a number of Python, so float32 stays float32.

    >>> finite("exponent", float("inf"), {})
    Traceback (most recent call last):
    ValueError: exponent is inf; it should be a finite number
    """
    if not is_real(value) or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}; it should be a finite number")
    return value if isinstance(value, int) else float(value)


def new_name(name: str, value: Any, others: Mapping[str, Any]) -> str:
    """Rule: a name that the graph `self` does not have yet.

    >>> new_name("name", 3, {"self": Graph()})
    Traceback (most recent call last):
    ValueError: name is 3; it should be a name that the graph does not have
    """
    if not isinstance(value, str) or value in others["self"].values:
        raise ValueError(f"{name} is {value!r}; it should be a name that the graph does not have")
    return value


def recorded(name: str, value: Any, others: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Rule: pairs (parent, local derivative), each parent a name that the graph `self` has.

    >>> recorded("edges", [("x", 2.0)], {"self": Graph()})
    Traceback (most recent call last):
    ValueError: edges has the parent 'x'; it should be recorded first
    """
    for parent in _parents(name, value):
        if parent not in others["self"].values:
            raise ValueError(f"{name} has the parent {parent!r}; it should be recorded first")
    return list(value)


def linked(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: a dict of lists of pairs (parent, local derivative), whose arrows never run in a ring.

    >>> linked("edges", {"x": [("y", 1.0)], "y": [("x", 1.0)]}, {})
    Traceback (most recent call last):
    ValueError: edges has the ring ['x', 'y', 'x']; it should have none
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} is {a_kind(value)}; it should be a dict of lists of pairs by name")
    parents = {key: _parents(f"{name}[{key!r}]", pairs) for key, pairs in value.items()}
    for key in parents:
        for parent in [parent for parent in parents[key] if parent not in parents]:
            told = f"{name}[{key!r}] has the parent {parent!r}"
            raise ValueError(f"{told}; it should be one of the names in {name}")
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        raise ValueError(f"{name} has the ring {error.args[1]}; it should have none") from None
    return value


def layer_sizes(name: str, value: Any, others: Mapping[str, Any]) -> list[int]:
    """Rule: whole numbers, two or more, each 1 or more.

    >>> layer_sizes("sizes", [3, 0], {})
    Traceback (most recent call last):
    ValueError: sizes[1] is 0; it should be a whole number, 1 or more
    """
    if not np.iterable(value):
        raise TypeError(f"{name} is {a_kind(value)}; it should be a list of whole numbers")
    checked = [count(f"{name}[{i}]", size, others) for i, size in enumerate(value)]
    if len(checked) < 2:
        raise ValueError(f"{name} is {checked}; it should have two numbers or more")
    return checked


@once_a_kind
def layers(name: str, value: Any, others: Mapping[str, Any]) -> Any:
    """Rule: a dict with weights_1, bias_1, weights_2, bias_2, and so on, that fit one another.

    >>> layers("parameters", {"weights_1": np.ones((3, 1))}, {})
    Traceback (most recent call last):
    ValueError: parameters has the keys ['weights_1']; it should have ['weights_1', 'bias_1']
    """
    parameters(name, value, others)
    numbers = range(1, (len(value) + 1) // 2 + 1)
    wanted = [f"{kind}_{number}" for number in numbers for kind in ("weights", "bias")]
    if value.keys() != set(wanted):
        raise ValueError(f"{name} has the keys {list(value)}; it should have {wanted}")
    for layer in numbers:
        _check_weights(name, value, layer)
        _check_bias(name, value, layer)
    return value


def _parents(name: str, value: Any) -> list[str]:
    """Return the parents of pairs (parent, local derivative), which are checked."""
    if not isinstance(value, list | tuple):
        raise TypeError(f"{name} is {a_kind(value)}; it should be a list of {_PAIRS}")
    for i, pair in enumerate(value):
        if not (isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)):
            raise TypeError(f"{name}[{i}] is {pair!r}; it should be one of {_PAIRS}")
        number(f"{name}[{i}][1]", pair[1], {})
    return [parent for parent, _ in value]


def _check_weights(name: str, value: Parameters, layer: int) -> None:
    key, before = f"weights_{layer}", value.get(f"bias_{layer - 1}")
    told = f"{name}[{key!r}] has shape {value[key].shape}"
    if value[key].ndim != 2:
        raise ValueError(f"{told}; it should have two axes, (inputs, outputs)")
    if before is not None and len(value[key]) != len(before):
        wanted = f"{len(before)} rows, one for each output of layer {layer - 1}"
        raise ValueError(f"{told}; it should have {wanted}")


def _check_bias(name: str, value: Parameters, layer: int) -> None:
    key, other = f"bias_{layer}", f"weights_{layer}"
    if value[key].shape != value[other].shape[1:]:
        told = f"{name}[{key!r}] has shape {value[key].shape}"
        wanted = f"{value[other].shape[1:]}, one for each column of {other}"
        raise ValueError(f"{told}; it should be {wanted}")


def _seen(value: Any) -> Any:
    """Return all that a check looks at in a dict of arrays, or None if it is none."""
    return (*value, kinds(value.values())) if isinstance(value, dict) else None


def _check_alike(name: str, value: Any, other: str, wanted: Parameters) -> None:
    _check_dict(name, value)
    if value.keys() != wanted.keys():
        told = f"{name} has the keys {list(value)}"
        raise ValueError(f"{told}; it should have those of {other}, {list(wanted)}")
    for key, array in value.items():
        check_like(f"{name}[{key!r}]", array, f"{other}[{key!r}]", wanted[key])


def _check_dict(name: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise TypeError(f"{name} is {a_kind(value)}; it should be a dict of arrays by name")
    if not value:
        raise ValueError(f"{name} is empty; it should be a dict of arrays by name")


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} is {value!r}; it should be a whole number, {least} or more")
    return int(value)

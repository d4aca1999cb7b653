"""Checks of arguments, as decorators, so that a function's body is its mathematics and no more.

`shapes` reads a signature in NumPy's gufunc notation and holds arrays to it; `values` holds the
other arguments to rules. Both raise before anything is computed: TypeError for what is not an array
of floats, ValueError for a shape or a value that does not fit.
"""

import math
from collections.abc import Callable, Hashable, Mapping
from functools import wraps
from graphlib import CycleError, TopologicalSorter
from inspect import Signature, signature
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Parameters = dict[str, Array]
Axes = tuple[str, ...]
Rule = Callable[[str, Any, Mapping[str, Any]], Any]
P = ParamSpec("P")
R = TypeVar("R")

_PAIRS = "pairs (parent, local derivative)"
_REAL = (int, float, np.floating, np.integer)


def shapes(notation: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Hold a differentiable function's arrays, and what its `backward` is given, to a notation.

    In `(n,d),(d,h),(h)->(n,h)` a letter stands for one length throughout; `h?` may be absent, and
    stands last; `(...)` is any shape. The arrays are of floats, all of one dtype, none of them
    empty. The function that comes back has the notation as its attribute `notation`.

    >>> @shapes("(n),(n)->()")
    ... def dot(a, b):
    ...     return a @ b, lambda dproduct: (dproduct * b, dproduct * a)
    >>> dot(np.ones(3), np.ones(2))
    Traceback (most recent call last):
    ValueError: b has shape (2,); it should be (n,) with n = 3
    """
    inputs = _parse(notation.split("->")[0])

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        told = signature(function)
        wanted = list(zip(told.parameters, inputs, strict=False))

        @wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            _check_arrays(told.bind(*args, **kwargs).args if kwargs else args, wanted)
            result: Any = function(*args, **kwargs)
            output, backward = result
            return cast(R, (output, _checked_backward(output, backward)))

        wrapper.__dict__["notation"] = notation
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
            given = _by_name(told, args, kwargs)
            for name, rule in rules.items():
                given[name] = rule(name, given[name], given)
            ready: Callable[..., R] = function
            return ready(**given)

        return wrapper

    return decorate


def positive(name: str, value: Any, _: Mapping[str, Any]) -> float:
    """Rule: a positive finite number. It goes on as a Python float, so float32 stays float32.

    >>> positive("learning_rate", np.float64(0.5), {})
    0.5
    """
    if not _is_real(value) or not (math.isfinite(value) and value > 0):
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
        raise TypeError(f"{name} is {_a(value)}; it should be a function")
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
        if not (hasattr(result, "shape") or _is_real(result)):
            raise TypeError(f"{name} returned {_a(result)}; it should return one number")
        return result

    return checked


def floats(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: an array of floats, of any shape.

    >>> floats("z", 1.0, {})
    Traceback (most recent call last):
    TypeError: z is a float; it should be a NumPy array of floats
    """
    _check_floats(name, value)
    return value


def doubles(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: an array of float64; small differences drown in the rounding of anything shorter.

    >>> doubles("x", np.ones(3, dtype=np.float32), {})
    Traceback (most recent call last):
    TypeError: x has dtype float32; it should be float64
    """
    _check_floats(name, value)
    if value.dtype != np.float64:
        raise TypeError(f"{name} has dtype {value.dtype}; it should be float64")
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
    _check_floats(name, value)
    if value.ndim == 0:
        raise ValueError(f"{name} has shape (); it should have one row for each example")
    return value


def as_many_as(other: str) -> Rule:
    """Return a rule: an array of floats with as many rows as another argument has.

    >>> as_many_as("x")("y", np.ones(3), {"x": np.ones((4, 2))})
    Traceback (most recent call last):
    ValueError: y has shape (3,); it should have the 4 rows of x
    """

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> Any:
        _check_floats(name, value)
        wanted = len(others[other])
        if value.ndim == 0 or len(value) != wanted:
            message = f"{name} has shape {value.shape}; it should have the {wanted} rows of {other}"
            raise ValueError(message)
        return value

    return rule


def parameters(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: a dict of arrays of floats, by name.

    >>> parameters("parameters", [np.ones(3)], {})
    Traceback (most recent call last):
    TypeError: parameters is a list; it should be a dict of arrays by name
    """
    _check_dict(name, value)
    for key, array in value.items():
        _check_floats(f"{name}[{key!r}]", array)
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
    """Return a rule: a dict with the keys, shapes and dtypes of another argument.

    >>> like("parameters")("gradients", {"w": np.ones(2)}, {"parameters": {"w": np.ones(3)}})
    Traceback (most recent call last):
    ValueError: gradients['w'] has shape (2,); it should be (3,), as parameters['w'] is
    """

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> Any:
        _check_dict(name, value)
        wanted = others[other]
        if value.keys() != wanted.keys():
            told = f"{name} has the keys {list(value)}"
            raise ValueError(f"{told}; it should have those of {other}, {list(wanted)}")
        for key, array in value.items():
            _check_like(f"{name}[{key!r}]", array, f"{other}[{key!r}]", wanted[key])
        return value

    return rule


def callbacks(name: str, value: Any, others: Mapping[str, Any]) -> list[Any]:
    """Rule: functions, one or more.

    >>> callbacks("functions", [], {})
    Traceback (most recent call last):
    ValueError: functions is empty; it should hold one function or more
    """
    if not np.iterable(value):
        raise TypeError(f"{name} is {_a(value)}; it should be a list of functions")
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
        raise TypeError(f"{name} is {_a(value)}; it should be a Graph")
    return value


def number(name: str, value: Any, _: Mapping[str, Any]) -> Any:
    """Rule: a number, of Python or of NumPy.

    >>> number("value", "3", {})
    Traceback (most recent call last):
    TypeError: value is '3'; it should be a number
    """
    if not _is_real(value):
        raise TypeError(f"{name} is {value!r}; it should be a number")
    return value


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
        raise TypeError(f"{name} is {_a(value)}; it should be a dict of lists of pairs by name")
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
        raise TypeError(f"{name} is {_a(value)}; it should be a list of whole numbers")
    checked = [count(f"{name}[{i}]", size, others) for i, size in enumerate(value)]
    if len(checked) < 2:
        raise ValueError(f"{name} is {checked}; it should have two numbers or more")
    return checked


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
        raise TypeError(f"{name} is {_a(value)}; it should be a list of {_PAIRS}")
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


def _parse(notation: str) -> list[Axes]:
    inside = [part.strip("()") for part in notation.replace(" ", "").split("),")]
    return [tuple(letters.split(",")) if letters else () for letters in inside]


def _by_name(told: Signature, args: Any, kwargs: Any) -> dict[str, Any]:
    """Return the arguments by name, defaults too; quickly where every one is given."""
    names = told.parameters
    given: dict[str, Any] = dict(zip(names, args, strict=False)) | kwargs
    if len(args) + len(kwargs) == len(names) and given.keys() == names.keys():
        return given
    bound = told.bind(*args, **kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)


def _check_arrays(given: tuple[Any, ...], wanted: list[tuple[str, Axes]]) -> None:
    lengths: dict[str, int] = {}
    for array, (name, letters) in zip(given, wanted, strict=False):
        _check_floats(name, array)
        _check_dtype(name, array, wanted[0][0], given[0])
        if not _fits(array.shape, letters, lengths):
            raise ValueError(f"{name} has shape {array.shape}; {_should_be(letters, lengths)}")


def _fits(shape: tuple[int, ...], letters: Axes, lengths: dict[str, int]) -> bool:
    """Tell whether a shape fits, and note the lengths that it settles (0: the axis is absent)."""
    if letters == ("...",):
        return True
    if len(shape) == len(letters) - 1 and letters[-1].endswith("?"):
        shape = (*shape, 0)
    if len(shape) != len(letters):
        return False
    return tuple(map(lengths.setdefault, letters, shape)) == shape


def _should_be(letters: Axes, lengths: dict[str, int]) -> str:
    present = [letter for letter in letters if lengths.get(letter) != 0]
    names = [letter.strip("?") if letter in lengths else letter for letter in present]
    settled = {letter.strip("?"): lengths[letter] for letter in present if letter in lengths}
    known = ", ".join(f"{letter} = {length}" for letter, length in settled.items())
    shape = ", ".join(names) + ("," if len(names) == 1 else "")
    return f"it should be ({shape})" + (f" with {known}" if known else "")


def _check_floats(name: str, value: Any) -> None:
    try:
        kind, shape = value.dtype.kind, value.shape
    except AttributeError:
        message = f"{name} is {_a(value)}; it should be a NumPy array of floats"
        raise TypeError(message) from None
    if kind != "f":
        raise TypeError(f"{name} has dtype {value.dtype}; it should be floats, as float64")
    if 0 in shape:
        raise ValueError(f"{name} has shape {shape}; it should not be empty")


def _check_dtype(name: str, value: Any, other: str, model: Any) -> None:
    if value.dtype != model.dtype:
        told = f"{name} has dtype {value.dtype}"
        raise TypeError(f"{told}; it should be {model.dtype}, as {other} is")


def _check_like(name: str, value: Any, other: str, model: Any) -> None:
    _check_floats(name, value)
    _check_dtype(name, value, other, model)
    if value.shape != model.shape:
        told = f"{name} has shape {value.shape}"
        raise ValueError(f"{told}; it should be {model.shape}, as {other} is")


def _check_dict(name: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise TypeError(f"{name} is {_a(value)}; it should be a dict of arrays by name")
    if not value:
        raise ValueError(f"{name} is empty; it should be a dict of arrays by name")


def _checked_backward(output: Any, backward: Callable[[Any], R]) -> Callable[[Any], R]:
    """Hold what `backward` is given to its output's shape and dtype; for a scalar a number will do.

    That number goes on in the output's dtype, so that float32 stays float32.
    """

    def checked(doutput: Any) -> R:
        if output.shape == () and _is_real(doutput):
            return backward(output.dtype.type(doutput))
        _check_like("doutput", doutput, "the output", output)
        return backward(doutput)

    return checked


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} is {value!r}; it should be a whole number, {least} or more")
    return int(value)


def _is_real(value: Any) -> bool:
    return isinstance(value, _REAL) and not isinstance(value, bool)


def _a(value: Any) -> str:
    """Name the kind of a value, with its article."""
    kind = type(value).__name__.replace("ndarray", "array")
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"

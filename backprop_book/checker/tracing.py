"""Record which steps a function of NumPy arrays goes through, by running it on arrays that tell.

What is not of floats (a mask, an index, a count) is no step of its own: it is made again inside of
the steps that use it.
"""

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backprop_book.arrays import Array

TAKING_LISTS = ("log", "exp", "sqrt", "tanh", "sum", "mean", "max", "min", "prod")
REDUCTIONS = {"sum", "mean", "var", "std", "max", "amax", "min", "amin", "prod", "cumsum"}


@dataclass(frozen=True)
class Step:
    """One call, whose result other steps use: `call(*values of its parents)` gives `value` again.

    A leaf, which is an input, has no parents. `parameters` are the arguments beside the arrays.
    """

    name: str
    parents: tuple[int, ...]
    value: Array
    call: Callable[..., Array] | None = None
    parameters: dict[str, Any] = field(default_factory=dict)

    def again(self, *values: Array, **parameters: Any) -> Array:
        """Return the result for other values of the parents, and perhaps other parameters."""
        if self.call is None:
            raise ValueError(f"{self.name} is a leaf; it has no call")
        return np.asarray(self.call(*values, **parameters), dtype=float)


class Tape(list[Step]):
    """The steps so far; `live` tells whether masks and indices are made again, or stay."""

    live = True


class Traced(np.ndarray):
    """An array that writes down on a tape what is done with it; its result is traced as well.

    It is a step with a number on the tape or, if it is not of floats, has a recipe.
    """

    tape: "Tape | None" = None
    node: int | None = None
    recipe: "Recipe | None" = None

    def __array_finalize__(self, _: Any) -> None:
        """Forget the origin of a view, which nothing here has recorded."""
        self.tape, self.node, self.recipe = None, None, None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Record a ufunc, and make what is written in place a result like any other."""
        out = kwargs.pop("out", None)
        if method == "at":
            return _write(inputs[0], record(_at(ufunc), inputs, kwargs, f"{ufunc.__name__}.at"))
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        result = record(getattr(ufunc, method), inputs, kwargs, name)
        return result if out is None else _write(out[0], result)

    def __array_function__(self, function: Any, _: Any, args: Any, kwargs: Any) -> Any:
        """Record a function of NumPy; an axis is noted by its name."""
        name = getattr(function, "__name__", "function")
        if name in REDUCTIONS and len(args) == 2:
            args, kwargs = args[:1], {**kwargs, "axis": args[1]}
        return record(function, args, kwargs, name)

    def __getitem__(self, index: Any) -> Any:
        """Record that a part is taken."""
        return record(operator.getitem, (self, index), {}, "getitem")

    def __setitem__(self, index: Any, value: Any) -> None:
        """Record that a part is replaced."""
        _write(self, record(_replaced, (self, index, value), {}, "setitem"))

    @property
    def T(self) -> Any:
        """The transposed array."""
        return np.transpose(self)

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        """Return the array in another shape."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **kwargs)

    def transpose(self, *axes: Any) -> Any:
        """Return the array with its axes in another order."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        return np.transpose(self, order)

    def astype(self, dtype: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """Return the array as another type."""
        return record(np.ndarray.astype, (self, dtype), kwargs, "astype")

    def copy(self, *_: Any) -> Any:
        """Return a copy."""
        return np.positive(self)

    def flatten(self, *_: Any) -> Any:
        """Return the entries in one axis."""
        return np.ravel(self)


def _method(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def method(self: Traced, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    return method


for _name in [
    "sum",
    "mean",
    "var",
    "std",
    "max",
    "min",
    "prod",
    "dot",
    "cumsum",
    "cumprod",
    "clip",
    "repeat",
    "take",
    "ravel",
    "squeeze",
    "swapaxes",
    "diagonal",
    "trace",
    "round",
    "ptp",
    "argmax",
    "argmin",
    "argsort",
    "nonzero",
]:
    setattr(Traced, _name, _method(_name))


@dataclass(frozen=True)
class Recipe:
    """How an array that is no step is made of the values of steps."""

    call: Callable[..., Any]
    parents: list[Traced]


@dataclass(frozen=True)
class Place:
    """Where in the arguments of a step the value of one of its parents goes."""

    parent: int


@dataclass(frozen=True)
class Made:
    """Where in the arguments of a step something goes that is made of its parents."""

    call: Callable[..., Any]
    places: list[Any]


def record(function: Callable[..., Any], args: Any, kwargs: Any, name: str) -> Any:
    """Call a function on plain arrays, and write the step on the tape if it gives floats."""
    parents = list({a.node: a for a in _origins(args, kwargs)}.values())
    template = _template((args, kwargs), [parent.node for parent in parents])
    values = [_value(parent) for parent in parents]

    def call(*values: Any, **changed: Any) -> Any:
        new_args, new_kwargs = _filled(template, values)
        return function(*new_args, **(new_kwargs | changed))

    result = call(*values)
    if not parents:
        return result
    parameters = _filled(template, values)[1]
    if isinstance(result, tuple | list):
        parts = [_recorded(parents, _part(call, i), r, name, {}) for i, r in enumerate(result)]
        return tuple(parts) if isinstance(result, tuple) else parts
    return _recorded(parents, call, result, name, parameters)


def _part(call: Callable[..., Any], part: int) -> Callable[..., Any]:
    return lambda *values, **changed: call(*values, **changed)[part]


def _recorded(
    parents: list[Traced],
    call: Callable[..., Any],
    result: Any,
    name: str,
    parameters: dict[str, Any],
) -> Any:
    tape, kind = parents[0].tape, getattr(getattr(result, "dtype", None), "kind", "")
    if tape is None or kind not in "fbiu":
        return result
    if kind != "f":
        return _with_recipe(tape, result, Recipe(call, parents))
    nodes = tuple(parent.node for parent in parents if parent.node is not None)
    return _noted(tape, Step(name, nodes, np.array(result, dtype=float), call, parameters))


def _with_recipe(tape: Tape, result: Any, recipe: Recipe) -> Any:
    if not isinstance(result, np.ndarray) or not tape.live:
        return result
    array = np.array(result).view(Traced)
    array.tape, array.recipe = tape, recipe
    return array


def _noted(tape: Tape, step: Step) -> Traced:
    tape.append(step)
    array = np.array(step.value).view(Traced)
    array.tape, array.node = tape, len(tape) - 1
    return array


def _write(target: Any, result: Any) -> Any:
    """Put a result into an array; return the array if it can say where the result is from."""
    np.copyto(_plain(target), _plain(result), casting="unsafe")
    if not isinstance(target, Traced):
        return result
    if isinstance(result, Traced):
        target.tape, target.node, target.recipe = result.tape, result.node, result.recipe
    return target


def _replaced(array: Any, index: Any, value: Any) -> Any:
    result = np.array(array)
    result[index] = value
    return result


def _at(ufunc: Any) -> Callable[..., Any]:
    def added(array: Any, *rest: Any) -> Any:
        result = np.array(array)
        ufunc.at(result, *rest)
        return result

    return added


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Traced) else value


def _traced(*values: Any) -> Iterator[Traced]:
    for value in values:
        if isinstance(value, Traced):
            yield value
        elif isinstance(value, tuple | list):
            yield from _traced(*value)
        elif isinstance(value, dict):
            yield from _traced(*value.values())


def _origins(*values: Any) -> Iterator[Traced]:
    """Yield the steps that arguments come from."""
    for traced in _traced(*values):
        if traced.node is not None:
            yield traced
        elif traced.recipe is not None:
            yield from traced.recipe.parents


def _value(traced: Traced) -> Any:
    """Return the value that an array had when it was recorded."""
    if traced.tape is None or traced.node is None:
        return _plain(traced)
    return traced.tape[traced.node].value


def _template(value: Any, nodes: list[int | None]) -> Any:
    """Return nested arguments with a place for each traced array, and copies of the others."""
    if isinstance(value, Traced) and value.node is not None:
        return Place(nodes.index(value.node))
    if isinstance(value, Traced) and value.recipe is not None:
        places = [Place(nodes.index(parent.node)) for parent in value.recipe.parents]
        return Made(value.recipe.call, places)
    if isinstance(value, np.ndarray):
        return np.array(_plain(value))
    if isinstance(value, tuple | list):
        return type(value)(_template(each, nodes) for each in value)
    if isinstance(value, dict):
        return {key: _template(each, nodes) for key, each in value.items()}
    return value


def _filled(template: Any, values: Any) -> Any:
    kind = type(template)
    if kind is Place:
        return values[template.parent]
    if kind is tuple or kind is list:
        return kind([_filled(each, values) for each in template])
    if kind is dict:
        return {key: _filled(each, values) for key, each in template.items()}
    if kind is Made:
        return template.call(*_filled(template.places, values))
    return template


@contextmanager
def _patched() -> Iterator[None]:
    """Make NumPy's makers of arrays, which do not ask their arguments, keep a trace."""
    makers = {name: _blank(getattr(np, name)) for name in ("zeros", "ones", "empty", "full")}
    makers |= {name: _gathered(getattr(np, name), name) for name in ("array", "asarray")}
    makers |= {name: _of_lists(getattr(np, name)) for name in TAKING_LISTS}
    kept = {name: getattr(np, name) for name in makers}
    try:
        for name, maker in makers.items():
            setattr(np, name, maker)
        yield
    finally:
        for name, maker in kept.items():
            setattr(np, name, maker)


def _blank(maker: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: maker(*args, **kwargs).view(Traced)


def _of_lists(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that makes an array of a list of traced numbers before it is called."""

    def called(value: Any, *args: Any, **kwargs: Any) -> Any:
        traced = isinstance(value, list | tuple) and any(True for _ in _traced(value))
        return function(np.array(value) if traced else value, *args, **kwargs)

    return called


def _gathered(maker: Callable[..., Any], name: str) -> Callable[..., Any]:
    def made(value: Any, *args: Any, **kwargs: Any) -> Any:
        if any(True for _ in _origins(value)):
            return record(maker, (value, *args), kwargs, name)
        return maker(value, *args, **kwargs)

    return made


def trace(
    function: Callable[..., Any],
    inputs: tuple[Any, ...],
    wanted: tuple[int, ...],
    live: bool = True,
) -> tuple[list[Step], list[int], int] | None:
    """Run a function that returns (output, backward); return its steps, leaves and output.

    The steps stand in the order of the calls, the leaves of the wanted inputs first; leaves and
    output are numbers of steps. None comes back where the output does not say where it is from.
    """
    tape = Tape()
    tape.live = live
    given = [_leaf(tape, v) if i in wanted else v for i, v in enumerate(inputs)]
    n_leaves = len(tape)
    try:
        with _patched(), np.errstate(all="ignore"):
            output, _ = function(*given)
    except Exception:  # a function that does not take such arrays is not traced
        return None
    node = _output_node(tape, output)
    return None if node is None else (tape, list(range(n_leaves)), node)


def _leaf(tape: Tape, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _leaf(tape, array) for key, array in value.items()}
    return _noted(tape, Step("input", (), np.array(value, dtype=float)))


def _output_node(tape: Tape, output: Any) -> int | None:
    """Return the step that made the output; for a number, the last step with its value."""
    if isinstance(output, Traced):
        return output.node
    alike = [k for k, step in enumerate(tape) if step.value.size == 1 and step.value == output]
    return alike[-1] if np.ndim(output) == 0 and alike else None

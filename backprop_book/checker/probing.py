"""Call a function and its backward as a checker has to: on copies, twice, and with suspicion."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backprop_book.arrays import Array, a_kind
from backprop_book.checker.slopes import Curve, is_finite
from backprop_book.numerical import arrays_in, copied
from backprop_book.rules import callback, generator, optional


@dataclass
class Probe:
    """A function at a point, with a gradient for its output, and what its backward made of that.

    `leaves` are the float arrays whose gradients are wanted, and `names` says which they are;
    `gradients` holds theirs, None for one that is missing or does not fit. `problems` are sentences
    about what is wrong whatever the numbers say, and it is `spoiled` if they can say nothing.
    """

    function: Callable[..., Any]
    inputs: tuple[Any, ...]
    wanted: tuple[int, ...]
    names: list[str]
    output: Any = None
    doutput: Any = None
    gradients: list[Array | None] = field(default_factory=list)
    returned: list[Any] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    spoiled: bool = False

    @property
    def leaves(self) -> list[Array]:
        """The arrays that are differentiated with respect to, those of dicts one by one."""
        return list(arrays_in(self.inputs[i] for i in self.wanted))

    def value(self, leaves: Iterable[Array]) -> float:
        """Return the output at other leaves, each entry weighed by its gradient, added up."""
        with np.errstate(all="ignore"):
            output, _ = self.function(*self.with_leaves(leaves))
            return float(np.sum(output * self.doutput))

    def along(self, direction: Sequence[Array | float]) -> Curve:
        """Return the value as a function of a step from here along a direction."""
        leaves = self.leaves

        def curve(step: float) -> float:
            moved = [leaf + step * d for leaf, d in zip(leaves, direction, strict=True)]
            return self.value(moved)

        return curve

    def at(self, leaf: int, entry: tuple[int, ...]) -> Curve:
        """Return the value as a function of what is added to one entry of one leaf."""
        leaves = [copied(array) for array in self.leaves]
        here = leaves[leaf][entry]

        def curve(step: float) -> float:
            leaves[leaf][entry] = here + step
            return self.value(leaves)

        return curve

    def call_backward(self, doutput: Any) -> list[Any]:
        """Return what backward returns for a gradient of the output, one for each leaf."""
        _, backward = self.function(*copies(self.inputs))
        return self.flat(backward(copied(doutput)))

    def flat(self, returned: Any) -> list[Any]:
        """Return one gradient for each leaf from what a backward returned, or raise ValueError."""
        gradients = []
        for i, gradient in zip(self.wanted, self._one_for_each(returned), strict=True):
            value = self.inputs[i]
            if not isinstance(value, dict):
                gradients.append(gradient)
            elif not isinstance(gradient, dict) or gradient.keys() != value.keys():
                told = list(gradient) if isinstance(gradient, dict) else a_kind(gradient)
                raise ValueError(
                    f"backward returned {told} for {self.names[len(gradients)].split('[')[0]}; "
                    f"it should be a dict with the keys {list(value)}"
                )
            else:
                gradients += [gradient[key] for key in value]
        return gradients

    def _one_for_each(self, returned: Any) -> list[Any]:
        several = list(returned) if isinstance(returned, tuple | list) else [returned]
        if len(several) == len(self.inputs):
            return [several[i] for i in self.wanted]
        if len(several) == len(self.wanted):
            return several
        count = f"{len(several)} gradient" + "s" * (len(several) != 1)
        raise ValueError(
            f"backward returned {count}; it should return {len(self.wanted)}, for "
            f"{', '.join(self.names)} (or say with wrt which inputs they are for)"
        )

    def with_leaves(self, leaves: Iterable[Array]) -> list[Any]:
        """Return the inputs with other arrays in the place of the leaves."""
        queue, inputs = iter(leaves), list(self.inputs)
        for i in self.wanted:
            value = inputs[i]
            inputs[i] = (
                {key: next(queue) for key in value} if isinstance(value, dict) else next(queue)
            )
        return inputs


def copies(inputs: Iterable[Any]) -> list[Any]:
    """Return copies of the arrays and dicts of arrays among the inputs, the rest as it is."""
    return [copied(v) if isinstance(v, np.ndarray | dict) else v for v in inputs]


def probe(
    function: Callable[..., Any],
    inputs: tuple[Any, ...],
    backward: Callable[..., Any] | None,
    wrt: int | str | Sequence[int | str] | None,
    rng: np.random.Generator,
) -> Probe:
    """Call a function and its backward, twice each, and return what came of it.

    Raises TypeError or ValueError for inputs that cannot be checked, whatever the function does.
    """
    callback("function", function, {})
    optional(callback)("backward", backward, {})
    generator("rng", rng, {})
    names = _argument_names(function, len(inputs))
    paired = function if backward is None else _paired(function, backward)
    inputs = _with_numbers(paired, inputs) if wrt is None else inputs
    result = Probe(paired, inputs, (), [])
    _choose(result, names, wrt)
    given = copies(inputs)
    backward = _call(result, given)
    shape = np.shape(result.output)
    drawn = rng.normal(size=shape) if shape else rng.uniform(0.5, 1.5)
    result.doutput = np.asarray(drawn) if shape else np.float64(drawn)
    _differentiate(result, backward)
    _note_changes(result, given, "backward changes the inputs of its function in place")
    return result


def _paired(forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that the book's convention makes of a forward and a backward."""

    def function(*inputs: Any) -> Any:
        return forward(*inputs), lambda doutput: backward(doutput, *inputs)

    return function


def _with_numbers(function: Callable[..., Any], inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the inputs with their floats as arrays, if backward has gradients for these too."""
    numbers = [i for i, v in enumerate(inputs) if isinstance(v, float)]
    if not numbers:
        return inputs
    output, backward = _pair(function(*copies(inputs)))
    returned = backward(np.ones_like(output) if np.shape(output) else 1.0)
    several = returned if isinstance(returned, tuple | list) else [returned]
    arrays = [i for i in _wanted(inputs, [], None) if i not in numbers]
    if len(several) == len(inputs):
        wanted = [i for i in numbers if several[i] is not None]
    else:
        wanted = numbers if len(several) == len(numbers) + len(arrays) else []
    return tuple(np.array(v) if i in wanted else v for i, v in enumerate(inputs))


def _argument_names(function: Callable[..., Any], count: int) -> list[str]:
    numbered = [f"input {i}" for i in range(1, count + 1)]
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return numbered
    told = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return told[:count] + numbered[len(told) :]


def _choose(result: Probe, names: list[str], wrt: Any) -> None:
    """Settle which inputs are differentiated with respect to, and what their arrays are called."""
    result.wanted = tuple(_wanted(result.inputs, names, wrt))
    result.inputs = tuple(
        np.array(v) if i in result.wanted and isinstance(v, float) else v
        for i, v in enumerate(result.inputs)
    )
    for i in result.wanted:
        value, name = result.inputs[i], names[i]
        if isinstance(value, dict):
            for key, array in value.items():
                _check_double(f"{name}[{key!r}]", array)
                result.names.append(f"{name}[{key!r}]")
        else:
            _check_double(name, value)
            result.names.append(name)
    if not result.names:
        raise TypeError("inputs holds no array of floats; there should be one or more")


def _wanted(inputs: tuple[Any, ...], names: list[str], wrt: Any) -> list[int]:
    if wrt is None:
        return [i for i, v in enumerate(inputs) if _differentiable(v)]
    several = list(wrt) if isinstance(wrt, list | tuple) else [wrt]
    known = {name: i for i, name in enumerate(names)} | {i: i for i in range(len(names))}
    for each in several:
        if not isinstance(each, int | str) or isinstance(each, bool) or each not in known:
            told = f"{', '.join(names)}, or number them from 0"
            raise ValueError(f"wrt has {each!r}; it should name inputs among {told}")
    return list(dict.fromkeys(known[each] for each in several))


def _differentiable(value: Any) -> bool:
    """Tell whether an input is of floats, or seems to be meant so: that will be refused."""
    if isinstance(value, list):
        return any(isinstance(each, float | list | np.ndarray) for each in value)
    return isinstance(value, dict) or _kind(value) == "f"


def _kind(value: Any) -> str:
    return str(getattr(getattr(value, "dtype", None), "kind", ""))


def _check_double(name: str, value: Any) -> None:
    if not isinstance(value, np.ndarray | float):
        raise TypeError(f"{name} is {a_kind(value)}; it should be a NumPy array of float64")
    dtype = np.asarray(value).dtype
    if dtype != np.float64:
        raise TypeError(
            f"{name} has dtype {dtype}; it should be float64, for in anything shorter the "
            "differences that a gradient is compared with drown in rounding"
        )
    if np.size(value) == 0:
        raise ValueError(f"{name} has shape {np.shape(value)}; it should not be empty")
    if not is_finite(value):
        raise ValueError(f"{name} has entries that are not finite; they should all be")


def _call(result: Probe, given: list[Any]) -> Callable[[Any], Any]:
    """Call the function twice; note what it changes and whether it repeats itself."""
    output, backward = _pair(result.function(*given))
    result.output = copied(output) if np.shape(output) else output
    _note_changes(result, given, "the function changes its inputs in place")
    again, _ = _pair(result.function(*copies(result.inputs)))
    if not np.array_equal(output, again, equal_nan=True):
        _spoil(
            result,
            "the function gives another output when called again with the same inputs: "
            "fix its random numbers, or pass them in",
        )
    if not is_finite(output):
        _spoil(result, "the output has entries that are not finite")
    return backward


def _spoil(result: Probe, problem: str) -> None:
    result.problems.append(problem)
    result.spoiled = True


def _pair(returned: Any) -> tuple[Any, Callable[[Any], Any]]:
    if not (isinstance(returned, tuple) and len(returned) == 2 and callable(returned[1])):
        raise TypeError(
            f"the function returned {a_kind(returned)}; it should return (output, backward), or be "
            "given its backward as backward=..."
        )
    output: Any = returned[0]
    if not (isinstance(output, float | np.ndarray | np.floating)):
        raise TypeError(f"the output is {a_kind(output)}; it should be one array of floats")
    dtype = getattr(output, "dtype", np.float64)
    if dtype != np.float64:
        raise TypeError(f"the output has dtype {dtype}; it should be float64, as the inputs are")
    return output, returned[1]


def _differentiate(result: Probe, backward: Callable[[Any], Any]) -> None:
    """Call backward twice, and note what it returns and what is wrong with that."""
    doutput = copied(result.doutput) if np.shape(result.output) else result.doutput
    returned = _as_returned(result, backward(doutput))
    result.returned = [copied(g) if isinstance(g, np.ndarray) else g for g in returned]
    if not np.array_equal(doutput, result.doutput):
        result.problems.append("backward changes the gradient that it is given")
    _note_repetition(result, backward)
    result.gradients = [
        _fitting(result, name, gradient, leaf)
        for name, gradient, leaf in zip(result.names, result.returned, result.leaves, strict=True)
    ]


def _as_returned(result: Probe, returned: Any) -> list[Any]:
    dicts = [i for i in result.wanted if isinstance(result.inputs[i], dict)]
    if isinstance(returned, dict) and len(dicts) == 1 and len(result.wanted) > 1:
        kept = result.inputs[dicts[0]]
        first = sum(len(list(arrays_in([result.inputs[i]]))) for i in result.wanted if i < dicts[0])
        result.names = result.names[first : first + len(kept)]
        result.wanted = (dicts[0],)
    try:
        return result.flat(returned)
    except ValueError as error:
        result.problems.append(str(error))
        return [None] * len(result.names)


def _note_repetition(result: Probe, backward: Callable[[Any], Any]) -> None:
    again: Any
    try:
        again = result.flat(backward(copied(result.doutput)))
    except ValueError as error:
        again = None if str(error) in result.problems else error
    except Exception as error:  # whatever the user's code raises is told
        again = error
    if isinstance(again, Exception):
        told = f"{type(again).__name__}: {again}"
        result.problems.append(f"backward cannot be called a second time: {told}")
    elif again is not None and not all(map(_same, result.returned, again)):
        result.problems.append(
            "backward gives another gradient when called a second time: it keeps something"
        )


def _same(a: Any, b: Any) -> bool:
    first, second = _numbers(a), _numbers(b)
    if first is None or second is None:
        return first is second
    return bool(np.array_equal(first, second, equal_nan=True))


def _numbers(value: Any) -> Any:
    """Return a value as an array of numbers; None for what is none."""
    try:
        array = np.asarray(value)
    except ValueError:  # lists of unequal lengths
        return None
    return array if array.dtype.kind in "fiubc" else None


def _note_changes(result: Probe, inputs: list[Any], problem: str) -> None:
    pairs = zip(arrays_in(result.inputs), arrays_in(inputs), strict=True)
    changed = not all(_same(before, after) for before, after in pairs)
    if changed and not any(told.endswith("in place") for told in result.problems):
        _spoil(result, problem)


def _fitting(result: Probe, name: str, gradient: Any, leaf: Array) -> Array | None:
    """Return a gradient as an array, or None, with a problem noted, if it does not fit its leaf."""
    if gradient is None:
        if not any(problem.startswith("backward returned") for problem in result.problems):
            result.problems.append(f"backward returned None for {name}; it should be its gradient")
        return None
    array = _numbers(gradient)
    if array is None or array.dtype.kind == "c":
        result.problems.append(f"the gradient of {name} is {a_kind(gradient)}, no array of floats")
        return None
    if array.shape != leaf.shape:
        result.problems.append(
            f"the gradient of {name} has shape {array.shape}; it should be {leaf.shape}"
        )
        return None
    if not is_finite(array):
        result.problems.append(f"the gradient of {name} has entries that are not finite")
        return None
    return np.array(array, dtype=float)

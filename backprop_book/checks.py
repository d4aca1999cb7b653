"""Checks of arguments, as decorators, so that a function's body is its mathematics and no more.

`shapes` reads a signature in NumPy's gufunc notation and holds arrays to it; `values` holds the
other arguments to rules. Both raise before anything is computed: TypeError for what is not an array
of floats, ValueError for a shape or a value that does not fit.
"""

from collections.abc import Callable
from functools import partial, wraps
from inspect import Signature, signature
from typing import Any, ParamSpec, TypeVar

from backprop_book.arrays import (
    Kind,
    check_dtype,
    check_floats,
    check_like,
    is_real,
    kinds,
    remember,
)
from backprop_book.rules import Rule

Axes = tuple[str, ...]
P = ParamSpec("P")
R = TypeVar("R")


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
        n_arrays = len(wanted)
        passed: set[Any] = set()
        ready: Callable[..., Any] = function

        @wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> Any:
            given = told.bind(*args, **kwargs).args if kwargs else args
            seen = kinds(given[:n_arrays])
            if seen not in passed:
                _check_arrays(given, wanted)
                remember(passed, seen)
            output, backward = ready(*args, **kwargs)
            return output, _checked_backward(backward, output.dtype, output.shape)

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
        defaults = {p.name: p.default for p in told.parameters.values() if p.default is not p.empty}
        n_names, n_needed = len(told.parameters), len(told.parameters) - len(defaults)
        with_names = partial(zip, told.parameters)
        ready: Callable[..., R] = function

        @wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            given = defaults | dict(with_names(args)) | kwargs
            if kwargs or not n_needed <= len(args) <= n_names:
                _check_call(told, given, args, kwargs)
            for name, rule in rules.items():
                given[name] = rule(name, given[name], given)
            return ready(**given)

        return wrapper

    return decorate


def _parse(notation: str) -> list[Axes]:
    inside = [part.strip("()") for part in notation.replace(" ", "").split("),")]
    return [tuple(letters.split(",")) if letters else () for letters in inside]


def _check_call(told: Signature, given: dict[str, Any], args: Any, kwargs: Any) -> None:
    """Raise as Python does for arguments too many, too few or unknown; `bind` is slow about it."""
    names = list(told.parameters)
    twice = kwargs.keys() & names[: len(args)]
    if twice or len(args) > len(names) or given.keys() != told.parameters.keys():
        told.bind(*args, **kwargs)


def _check_arrays(given: tuple[Any, ...], wanted: list[tuple[str, Axes]]) -> None:
    lengths: dict[str, int] = {}
    for array, (name, letters) in zip(given, wanted, strict=False):
        check_floats(name, array)
        check_dtype(name, array, wanted[0][0], given[0])
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


def _checked_backward(backward: Callable[..., R], dtype: Any, shape: Any) -> Callable[..., R]:
    """Hold what `backward` is given to its output's dtype and shape.

    The output itself is not kept: what a function remembers is its own affair.
    """

    def checked(doutput: Any, **options: Any) -> R:
        if getattr(doutput, "dtype", None) is not dtype or doutput.shape != shape:
            doutput = _like_output(doutput, dtype, shape)
        return backward(doutput, **options)

    return checked


def _like_output(doutput: Any, dtype: Any, shape: Any) -> Any:
    """Return what will do for a gradient at an output, or raise; for a scalar a number will do.

    That number goes on in the output's dtype, so that float32 stays float32.
    """
    if shape == () and is_real(doutput):
        return dtype.type(doutput)
    check_like("doutput", doutput, "the output", Kind(dtype, shape))
    return doutput

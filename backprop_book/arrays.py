"""What the package means by an array of floats, and how it says that a value is none."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]
Parameters = dict[str, Array]


class Kind(NamedTuple):
    """What a check compares of an array: its dtype and its shape.

    >>> Kind(np.dtype("float64"), (2,)) == Kind(np.dtype("float64"), (3,))
    False
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]


_kind = attrgetter("dtype", "shape")
_REAL = (int, float, np.floating, np.integer)


def check_floats(name: str, value: Any) -> None:
    """Raise unless a value is an array of floats, of any shape, with something in it.

    >>> check_floats("x", [1.0])
    Traceback (most recent call last):
    TypeError: x is a list; it should be a NumPy array of floats
    """
    try:
        kind, shape = value.dtype.kind, value.shape
    except AttributeError:
        message = f"{name} is {a_kind(value)}; it should be a NumPy array of floats"
        raise TypeError(message) from None
    if kind != "f":
        raise TypeError(f"{name} has dtype {value.dtype}; it should be floats, as float64")
    if 0 in shape:
        raise ValueError(f"{name} has shape {shape}; it should not be empty")


def check_dtype(name: str, value: Any, other: str, model: Any) -> None:
    """Raise unless an array has the dtype of another, whatever the shapes.

    >>> check_dtype("x", np.ones(2, np.float32), "y", np.ones(2))
    Traceback (most recent call last):
    TypeError: x has dtype float32; it should be float64, as y is
    """
    if value.dtype != model.dtype:
        told = f"{name} has dtype {value.dtype}"
        raise TypeError(f"{told}; it should be {model.dtype}, as {other} is")


def check_like(name: str, value: Any, other: str, model: Any) -> None:
    """Raise unless an array of floats has the dtype and the shape of another.

    >>> check_like("x", np.ones(2), "y", np.ones(3))
    Traceback (most recent call last):
    ValueError: x has shape (2,); it should be (3,), as y is
    """
    check_floats(name, value)
    check_dtype(name, value, other, model)
    if value.shape != model.shape:
        told = f"{name} has shape {value.shape}"
        raise ValueError(f"{told}; it should be {model.shape}, as {other} is")


def kinds(arrays: Iterable[Any]) -> Any:
    """Return the dtypes and shapes of arrays, or None if one has none: all that a check looks at.

    >>> kinds([np.ones(2)]), kinds([np.ones(2), 1.0])
    (((dtype('float64'), (2,)),), None)
    """
    try:
        return tuple(map(_kind, arrays))
    except AttributeError:
        return None


def remember(passed: set[Any], seen: Any) -> None:
    """Note what a check has let pass, so that it need not look again; a thousand at most.

    >>> passed = set(range(1000))
    >>> remember(passed, "the last"), passed
    (None, {'the last'})
    """
    if len(passed) >= 1000:
        passed.clear()
    passed.add(seen)


def is_real(value: Any) -> bool:
    """Tell whether a value is a number, of Python or NumPy, and no bool.

    >>> is_real(np.float32(1)), is_real(True)
    (True, False)
    """
    return isinstance(value, _REAL) and not isinstance(value, bool)


def a_kind(value: Any) -> str:
    """Return the kind of a value with its article.

    >>> a_kind(1)
    'an int'
    """
    kind = type(value).__name__.replace("ndarray", "array")
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"

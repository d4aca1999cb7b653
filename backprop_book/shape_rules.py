"""Rules for arguments that have to suit an array beside them: its axes, shape, rows and indices.

Each takes the name of that array, which is checked before, and returns a rule as in `rules.py`.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from backprop_book.arrays import a_kind, check_floats
from backprop_book.rules import Rule

SHAPE = "a tuple of whole numbers"

_WHOLE = (int, np.integer)


def axis_of(other: str) -> Rule:
    """Return a rule: one axis of another argument.

    >>> axis_of("z")("axis", 2, {"z": np.ones((4, 3))})
    Traceback (most recent call last):
    ValueError: axis is 2; it should be one of -2, -1, 0, 1, for z has shape (4, 3)
    """

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> int:
        if others[other].ndim == 0:
            raise ValueError(f"{other} has shape (); it should have one axis or more")
        _check_axis(name, value, other, others[other])
        return int(value)

    return rule


def axes_of(other: str) -> Rule:
    """Return a rule: one axis of another argument, or a tuple of several, or None for all.

    >>> axes_of("x")("axis", (0, -2), {"x": np.ones((4, 3))})
    Traceback (most recent call last):
    ValueError: axis is (0, -2); it should name each axis once
    """

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> Any:
        if value is None:
            return None
        several = tuple(value) if isinstance(value, tuple | list) else (value,)
        for axis in several:
            _check_axis(name, axis, other, others[other])
        if len({axis % others[other].ndim for axis in several}) < len(several):
            raise ValueError(f"{name} is {value!r}; it should name each axis once")
        return several if isinstance(value, tuple | list) else value

    return rule


def permutation_of(other: str) -> Rule:
    """Return a rule: every axis of another argument once, in some order, or None.

    >>> permutation_of("x")("axes", (0, 0), {"x": np.ones((4, 3))})
    Traceback (most recent call last):
    ValueError: axes is (0, 0); it should be the axes 0, 1 of x in some order
    """

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> Any:
        if value is None:
            return None
        n_axes = others[other].ndim
        numbers = _whole_numbers(name, value)
        order = tuple(axis % n_axes if -n_axes <= axis < n_axes else axis for axis in numbers)
        if sorted(order) != list(range(n_axes)):
            axes = ", ".join(map(str, range(n_axes)))
            raise ValueError(
                f"{name} is {value!r}; it should be the axes {axes} of {other} in some order"
            )
        return order

    return rule


def shape_for(other: str) -> Rule:
    """Return a rule: a shape that holds the entries of another argument; one length may be -1.

    >>> shape_for("x")("shape", (4, 2), {"x": np.ones((2, 3))})
    Traceback (most recent call last):
    ValueError: shape is (4, 2); it should hold the 6 entries of x
    """

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> tuple[int, ...]:
        shape = _whole_numbers(name, (value,) if isinstance(value, int) else value)
        n_entries, open_ends = others[other].size, shape.count(-1)
        known = math.prod(length for length in shape if length != -1)
        fits = n_entries % known == 0 if open_ends and known > 0 else known == n_entries
        if open_ends > 1 or min(shape, default=0) < -1 or not fits:
            raise ValueError(
                f"{name} is {value!r}; it should hold the {n_entries} entries of {other}"
            )
        return shape

    return rule


def shape_within(other: str) -> Rule:
    """Return a rule: a shape that broadcasts to that of another argument.

    >>> shape_within("gradient")("shape", (2,), {"gradient": np.ones((4, 3))})
    Traceback (most recent call last):
    ValueError: shape is (2,); it should broadcast to (4, 3), the shape of gradient
    """

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> tuple[int, ...]:
        check_floats(other, others[other])
        shape, wanted = _whole_numbers(name, value), others[other].shape
        if _together(shape, wanted) != wanted:
            raise ValueError(
                f"{name} is {value!r}; it should broadcast to {wanted}, the shape of {other}"
            )
        return shape

    return rule


def broadcastable_with(other: str) -> Rule:
    """Return a rule: an array that broadcasts with another argument.

    >>> broadcastable_with("a")("b", np.ones(2), {"a": np.ones((4, 3))})
    Traceback (most recent call last):
    ValueError: b has shape (2,); it should broadcast with (4, 3), the shape of a
    """

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> Any:
        if _together(value.shape, others[other].shape) is None:
            told = f"{name} has shape {value.shape}"
            wanted = f"broadcast with {others[other].shape}, the shape of {other}"
            raise ValueError(f"{told}; it should {wanted}")
        return value

    return rule


def multipliable_with(other: str) -> Rule:
    """Return a rule: matrices, one or a stack, that another argument can be multiplied by.

    >>> multipliable_with("a")("b", np.ones((2, 4)), {"a": np.ones((4, 3))})
    Traceback (most recent call last):
    ValueError: b has shape (2, 4); it should have 3 rows, for a has shape (4, 3)
    """

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> Any:
        left = others[other]
        for each, array in ((other, left), (name, value)):
            if array.ndim < 2:
                raise ValueError(f"{each} has shape {array.shape}; it should have two axes or more")
        if value.shape[-2] != left.shape[-1]:
            told = f"{name} has shape {value.shape}; it should have {left.shape[-1]} rows"
            raise ValueError(f"{told}, for {other} has shape {left.shape}")
        if _together(value.shape[:-2], left.shape[:-2]) is None:
            told = f"{name} has shape {value.shape}; its leading axes should broadcast"
            raise ValueError(f"{told} with those of {other}, of shape {left.shape}")
        return value

    return rule


def index_of(other: str) -> Rule:
    """Return a rule: an index that another argument has, and that takes something from it.

    >>> index_of("x")("index", [], {"x": np.ones(3)})
    Traceback (most recent call last):
    ValueError: index takes nothing from x; it should take something
    """

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> Any:
        array = others[other]
        try:
            taken = array[value]
        except IndexError as error:
            told = f"{name} does not suit {other}, of shape {array.shape}: {error}"
            raise IndexError(told) from None
        if 0 in taken.shape:
            raise ValueError(f"{name} takes nothing from {other}; it should take something")
        return value

    return rule


def whole_numbers(name: str, value: Any, _: Mapping[str, Any]) -> tuple[int, ...]:
    """Rule: a tuple of whole numbers, 0 or more, as a shape is.

    >>> whole_numbers("shape", (2, -1), {})
    Traceback (most recent call last):
    ValueError: shape is (2, -1); it should hold no number below 0
    """
    shape = _whole_numbers(name, value)
    if min(shape, default=0) < 0:
        raise ValueError(f"{name} is {value!r}; it should hold no number below 0")
    return shape


def index_into(shape: str, values: str) -> Rule:
    """Return a rule: an index of an array of a shape, which takes as much from it as there is.

    >>> index_into("shape", "x")("index", [0, 1], {"shape": (3,), "x": np.ones(3)})
    Traceback (most recent call last):
    ValueError: x has shape (3,); it should be (2,), that of what index takes from shape (3,)
    """

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> Any:
        model, given = np.empty(others[shape], bool), others[values]
        check_floats(values, given)
        index_of(shape)(name, value, {shape: model})
        wanted = model[value].shape
        if given.shape != wanted:
            told = f"{values} has shape {given.shape}; it should be {wanted}"
            raise ValueError(f"{told}, that of what {name} takes from shape {others[shape]}")
        return value

    return rule


def labels_for(other: str) -> Rule:
    """Return a rule: a whole number for each row of another argument, which names a column of it.

    >>> labels_for("logits")("labels", np.array([0, 3]), {"logits": np.ones((2, 3))})
    Traceback (most recent call last):
    ValueError: labels holds 3; it should hold numbers from 0 to 2, one for each column of logits
    """

    def rule(name: str, value: Any, others: Mapping[str, Any]) -> Any:
        n_rows, n_columns = others[other].shape
        kind = getattr(getattr(value, "dtype", None), "kind", "")
        if kind not in ("i", "u"):
            told = f"dtype {value.dtype}" if kind else None
            told = f"{name} has {told}" if told else f"{name} is {a_kind(value)}"
            raise TypeError(f"{told}; it should be a NumPy array of whole numbers")
        if value.shape != (n_rows,):
            told = f"{name} has shape {value.shape}"
            raise ValueError(f"{told}; it should be ({n_rows},), one for each row of {other}")
        wrong = value[value.astype(np.uint64) >= n_columns]  # where what is below 0 is huge
        if wrong.size:
            wanted = f"numbers from 0 to {n_columns - 1}, one for each column of {other}"
            raise ValueError(f"{name} holds {wrong[0]}; it should hold {wanted}")
        return value

    return rule


def _check_axis(name: str, value: Any, other: str, array: Any) -> None:
    axes = range(-array.ndim, array.ndim)
    if isinstance(value, bool) or not isinstance(value, _WHOLE) or value not in axes:
        known = f"one of {', '.join(map(str, axes))}" if array.ndim else "None"
        raise ValueError(
            f"{name} is {value!r}; it should be {known}, for {other} has shape {array.shape}"
        )


def _whole_numbers(name: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, tuple | list | range):
        raise TypeError(f"{name} is {value!r}; it should be {SHAPE}")
    for length in value:
        if isinstance(length, bool) or not isinstance(length, _WHOLE):
            raise TypeError(f"{name} is {value!r}; it should be {SHAPE}")
    return tuple(int(length) for length in value)


@lru_cache(maxsize=1000)
def _together(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape that two shapes broadcast to, None if they do not."""
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        return None

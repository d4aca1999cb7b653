"""Tangents pushed through every function that has a kind: against differences, against backward."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backprop_book as book
from backprop_book import kinds, primitives
from backprop_book.pushforward import PUSHES, is_floats, moved_by, push_forward

LENGTHS = st.tuples(*[st.integers(1, 5)] * 3)
SEED = st.integers(0, 2**32 - 1)
STEP = 2e-4

Made = tuple[list[Any], dict[str, Any]]
CASES: dict[str, tuple[Any, Callable[[Any, int, int, int], Made]]] = {}


def case(name: str, function: Any, inputs: Callable[..., Any], **options: Any) -> None:
    """Enter a function, with what makes its inputs from a drawer of arrays and three lengths."""
    CASES[name] = function, lambda draw, n, d, h: (list(inputs(draw, n, d, h)), options)


ANYWHERE = (
    *(book.identity, book.leaky_relu, book.relu, book.sigmoid, book.softplus, book.tanh),
    *(book.absolute, book.cos, book.exp, book.negative, book.sin),
    *(primitives.arctan, primitives.cosh, primitives.expm1, primitives.sinh),
    *(primitives.square, primitives.tail),
)
for anywhere in ANYWHERE:
    case(anywhere.__name__, anywhere, lambda draw, n, d, h: [draw(n, d) - 4])
for above_0 in (book.log, book.sqrt, primitives.log1p):
    case(above_0.__name__, above_0, lambda draw, n, d, h: [draw(n, d)])
case("sin of a scalar", book.sin, lambda draw, n, d, h: [draw()])
case("leaky_relu, slope", book.leaky_relu, lambda draw, n, d, h: [draw(n) - 4], slope=0.3)
case("power", book.power, lambda draw, n, d, h: [draw(n, d), 3])
case("power, option", book.power, lambda draw, n, d, h: [draw(n, d)], exponent=-1.5)
case("clip", primitives.clip, lambda draw, n, d, h: [draw(n, d), 0.7, None])
case("clip, options", primitives.clip, lambda draw, n, d, h: [draw(n, d)], low=None, high=1.3)

OF_TWO = (
    *(book.add, book.subtract, book.multiply, book.divide, book.maximum, book.minimum),
    *(primitives.exponentiate, primitives.logaddexp),
)
for of_two in OF_TWO:
    what = of_two.__name__
    case(what, of_two, lambda draw, n, d, h: [draw(n, d), draw(n, d)])
    case(f"{what}, a column and a row", of_two, lambda draw, n, d, h: [draw(n, 1), draw(d)])
    case(f"{what}, a scalar and a stack", of_two, lambda draw, n, d, h: [draw(), draw(h, n, d)])
    case(f"{what}, a stack and a row", of_two, lambda draw, n, d, h: [draw(h, n, d), draw(1, d)])

case("matmul", book.matmul, lambda draw, n, d, h: [draw(n, d), draw(d, h)])
case("matmul of stacks", book.matmul, lambda draw, n, d, h: [draw(2, 1, n, d), draw(3, d, h)])
case("multiply of itself", book.multiply, lambda draw, n, d, h: [draw(n, d)] * 2)
case("einsum", primitives.einsum, lambda draw, n, d, h: ["ij,jk->ki", draw(n, d), draw(d, h)])
case("einsum of one", primitives.einsum, lambda draw, n, d, h: ["ij->j", draw(n, d)])

for reduced in (book.reduce_sum, book.reduce_mean, book.reduce_max, primitives.reduce_min):
    what = reduced.__name__
    case(what, reduced, lambda draw, n, d, h: [draw(n, d)])
    case(f"{what} of a scalar", reduced, lambda draw, n, d, h: [draw()])
    case(f"{what}, axis 0", reduced, lambda draw, n, d, h: [draw(n, d), 0])
    case(f"{what}, axis and keepdims", reduced, lambda draw, n, d, h: [draw(n, d), -1, True])
    case(f"{what}, axis by name", reduced, lambda draw, n, d, h: [draw(n, d)], axis=1)
    case(f"{what}, two axes", reduced, lambda draw, n, d, h: [draw(n, d, h)], axis=(0, 2))
    case(f"{what}, mixed", reduced, lambda draw, n, d, h: [draw(n, d, h), 1], keepdims=True)

TWICE = np.array([0, -1, 0])
case("reshape", book.reshape, lambda draw, n, d, h: [draw(n, d), (d, n)])
case("reshape by name", book.reshape, lambda draw, n, d, h: [draw(n, d)], shape=(-1,))
case("transpose", book.transpose, lambda draw, n, d, h: [draw(n, d, h)])
case("transpose, axes", book.transpose, lambda draw, n, d, h: [draw(n, d, h)], axes=(2, 0, 1))
case("getitem", book.getitem, lambda draw, n, d, h: [draw(n, d), TWICE])
case("getitem, slices", book.getitem, lambda draw, n, d, h: [draw(n, d), (slice(None), -1)])
case("getitem, a mask", book.getitem, lambda draw, n, d, h: [draw(n, d), np.arange(n) % 2 == 0])
case("scatter_add", book.scatter_add, lambda draw, n, d, h: [draw(3, d), TWICE, (n, d)])
case("broadcast_to", primitives.broadcast_to, lambda draw, n, d, h: [draw(n, 1), (h, n, d)])
case("cast", primitives.cast, lambda draw, n, d, h: [draw(n, d), np.float64])
case("concatenate", primitives.concatenate, lambda draw, n, d, h: [draw(n, d), draw(h, d)])
case(
    "concatenate of three",
    primitives.concatenate,
    lambda draw, n, d, h: [draw(n, d), draw(n, h), draw(n, 1)],
    axis=-1,
)
case("cumsum", primitives.cumsum, lambda draw, n, d, h: [draw(n, d), 0])
case("cumsum by name", primitives.cumsum, lambda draw, n, d, h: [draw(n, d)], axis=-1)
case(
    "where", primitives.where, lambda draw, n, d, h: [np.arange(d) % 2 == 0, draw(n, 1), draw(n, d)]
)

few = settings(max_examples=10, deadline=None, derandomize=True)
cases = pytest.mark.parametrize("name", CASES)


def made(name: str, lengths: tuple[int, int, int], seed: int) -> tuple[Any, Any, Any, Any]:
    """Return a function, its inputs, its options and a generator.

    No two entries that are drawn are closer than 0.01, and none is closer to a bound of `clip`.
    """
    rng = np.random.default_rng(seed)
    grid = iter(rng.permutation(np.arange(0.515, 8.5, 0.01)))

    def draw(*shape: int) -> Any:
        return np.reshape([next(grid) for _ in range(int(np.prod(shape)))], shape)

    function, make = CASES[name]
    inputs, options = make(draw, *lengths)
    return function, inputs, options, rng


def tangents_for(inputs: Any, rng: Any) -> list[Any]:
    return [np.asarray(rng.normal(size=x.shape)) if is_floats(x) else None for x in inputs]


def differences(function: Any, inputs: Any, tangents: Any, options: Any) -> Any:
    """Return central differences, of two steps so that the squares of the steps cancel."""

    def at(t: float) -> Any:
        pairs = zip(inputs, tangents, strict=True)
        return function(*(x if v is None else x + t * v for x, v in pairs), **options)[0]

    near, far = at(STEP) - at(-STEP), at(2 * STEP) - at(-2 * STEP)
    return (8 * near - far) / (12 * STEP)


def assert_pushed(function: Any, inputs: Any, tangents: Any, options: Any) -> None:
    output, moved = push_forward(function, inputs, tangents, **options)
    told = function(*inputs, **options)[0]
    np.testing.assert_array_equal(output, told)
    assert np.shape(moved) == np.shape(told)
    assert moved.dtype == told.dtype
    found = differences(function, inputs, tangents, options)
    size = max(1.0, np.abs(told).max(), np.abs(found).max())
    np.testing.assert_allclose(moved, found, rtol=0, atol=1e-9 * size)


def test_every_function_with_a_kind_has_a_case():
    assert {function for function, _ in CASES.values()} == PUSHES.keys()
    sets = (kinds.LINEAR, kinds.MULTILINEAR, kinds.ELEMENTWISE, kinds.SELECTING)
    assert len(PUSHES) == sum(map(len, sets)) == len(frozenset().union(*sets))


@cases
@few
@given(lengths=LENGTHS, seed=SEED)
def test_tangents_agree_with_differences(name, lengths, seed):
    function, inputs, options, rng = made(name, lengths, seed)
    assert_pushed(function, inputs, tangents_for(inputs, rng), options)


@cases
@few
@given(lengths=LENGTHS, seed=SEED)
def test_forward_and_backward_are_adjoint(name, lengths, seed):
    """<u, J v> is <J' u, v>, for random u and v, to rounding."""
    function, inputs, options, rng = made(name, lengths, seed)
    tangents = tangents_for(inputs, rng)
    output, moved = push_forward(function, inputs, tangents, **options)
    u = np.asarray(rng.normal(size=output.shape))
    gradients = function(*inputs, **options)[1](u)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    moving = [v for v in tangents if v is not None]
    terms = [g * v for g, v in zip(gradients, moving, strict=True)]
    size = max(1.0, np.abs(u * moved).sum(), sum(np.abs(term).sum() for term in terms))
    assert abs((u * moved).sum() - sum(term.sum() for term in terms)) < 1e-12 * size


@cases
def test_arrays_that_stay_have_no_tangent(name):
    """Each array moves by itself; together the moves add up to that of all."""
    function, inputs, options, rng = made(name, (3, 4, 2), 1)
    tangents = tangents_for(inputs, rng)
    total = 0.0
    for i, tangent in enumerate(tangents):
        if tangent is not None:
            alone = [tangent if j == i else None for j in range(len(inputs))]
            assert_pushed(function, inputs, alone, options)
            total = total + push_forward(function, inputs, alone, **options)[1]
    together = push_forward(function, inputs, tangents, **options)[1]
    np.testing.assert_allclose(total, together, rtol=1e-12, atol=1e-12 * np.abs(together).max())


@cases
def test_where_nothing_moves_the_output_stays(name):
    function, inputs, options, _ = made(name, (3, 4, 2), 2)
    output, moved = push_forward(function, inputs, [None] * len(inputs), **options)
    assert np.shape(moved) == np.shape(output)
    assert not np.any(moved)


@cases
def test_nothing_that_is_given_is_changed(name):
    function, inputs, options, rng = made(name, (3, 4, 2), 3)
    tangents = tangents_for(inputs, rng)
    given = [x for x in (*inputs, *tangents) if is_floats(x)]
    before = [x.tobytes() for x in given]
    first = push_forward(function, inputs, tangents, **options)[1]
    second = push_forward(function, inputs, tangents, **options)[1]
    np.testing.assert_array_equal(first, second)
    assert [x.tobytes() for x in given] == before


@cases
def test_float32_stays_float32(name):
    function, inputs, options, rng = made(name, (3, 4, 2), 4)
    tangents = tangents_for(inputs, rng)
    exact = push_forward(function, inputs, tangents, **options)[1]
    if function is primitives.cast:
        inputs[1] = np.float32
    of_32 = [[x.astype(np.float32) if is_floats(x) else x for x in xs] for xs in (inputs, tangents)]
    output, moved = push_forward(function, *of_32, **options)
    assert output.dtype == moved.dtype == np.float32
    np.testing.assert_allclose(moved, exact, rtol=1e-3, atol=1e-5 * np.abs(exact).max())


def test_by_hand():
    a, b = np.array([2.0, 3.0]), np.array([5.0])
    va, vb = np.array([0.1, 0.2]), np.array([10.0])
    assert push_forward(book.add, [a, b], [va, None])[1].tolist() == [0.1, 0.2]
    assert push_forward(book.add, [a, b], [va, vb])[1].tolist() == [10.1, 10.2]
    assert push_forward(book.subtract, [a, b], [None, vb])[1].tolist() == [-10, -10]
    assert push_forward(book.multiply, [a, b], [va, None])[1].tolist() == [0.5, 1]
    assert push_forward(book.multiply, [a, b], [va, vb])[1].tolist() == [20.5, 31]
    assert push_forward(book.divide, [b, a], [vb, None])[1].tolist() == [5, 10 / 3]
    assert push_forward(book.power, [a, 2], [va, None])[1].tolist() == [0.4, 6 * 0.2]


def test_a_tie_moves_by_the_mean_of_those_that_share_it():
    x, v = (
        np.array([[3.0, 1.0, 3.0], [0.0, 0.0, 0.0]]),
        np.array([[1.0, 8.0, 2.0], [1.0, 2.0, 6.0]]),
    )
    assert push_forward(book.reduce_max, [x, 1], [v, None])[1].tolist() == [1.5, 3]
    assert push_forward(primitives.reduce_min, [x], [v], axis=1)[1].tolist() == [8, 3]


def test_a_column_by_each_unit_tangent():
    """The Jacobian by columns is the Jacobian by rows, of a function whose Jacobian is no table."""
    x = np.random.default_rng(5).normal(size=(2, 3))
    units = np.eye(6).reshape(6, 2, 3)
    columns = [push_forward(primitives.cumsum, [x, 1], [v, None])[1].ravel() for v in units]
    rows = [primitives.cumsum(x, 1)[1](u).ravel() for u in units]
    np.testing.assert_array_equal(np.stack(columns, axis=1), np.stack(rows))
    assert not np.array_equal(np.stack(rows), np.stack(rows).T)


def test_is_floats():
    floats = [np.ones(2), np.ones(2, np.float32), np.float64(1), np.zeros(())]
    others = [
        1.0,
        2,
        None,
        "ij->i",
        (2, 3),
        slice(None),
        np.arange(2),
        np.ones(2, bool),
        np.int64(1),
    ]
    assert all(map(is_floats, floats))
    assert not any(map(is_floats, others))


def test_moved_by():
    x, tangent = np.ones((2, 3), np.float32), np.full((2, 3), 4, np.float32)
    assert moved_by(x, tangent) is tangent
    assert moved_by(x, None).dtype == np.float32
    assert moved_by(x, None).tolist() == np.zeros((2, 3)).tolist()


def test_a_function_of_no_kind_is_named():
    with pytest.raises(KeyError, match="softmax"):
        push_forward(book.softmax, [np.ones(2)], [np.ones(2)])


REFUSED = {
    "too few tangents": (lambda x: push_forward(book.add, [x, x], [x]), ValueError),
    "a number": (lambda x: push_forward(book.sin, [1.0], [1.0]), TypeError),
    "another dtype": (
        lambda x: push_forward(book.sin, [x], [x.astype(np.float32)]),
        TypeError,
    ),
    "an axis that is not there": (
        lambda x: push_forward(book.reduce_max, [x], [x], axis=2),
        ValueError,
    ),
    "shapes that do not broadcast": (
        lambda x: push_forward(book.multiply, [x, np.ones(4)], [x, None]),
        ValueError,
    ),
    "an option that it lacks": (lambda x: push_forward(book.sin, [x], [x], axis=0), TypeError),
}


@pytest.mark.parametrize(("call", "error"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_fit_is_refused(call, error):
    with pytest.raises(error):
        call(np.ones(3))

"""Derivatives by nudging: how right they are, what they cost, and what they leave alone."""

import math

import numpy as np
import pytest
from gradient_check import modest
from hypothesis import given
from hypothesis import strategies as st

import backprop_book.numerical as numerical
from backprop_book import (
    complex_step_gradient,
    directional_derivatives,
    network_loss,
    numerical_gradient,
    one_sided_gradient,
    relu,
    tanh,
)

SHAPES = [(), (1,), (4,), (2, 3), (2, 1, 2)]
SINGLE_EPSILON = float(np.finfo(np.float32).eps)

KNOWN = {
    "a sum": (lambda x: x.sum(), np.ones_like),
    "a square": (lambda x: 0.5 * (x**2).sum(), lambda x: x),
    "an exponential": (lambda x: np.exp(x).sum(), np.exp),
    "a product": (lambda x: x.prod(), lambda x: x.prod() / x),
    "a ratio": (lambda x: 1 / (1 + (x**2).sum()), lambda x: -2 * x / (1 + (x**2).sum()) ** 2),
}

REFEREES = {
    "two-sided": (numerical_gradient, 1e-9),
    "one-sided": (one_sided_gradient, 1e-6),
    "complex step": (complex_step_gradient, 1e-14),
}

known = pytest.mark.parametrize(("f", "gradient"), KNOWN.values(), ids=KNOWN.keys())
shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)
referees = pytest.mark.parametrize(("measure", "within"), REFEREES.values(), ids=REFEREES.keys())


def normal(shape, seed=7):
    return np.asarray(np.random.default_rng(seed).normal(size=shape))


def single(array):
    return np.asarray(array, np.float32)


def flat(value):
    """Return all entries of an array, or of dicts and tuples of arrays, one after another."""
    inputs = value if isinstance(value, tuple) else (value,)
    return np.concatenate([np.ravel(array) for array in numerical.arrays_in(inputs)])


# The gradient, entry by entry


@known
@shapes
@referees
def test_known_gradients(measure, within, f, gradient, shape):
    x = normal(shape)
    found = measure(f, x)
    assert found.shape == x.shape
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, gradient(x), rtol=within, atol=within)


@pytest.mark.parametrize("measure", [numerical_gradient, one_sided_gradient])
def test_a_constant_may_be_a_number_of_python(measure):
    np.testing.assert_array_equal(measure(lambda x: 3.0, normal((2, 3))), np.zeros((2, 3)))


@referees
def test_several_inputs_give_a_tuple_in_their_order(measure, within):
    a, b = normal((2, 3)), normal(3, seed=8)
    found = measure(lambda a, b: (a @ b**2).sum(), a, b)
    assert isinstance(found, tuple)
    for gradient, wanted in zip(found, (np.ones((2, 1)) * b**2, 2 * b * a.sum(0)), strict=True):
        np.testing.assert_allclose(gradient, wanted, rtol=within, atol=within)


@referees
def test_a_dict_gives_a_dict_with_its_keys(measure, within):
    p, x = {"w": normal((3, 2)), "b": normal(2)}, normal((4, 3))
    found, dx = measure(lambda p, x: np.exp(x @ p["w"] + p["b"]).sum(), p, x)
    y = np.exp(x @ p["w"] + p["b"])
    assert list(found) == ["w", "b"]
    for gradient, wanted in [(found["w"], x.T @ y), (found["b"], y.sum(0)), (dx, y @ p["w"].T)]:
        np.testing.assert_allclose(gradient, wanted, rtol=10 * within, atol=within)


def test_one_dict_alone_gives_one_dict():
    found = numerical_gradient(lambda p: p["w"].sum(), {"w": np.ones(2)})
    assert list(found) == ["w"]


def test_one_array_given_twice_is_two_inputs():
    x = normal(3)
    first, second = numerical_gradient(lambda a, b: (a * b**2).sum(), x, x)
    np.testing.assert_allclose(first, x**2, atol=1e-9)
    np.testing.assert_allclose(second, 2 * x * x, atol=1e-9)


def test_a_scalar_of_numpy_is_an_array_without_axes():
    found = numerical_gradient(lambda x: x**2, np.float64(3))
    assert np.shape(found) == ()
    assert math.isclose(found, 6, rel_tol=1e-9)


@referees
def test_a_gradient_of_a_network(measure, within):
    """Written out, since what the package has takes no complex numbers."""
    p = {f"{kind}_{k}": normal(s, seed=k) for kind, s in [("a", (3, 3)), ("b", 3)] for k in (1, 2)}
    x = normal((5, 3), seed=9)

    def loss(p):
        z = np.tanh(x @ p["a_1"] + p["b_1"]) @ p["a_2"] + p["b_2"]
        return (z**2).sum() / 10

    named = {"a": "weights", "b": "bias"}
    q = {named[name[0]] + name[1:]: array for name, array in p.items()}
    q = {f"{kind}_{k}": q[f"{kind}_{k}"] for k in (1, 2) for kind in ("weights", "bias")}
    gradients = network_loss(q, x, np.zeros((5, 3)), tanh)[1](1.0)
    found = measure(loss, p)
    for name, gradient in found.items():
        wanted = gradients[named[name[0]] + name[1:]]
        np.testing.assert_allclose(gradient, wanted, rtol=10 * within, atol=within)


# The error and the step


def errors(measure, steps):
    x = np.array([1.0])
    return [abs(measure(lambda x: np.sin(x).sum(), x, h=h)[0] - np.cos(1)) for h in steps]


def test_the_one_sided_error_falls_with_h():
    """For the sine at 1 it is h sin(1) / 2, to leading order."""
    wanted = [np.sin(1) / 2 * h for h in (1e-3, 1e-4)]
    np.testing.assert_allclose(errors(one_sided_gradient, (1e-3, 1e-4)), wanted, rtol=1e-3)


def test_the_two_sided_error_falls_with_h_squared():
    """For the sine at 1 it is h squared cos(1) / 6, to leading order."""
    wanted = [np.cos(1) / 6 * h**2 for h in (1e-2, 1e-3)]
    np.testing.assert_allclose(errors(numerical_gradient, (1e-2, 1e-3)), wanted, rtol=1e-4)


@pytest.mark.parametrize("h", [1e-8, 1e-20, 1e-100, 1e-200, 1e-300])
def test_the_complex_step_is_right_to_machine_precision_for_any_small_step(h):
    assert errors(complex_step_gradient, [h])[0] <= 2.3e-16


def test_the_complex_step_error_falls_with_h_squared():
    wanted = [np.cos(1) / 6 * h**2 for h in (1e-2, 1e-3)]
    np.testing.assert_allclose(errors(complex_step_gradient, (1e-2, 1e-3)), wanted, rtol=1e-4)


def test_the_example_of_squire_and_trapp():
    def f(x):
        return np.exp(x) / (np.sin(x) ** 3 + np.cos(x) ** 3)

    found = complex_step_gradient(f, np.array(1.5))
    assert f"{found:.12f}" == "3.622033700716"


@pytest.mark.parametrize(("measure", "power"), [(numerical_gradient, 3), (one_sided_gradient, 2)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("x", [0.0, -0.5, 100.0])
def test_the_step_follows_the_dtype_and_the_size_of_the_entry(measure, power, dtype, x):
    seen = []
    measure(lambda x: float(seen.append(x) or 0), np.array(x, dtype))
    assert {array.dtype for array in seen} == {np.dtype(dtype)}
    wanted = float(np.finfo(dtype).eps) ** (1 / power) * max(1, abs(x))
    rounding = float(np.spacing(dtype(abs(x))))
    assert abs(float(seen[0]) - x - wanted) <= rounding + 1e-3 * wanted


@pytest.mark.parametrize(("x", "within"), [(1e6, 1e-9), (1e-3, 1e-4), (1.0, 1e-9)])
def test_entries_of_any_size(x, within):
    """A tiny one only as well as a step for numbers of about 1 will do."""
    found = numerical_gradient(lambda x: np.log(x).sum(), np.array([x]))
    np.testing.assert_allclose(found, 1 / x, rtol=within)


@pytest.mark.parametrize("x", [1.0, 3e4, 1e9])
@pytest.mark.parametrize("measure", [numerical_gradient, one_sided_gradient])
def test_a_straight_line_is_exact_since_the_step_taken_is_divided_by(measure, x):
    assert measure(lambda x: 4 * x, np.array(x), h=1e-3) == 4


@pytest.mark.parametrize(
    ("measure", "within"), [(numerical_gradient, 1e-4), (one_sided_gradient, 3e-3)]
)
def test_float32_has_fewer_digits_and_stays_float32(measure, within):
    x = single(normal(4))
    found = measure(lambda x: (x**3).sum(), x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, 3 * x**2, rtol=within, atol=within)


def test_the_complex_step_of_float32_is_that_of_complex128():
    x = single([1.5, -2.0])
    found = complex_step_gradient(lambda x: (x**3).sum(), x)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, single([6.75, 12.0]))


def test_a_step_lost_in_rounding_does_not_pass_for_a_slope_of_zero():
    with pytest.warns(RuntimeWarning, match="invalid value"):
        found = numerical_gradient(lambda x: (x**2).sum(), np.array([1.0]), h=1e-20)
    assert np.isnan(found).all()


# Kinks, and what a complex step does not survive


def test_a_step_across_a_kink_gives_neither_slope():
    def f(x):
        return relu(x)[0].sum()

    x = np.array([-1e-6, -1.0, 0.0])
    np.testing.assert_allclose(numerical_gradient(f, x, h=1e-5), [0.45, 0, 0.5], atol=1e-6)
    np.testing.assert_allclose(numerical_gradient(f, x, h=1e-7), [0, 0, 0.5], atol=1e-6)


@pytest.mark.parametrize(
    "f",
    [lambda x: abs(x).sum(), np.linalg.norm, lambda x: x.real.sum(), lambda x: 1.0],
    ids=["abs", "norm", "real part", "constant"],
)
def test_a_complex_step_refuses_a_real_output(f):
    with pytest.raises(ValueError, match="it should be complex"):
        complex_step_gradient(f, np.array([3.0, -4.0]))


# Calls, and what they leave alone


@pytest.mark.parametrize(
    ("measure", "below"), [(numerical_gradient, -0.5), (one_sided_gradient, 0)]
)
def test_f_is_called_twice_for_every_entry(measure, below):
    calls = []
    measure(lambda x: calls.append(x) or 0.0, np.zeros((2, 3)), h=0.5)
    assert sorted(float(call.sum()) for call in calls) == [below] * 6 + [0.5] * 6


def test_the_complex_step_calls_f_once_for_every_entry():
    calls = []
    complex_step_gradient(lambda x: calls.append(x) or x.sum(), np.zeros((2, 3)))
    assert len(calls) == 6
    assert {complex(call.sum()) for call in calls} == {1e-200j}


@referees
def test_the_inputs_are_not_changed_even_if_f_changes_what_it_is_given(measure, within):
    x, p = normal(3), {"w": normal((2, 2))}
    before = x.tobytes(), p["w"].tobytes()

    def f(x, p):
        x *= 2
        p["w"] += 1
        return (x**2).sum() + (p["w"] ** 2).sum()

    dx, dp = measure(f, x, p)
    np.testing.assert_allclose(dx, 8 * x, rtol=10 * within, atol=10 * within)
    np.testing.assert_allclose(dp["w"], 2 * (p["w"] + 1), rtol=10 * within, atol=10 * within)
    assert (x.tobytes(), p["w"].tobytes()) == before


MEASURES = {name: measure for name, (measure, _) in REFEREES.items()} | {
    "directions": lambda f, *inputs: directional_derivatives(
        f, *inputs, n_directions=2, rng=np.random.default_rng(0)
    )
}


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES.keys())
@pytest.mark.parametrize("n_good", [0, 1, 2])
def test_the_inputs_are_not_changed_if_f_raises(measure, n_good):
    x, p, calls = normal(3), {"w": normal((2, 2))}, []
    before = x.tobytes(), p["w"].tobytes()

    def f(x, p):
        calls.append(1)
        x *= 2
        if len(calls) > n_good:
            raise ZeroDivisionError
        return x.sum()

    with pytest.raises(ZeroDivisionError):
        measure(f, x, p)
    assert (x.tobytes(), p["w"].tobytes()) == before


# Along directions


def slopes_of(f, *inputs, n_directions=20, seed=1):
    rng = np.random.default_rng(seed)
    return directional_derivatives(f, *inputs, n_directions=n_directions, rng=rng)


@known
@pytest.mark.parametrize("shape", [(1,), (4,), (2, 3), (2, 1, 2)], ids=str)
def test_the_slope_along_a_direction_is_the_inner_product_with_the_gradient(f, gradient, shape):
    x = normal(shape)
    for (direction,), slope in slopes_of(f, x):
        assert direction.shape == x.shape
        assert isinstance(slope, float)
        assert math.isclose(slope, (direction * gradient(x)).sum(), rel_tol=1e-7, abs_tol=1e-9)


def test_a_direction_moves_arrays_and_dicts_together():
    p, x = {"w": normal((3, 2)), "b": normal(2)}, normal((4, 3))

    def f(p, x):
        return np.exp(x @ p["w"] + p["b"]).sum()

    gradient = flat(numerical_gradient(f, p, x))
    for (dp, dx), slope in slopes_of(f, p, x):
        assert list(dp) == ["w", "b"]
        direction = flat((dp, dx))
        assert math.isclose(np.linalg.norm(direction), 1)
        assert math.isclose(slope, gradient @ direction, rel_tol=1e-7, abs_tol=1e-7)


@pytest.mark.parametrize("shape", [(2,), (100, 100)], ids=str)
def test_directions_cost_two_calls_each_however_many_entries(shape):
    calls = []
    slopes_of(lambda x: calls.append(1) or 0.0, np.zeros(shape), n_directions=3)
    assert len(calls) == 6


def test_directions_follow_from_the_generator():
    first, again, other = (slopes_of(np.sum, np.ones(3), seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0][0], again[0][0])
    assert first[1] == again[1]
    assert first[1] != other[1]


def test_the_step_along_a_direction_follows_the_dtype():
    x = single(normal(5))
    for (direction,), slope in slopes_of(lambda x: (x**3).sum(), x):
        assert math.isclose(slope, (direction * 3 * x**2).sum(), rel_tol=1e-3, abs_tol=1e-3)


def test_of_float32_and_float64_together_the_coarser_sets_the_step():
    """With float64's own step the float32 array would not even move."""
    seen = []
    slopes_of(
        lambda a, b: float(seen.append(b[0]) or 0), single([0.0]), np.zeros(1), n_directions=1
    )
    moved = max(abs(float(value)) for value in seen)
    assert SINGLE_EPSILON ** (1 / 3) / 100 < moved <= SINGLE_EPSILON ** (1 / 3)


@modest
@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=3), seed=st.integers(0, 2**32 - 1))
def test_a_random_direction_has_length_1(sizes, seed):
    inputs = [np.ones(size, np.float32) for size in sizes]
    direction = numerical.random_direction(inputs, np.random.default_rng(seed))
    assert [array.shape for array in direction] == [array.shape for array in inputs]
    assert {array.dtype for array in direction} == {np.dtype(float)}
    assert math.isclose(np.linalg.norm(flat(direction)), 1)


def test_no_direction_is_preferred():
    """The entries of many directions average to 0, their squares and products to 1/n and 0."""
    rng = np.random.default_rng(3)
    found = np.array([numerical.random_direction([np.ones(3)], rng)[0] for _ in range(20_000)])
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(found.T @ found / len(found), np.eye(3) / 3, atol=0.01)


@pytest.mark.parametrize("error", ["in one entry", "spread"])
@pytest.mark.parametrize("r", [100, 300])
@pytest.mark.parametrize("k", [1, 2])
def test_an_error_goes_unseen_as_often_as_the_docstring_says(error, r, k):
    """0.8 / r times the square root of the number of entries, to the power of the directions."""
    n, n_trials = 400, 10_000
    rng = np.random.default_rng(4)
    wrong = rng.normal(size=n) if error == "spread" else np.eye(n)[0]
    wrong *= r / np.linalg.norm(wrong)  # the tolerance is 1
    directions = (numerical.random_direction([wrong], rng)[0] for _ in range(k * n_trials))
    unseen = np.array([abs(direction @ wrong) < 1 for direction in directions])
    missed = unseen.reshape(n_trials, k).all(axis=1).mean()
    told = (0.8 / r * math.sqrt(n)) ** k
    assert abs(missed - told) < 4 * math.sqrt(told / n_trials)


# The parts


def test_what_is_copied_shares_nothing():
    value = {"w": np.ones(2), "nested": {"b": np.ones(1)}}
    copy = numerical.copied(value)
    copy["w"] += 1
    copy["nested"]["b"] += 1
    assert value["w"].tolist() == [1, 1]
    assert value["nested"]["b"].tolist() == [1]


def test_arrays_come_in_the_order_of_the_inputs_and_their_keys():
    value = [np.array(1.0), {"b": np.array(2.0), "a": np.array(3.0)}, np.array(4.0)]
    assert [float(array) for array in numerical.arrays_in(value)] == [1, 2, 3, 4]


def test_moving_leaves_the_inputs_where_they_are():
    x, direction = {"w": np.ones(2)}, {"w": np.array([1.0, -1.0])}
    (moved,) = numerical.moved([x], [direction], 0.5)
    assert moved["w"].tolist() == [1.5, 0.5]
    assert x["w"].tolist() == [1, 1]

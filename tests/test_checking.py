"""The gradient checker: it passes what is right, and tells what is wrong, with its place."""

import math

import numpy as np
import pytest
from gradient_check import modest
from hypothesis import given
from hypothesis import strategies as st

from backprop_book import (
    absolute,
    assert_gradient,
    check_gradient,
    compose,
    cross_entropy,
    dense,
    getitem,
    initialize,
    maximum,
    network_loss,
    relu,
    squared_error,
    tanh,
)
from backprop_book.checking import Entry, GradientCheck, InputCheck

SEED = 7
X = np.random.default_rng(SEED).normal(size=(4, 3))
W = np.random.default_rng(8).normal(size=(3, 2))
B = np.random.default_rng(9).normal(size=2)
LABELS = np.array([0, 2, 1, 1])
POSITIVE = np.exp(X)


def rng(seed=0):
    return np.random.default_rng(seed)


def elementwise(f, slope):
    """Make a function that works entry by entry, in the book's convention."""
    return lambda x: (f(x), lambda doutput: doutput * slope(x))


square = elementwise(np.square, lambda x: 2 * x)


def verdicts(found):
    return [row.verdict for row in found.inputs]


def passes(function, *inputs, **options):
    found = check_gradient(function, *inputs, **options)
    assert found.passed, str(found)
    assert verdicts(found) == ["right"] * len(found.inputs)
    return found


def problem_of(function, *inputs, **options):
    """Return the one problem of a check that does not pass."""
    found = check_gradient(function, *inputs, **options)
    assert not found.passed
    (problem,) = found.problems
    assert f"\n! {problem}" in str(found)
    return problem


# Right ones


def sum_of_squares(x):
    return float(np.sum(x**2)), lambda dloss: 2 * x * dloss


def mixed(parameters, x, scale):
    y = scale * (x @ parameters["w"]) + parameters["b"]

    def backward(dy):
        dw = scale * x.T @ dy
        dx = scale * dy @ parameters["w"].T
        return {"w": dw, "b": dy.sum(axis=0)}, dx, np.sum(dy * (x @ parameters["w"]))

    return y, backward


def chosen(x, ids, mode="rows"):
    output, backward = getitem(x, ids)
    return output, lambda doutput: (backward(doutput), None, None)


def returns_a_list(a, b):
    return a * b, lambda doutput: [doutput * b, doutput * a]


RIGHT = {
    "a vector": (square, X[0]),
    "a matrix": (square, X),
    "three axes": (square, X.reshape(2, 3, 2)),
    "no axes": (square, np.array(1.5)),
    "a scalar of NumPy": (square, np.float64(1.5)),
    "a number of Python": (elementwise(math.exp, math.exp), 1.5),
    "an output that is a number of Python": (sum_of_squares, X),
    "several inputs": (dense, X, W, B),
    "gradients in a list": (returns_a_list, X, X + 1),
    "whole numbers, with one gradient for the floats": (cross_entropy, X, LABELS),
    "whole numbers and a string, with None for these": (chosen, X, LABELS, "rows"),
    "a dict alone": (
        lambda p: network_loss(p, X, np.ones((4, 2)), tanh),
        initialize([3, 4, 2], rng()),
    ),
    "a dict and arrays, with a gradient for the dict alone": (
        lambda p, x, y: network_loss(p, x, y, tanh),
        initialize([3, 4, 2], rng()),
        X,
        np.ones((4, 2)),
    ),
    "a list of whole numbers is passed on": (
        lambda x, shape: (x.reshape(shape), lambda doutput: doutput.reshape(x.shape)),
        X,
        [2, 6],
    ),
    "a number, with None for it": (
        lambda x, a: (a * x, lambda doutput: (a * doutput, None)),
        X,
        2.0,
    ),
    "a number, without a gradient": (lambda x, a: (a * x, lambda doutput: a * doutput), X, 2.0),
    "a number, with its gradient": (
        lambda x, a: (a * x, lambda doutput: (a * doutput, np.sum(doutput * x))),
        X,
        2.0,
    ),
    "any number of arguments": (lambda *arrays: compose([tanh, relu])(*arrays), X),
    "not contiguous": (square, X.T[::2]),
    "a gradient of whole numbers": (lambda x: (2 * x.sum(), lambda d: np.full(3, 2) * d), X[0]),
}


@pytest.mark.parametrize("case", RIGHT.values(), ids=RIGHT.keys())
@pytest.mark.parametrize("directions", [None, 3])
def test_a_right_gradient_passes(case, directions):
    function, *inputs = case
    assert passes(function, *inputs, directions=directions).problems == ()


@pytest.mark.parametrize("seed", range(5))
def test_a_right_gradient_passes_whatever_the_draw(seed):
    passes(dense, X, W, B, rng=rng(seed))


def test_the_names_of_the_inputs():
    def names(function, *inputs):
        return [row.name for row in check_gradient(function, *inputs).inputs]

    assert names(dense, X, W, B) == ["x", "weights", "bias"]
    assert names(cross_entropy, X, LABELS) == ["logits"]
    assert names(mixed, {"w": W, "b": B}, X, 2.0) == [
        "parameters['w']",
        "parameters['b']",
        "x",
        "scale",
    ]
    assert names(lambda a, *rest: dense(a, *rest), X, W, B) == ["a", "input 2", "input 3"]


def test_a_backward_beside_its_function():
    def backward(doutput, x, weights):
        return doutput @ weights.T, x.T @ doutput

    passes(np.matmul, X, W, backward=backward)
    wrong = check_gradient(np.matmul, X, W, backward=lambda *args: backward(*args)[::-1])
    assert [row.verdict for row in wrong.inputs] == ["missing", "missing"]
    passes(lambda x: np.cumsum(x), X[0], backward=lambda d, x: np.cumsum(d[::-1])[::-1])


@pytest.mark.parametrize("wrt", ["x", 0, ["x"], (0,)], ids=repr)
def test_the_gradient_by_some_inputs(wrt):
    def only_x(x, weights):
        return x @ weights, lambda doutput: doutput @ weights.T

    (row,) = passes(only_x, X, W, wrt=wrt).inputs
    assert (row.name, row.shape) == ("x", (4, 3))


def test_one_of_several_gradients_may_be_looked_at_alone():
    def wrong_bias(x, weights, bias):
        y, backward = dense(x, weights, bias)
        return y, lambda dy: (*backward(dy)[:2], -backward(dy)[2])

    passes(wrong_bias, X, W, B, wrt=["x", "weights"])
    assert not check_gradient(wrong_bias, X, W, B, wrt="bias")
    assert not check_gradient(wrong_bias, X, W, B, wrt=2)


def test_wrt_gives_the_order_and_counts_a_name_once():
    def two_of_three(x, weights, bias):
        y, backward = dense(x, weights, bias)
        return y, lambda dy: backward(dy)[::-2]

    found = passes(two_of_three, X, W, B, wrt=["bias", 0])
    assert [row.name for row in found.inputs] == ["bias", "x"]
    assert not check_gradient(two_of_three, X, W, B, wrt=["x", "bias"])
    assert len(passes(square, X, wrt=["x", 0, "x"]).inputs) == 1


def test_a_number_may_be_named_by_wrt():
    def scaled(x, a):
        return a * x, lambda doutput: np.sum(doutput * x)

    assert passes(scaled, X, 2.0, wrt="a").inputs[0].shape == ()


# Wrong ones


def dense_with(change):
    def function(x, weights, bias):
        y, backward = dense(x, weights, bias)
        return y, lambda dy: change(*(gradient.copy() for gradient in backward(dy)), dy)

    return function


def one_entry(dx, dweights, dbias, dy):
    dweights[2, 1] *= 1.01
    return dx, dweights, dbias


def test_a_wrong_entry_is_told_with_its_place_and_both_values():
    generator = rng(3)
    found = check_gradient(dense_with(one_entry), X, W, B, rng=generator)
    dy = rng(3).normal(size=(4, 2))
    right = (X.T @ dy)[2, 1]
    assert not found
    assert verdicts(found) == ["right", "wrong", "right"]
    row = found.inputs[1]
    assert (row.name, row.shape, row.where, row.n_wrong, row.n_kinks) == (
        "weights",
        (3, 2),
        (2, 1),
        1,
        0,
    )
    assert math.isclose(row.backward, 1.01 * right, rel_tol=1e-12)
    assert math.isclose(row.measured, right, rel_tol=1e-7)
    assert math.isclose(row.absolute_error, 0.01 * abs(right), rel_tol=1e-5)
    assert math.isclose(row.relative_error, 0.01 / 1.01, rel_tol=1e-5)
    head, columns, *lines = str(found).splitlines()
    assert head == "THE GRADIENT IS WRONG"
    assert columns.split() == [
        *("input", "shape", "verdict", "relative", "error", "at", "backward", "measured")
    ]
    told = ["9.9e-03", "[2,1]", f"{1.01 * right:.6g}", f"{right:.6g}"]
    assert lines[1].split() == ["weights", "(3,2)", "wrong", *told]
    assert [line.split() for line in lines[::2]] == [
        ["x", "(4,3)", "right", "<", "1e-6"],
        ["bias", "(2,)", "right", "<", "1e-6"],
    ]


@pytest.mark.parametrize("factor", [1 + 1e-5, 1 - 1e-5, -1, 0, 2, 0.5, 100], ids=repr)
@pytest.mark.parametrize("directions", [None, 2])
def test_a_factor_is_caught(factor, directions):
    wrong = elementwise(np.sin, lambda x: factor * np.cos(x))
    assert verdicts(check_gradient(wrong, X, directions=directions)) == ["wrong"]


def test_the_worst_entry_is_told():
    factors = np.array([1, 1.1, 1, 1.5, 1.2])
    (row,) = check_gradient(lambda x: (x, lambda d: factors * d), np.ones(5)).inputs
    assert (row.where, row.n_wrong) == ((3,), 3)


@modest
@given(st.integers(0, 11), st.floats(1e-4, 1e3), st.sampled_from([-1, 1]), st.integers(0, 99))
def test_any_one_entry_is_found(entry, error, sign, seed):
    def function(x):
        def backward(doutput):
            dx = 2 * x * doutput
            dx.flat[entry] += sign * error * np.abs(dx).max()
            return dx

        return x**2, backward

    (row,) = check_gradient(function, X, rng=rng(seed)).inputs
    assert (row.verdict, row.n_wrong) == ("wrong", 1)
    assert row.where == np.unravel_index(entry, X.shape)


def test_a_wrong_entry_of_a_dict_is_told_by_its_key():
    def function(p):
        return p["w"] * p["v"], lambda d: {"w": d * p["v"], "v": d * p["v"]}

    found = check_gradient(function, {"w": X, "v": X + 1})
    assert [(row.name, row.verdict) for row in found.inputs] == [
        ("p['w']", "right"),
        ("p['v']", "wrong"),
    ]


def test_a_gradient_of_zeros_where_there_is_none():
    passes(elementwise(np.ones_like, np.zeros_like), X)
    wrong = elementwise(np.ones_like, lambda x: np.full_like(x, 1e-4))
    assert verdicts(check_gradient(wrong, X)) == ["wrong"]


def test_what_cancels_is_right_although_only_rounding_can_be_measured():
    """A bias before the mean is subtracted: its gradient is zero, and neither side says so."""

    def centred(bias):
        y = X + bias
        return y - y.mean(axis=0), lambda d: (d - d.mean(axis=0)).sum(axis=0)

    passes(centred, np.ones(3))
    passes(centred, np.ones(3), directions=3)


def test_an_offset_does_not_hide_an_error():
    """What the rounding of a large output may hide in a quick look is measured again."""

    def function(factor):
        return lambda x: (np.sum(np.sin(x)) + 1e8, lambda d: factor * d * np.cos(x))

    passes(function(1.0), X)
    assert verdicts(check_gradient(function(1.003), X)) == ["wrong"]
    assert verdicts(check_gradient(function(1.003), X, directions=3)) == ["wrong"]


def test_a_slope_too_steep_to_measure_hides_no_error():
    """Just below the largest number one of the two sides is infinite, and so is the slope."""
    x = np.array([709.7827])
    passes(elementwise(np.exp, np.exp), x)
    assert verdicts(check_gradient(elementwise(np.exp, lambda x: 0 * x), x)) == ["wrong"]


# Scales, and functions that are hard to measure

HARD = {
    "squares": (np.square, lambda x: 2 * x),
    "sines": (np.sin, np.cos),
    "small outputs": (lambda x: 1e-8 * np.sin(x), lambda x: 1e-8 * np.cos(x)),
    "large outputs": (lambda x: 1e8 * np.sin(x), lambda x: 1e8 * np.cos(x)),
    "steep": (lambda x: np.sin(30 * x), lambda x: 30 * np.cos(30 * x)),
    "exponentials": (np.exp, np.exp),
    "of large numbers": (lambda x: np.exp(100 * x), lambda x: 100 * np.exp(100 * x)),
}


@pytest.mark.parametrize(("f", "slope"), HARD.values(), ids=HARD.keys())
@pytest.mark.parametrize("directions", [None, 3])
def test_functions_of_every_scale(f, slope, directions):
    passes(elementwise(f, slope), X, directions=directions)
    wrong = elementwise(f, lambda x: 1.001 * slope(x))
    assert verdicts(check_gradient(wrong, X, directions=directions)) == ["wrong"]


@pytest.mark.parametrize("size", [1e-8, 1e-4, 1e4, 1e8])
@pytest.mark.parametrize("directions", [None, 3])
def test_inputs_of_every_scale(size, directions):
    f, slope = (lambda x: np.sin(x / size)), (lambda x: np.cos(x / size) / size)
    passes(elementwise(f, slope), size * X, directions=directions)
    wrong = elementwise(f, lambda x: 1.001 * slope(x))
    assert not check_gradient(wrong, size * X, directions=directions)


@pytest.mark.parametrize("power", [-0.5, 0.5, 0, -1])
def test_near_the_edge_of_where_a_function_is_defined(power):
    """A step of the usual length would lead over the edge, and NumPy would warn of it."""
    x = np.array([1e-8, 1e-6, 1e-3, 1.0])
    f = (lambda x: x**power) if power else np.log

    def slope(x):
        return (power or 1) * x ** (power - 1)

    passes(elementwise(f, slope), x)
    assert not check_gradient(elementwise(f, lambda x: 2 * slope(x)), x)
    passes(elementwise(f, slope), x, directions=3)


def noise(x):
    """Return what looks random, and is the same for the same x, between -1/2 and 1/2."""
    return (1e4 * np.sin(1e9 * x)) % 1 - 0.5


@modest
@given(st.integers(0, 10**6), st.sampled_from([1e-12, 1e-10, 1e-9, 1e-8]))
def test_noise_is_no_reason_to_accuse(seed, size):
    x = rng(seed).normal(size=3)
    passes(elementwise(lambda x: x**2 + size * noise(x), lambda x: 2 * x), x)


def test_an_error_is_seen_through_noise():
    wrong = elementwise(lambda x: x**2 + 1e-9 * noise(x), lambda x: 2.01 * x)
    assert verdicts(check_gradient(wrong, X)) == ["wrong"]


def test_too_rough_to_be_measured():
    rough = elementwise(lambda x: x + 0.1 * noise(x), np.ones_like)
    found = check_gradient(rough, X)
    assert not found.passed
    assert verdicts(found) == ["unclear"]
    assert str(found).splitlines()[0] == "the check does not pass"


# Kinks

KINKED = {
    "relu": (relu, [0.0, 1.0, -1.0]),
    "the slope of one side of an absolute value": (
        elementwise(np.abs, lambda x: np.where(x >= 0, 1.0, -1.0)),
        [0.0, 1.0, -1.0],
    ),
    "leaky": (
        elementwise(lambda x: np.where(x > 0, x, 0.1 * x), lambda x: np.where(x > 0, 1, 0.1)),
        [0.0, 1.0, -1.0],
    ),
    "the slope of the left": (
        elementwise(lambda x: np.maximum(x, 0), lambda x: np.where(x >= 0, 1.0, 0.0)),
        [0.0, 1.0, -1.0],
    ),
}


@pytest.mark.parametrize(("function", "x"), KINKED.values(), ids=KINKED.keys())
def test_a_kink_is_called_one(function, x):
    found = check_gradient(function, np.array(x))
    (row,) = found.inputs
    assert found.passed
    assert (row.verdict, row.n_kinks, row.where) == ("kink", 1, (0,))
    assert "(3,)   right, 1 kink  < 1e-6" in str(found)


def test_ties_in_a_maximum_are_kinks():
    def first_takes_all(a, b):
        return np.maximum(a, b), lambda d: (d * (a >= b), d * (a < b))

    a, b = np.array([1.0, 2.0, 3.0]), np.array([1.0, 5.0, 3.0])
    found = check_gradient(first_takes_all, a, b)
    assert found.passed
    assert [row.n_kinks for row in found.inputs] == [2, 2]
    assert "right, 2 kinks" in str(found)


def test_the_mean_of_both_sides_is_what_is_measured_at_a_kink():
    """So it is right without more ado, as the zero of an absolute value, and halves at a tie."""
    passes(absolute, np.array([0.0, 1.0]))
    passes(maximum, np.array([1.0, 2.0]), np.array([1.0, 1.0]))


def test_a_row_of_zeros_through_a_layer_with_relu():
    def layer(x, weights, bias):
        z, dense_backward = dense(x, weights, bias)
        y, relu_backward = relu(z)
        return y, lambda dy: dense_backward(relu_backward(dy))

    x = X.copy()
    x[1] = 0
    found = check_gradient(layer, x, W, np.zeros(2))
    assert found.passed
    by_name = {row.name: row for row in found.inputs}
    assert by_name["x"].n_kinks == 3
    assert by_name["bias"].n_kinks == 2
    assert by_name["weights"].verdict == "right"


@pytest.mark.parametrize("distance", [1e-4, 1e-5, 1e-6, 1e-7, 1e-8])
@pytest.mark.parametrize("side", [-1, 1])
def test_near_a_kink_but_not_at_it(distance, side):
    """Steps of the usual length reach over the kink; the slope is what it is all the same."""
    x = side * np.array([distance, 1.0])
    passes(relu, x)
    passes(absolute, x)
    if distance > 1e-7:
        wrong = elementwise(lambda x: np.maximum(x, 0), lambda x: (x < 0) + 2.0)
        assert check_gradient(wrong, x).inputs[0].n_wrong == 2


def test_a_wrong_entry_beside_a_kink_is_wrong():
    wrong = elementwise(lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, 1.1, 0.0))
    (row,) = check_gradient(wrong, np.array([0.0, 1.0])).inputs
    assert (row.verdict, row.where, row.n_kinks, row.n_wrong) == ("wrong", (1,), 1, 1)


def test_an_entry_at_a_kink_that_is_larger_than_both_sides_is_wrong():
    wrong = elementwise(lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, 1.0, 17.0 * (x == 0)))
    assert verdicts(check_gradient(wrong, np.array([0.0, 1.0]))) == ["wrong"]


def test_a_steep_bend_is_no_kink():
    passes(elementwise(lambda x: np.tanh(200 * x), lambda x: 200 / np.cosh(200 * x) ** 2), X / 100)
    wrong = elementwise(lambda x: np.tanh(200 * x), lambda x: 190 / np.cosh(200 * x) ** 2)
    assert verdicts(check_gradient(wrong, X / 100)) == ["wrong"]


# Along random directions


def counted(function):
    def calling(*inputs):
        calling.n += 1
        return function(*inputs)

    calling.n = 0
    return calling


def test_directions_cost_the_same_whatever_the_number_of_entries():
    def calls(size, **options):
        function = counted(square)
        passes(function, np.linspace(1, 2, size), **options)
        return function.n

    assert calls(10, directions=2) == calls(3000, directions=2) < 200
    assert calls(10, directions=5) - calls(10, directions=2) == 3 * 2
    assert calls(30) - calls(10) == 20 * 2


def test_a_quick_look_along_a_direction_is_enough_whatever_the_scale():
    def calls(size):
        function = counted(
            elementwise(lambda x: np.sin(x / size), lambda x: np.cos(x / size) / size)
        )
        check_gradient(function, size * X, directions=50)
        return function.n

    assert calls(1e8) == calls(1.0)


def test_directions_find_one_wrong_entry_among_many():
    def function(x):
        def backward(doutput):
            dx = 2 * x * doutput
            dx[77] *= -1
            return dx

        return x**2, backward

    found = check_gradient(function, rng(1).normal(size=1000), directions=2)
    (row,) = found.inputs
    assert (row.verdict, row.where) == ("wrong", None)
    assert len(str(found).splitlines()[2].split()) == 6  # no place, all else


def test_a_kink_along_a_direction():
    found = check_gradient(relu, np.zeros(4), directions=3)
    assert found.passed
    assert (found.inputs[0].verdict, found.inputs[0].n_kinks) == ("kink", 3)


# Problems of other kinds


def test_a_function_that_changes_from_call_to_call():
    generator = rng()
    function = elementwise(lambda x: x * generator.random(x.shape), lambda x: x)
    assert "another output when called again" in problem_of(function, X)


def test_a_function_that_changes_its_inputs():
    def function(x):
        x *= 2
        return x, lambda doutput: 2 * doutput

    kept = X.copy()
    assert problem_of(function, X) == "the function changes its inputs in place"
    np.testing.assert_array_equal(X, kept)


def test_a_function_that_changes_whole_numbers():
    def function(x, labels):
        output, backward = cross_entropy(x, labels.copy())
        labels[0] = 1
        return output, backward

    assert problem_of(function, X, LABELS) == "the function changes its inputs in place"
    assert LABELS[0] == 0


def test_a_backward_that_changes_the_inputs():
    def function(x):
        def backward(doutput):
            dx = 2 * x * doutput
            x[0] = 0
            return dx

        return x**2, backward

    kept = X.copy()
    found = check_gradient(function, X)
    assert "backward changes the inputs of its function in place" in found.problems
    np.testing.assert_array_equal(X, kept)


def test_a_backward_that_changes_the_gradient_that_it_is_given():
    def function(x):
        def backward(doutput):
            doutput *= 2 * x
            return doutput

        return x**2, backward

    assert problem_of(function, X) == "backward changes the gradient that it is given"


def test_a_backward_that_may_be_called_once():
    def function(x):
        kept = [2 * x]
        return x**2, lambda doutput: kept.pop() * doutput

    problem = problem_of(function, X)
    assert problem.startswith("backward cannot be called a second time: IndexError: pop from")


@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_a_backward_that_adds_to_what_it_keeps(scale):
    def function(x):
        total = np.zeros_like(x)

        def backward(doutput):
            nonlocal total
            total += 2 * x * doutput
            return total

        return x**2, backward

    problem = problem_of(function, scale * X)
    assert (
        problem == "backward gives another gradient when called a second time: it keeps something"
    )


FORMS = {
    "too few": (
        lambda dx, dw, db: (dx, dw),
        "backward returned 2 gradients; it should return 3, for x, weights, bias (or say with wrt "
        "which inputs they are for)",
    ),
    "one alone": (lambda dx, dw, db: dx, "backward returned 1 gradient; it should return 3"),
    "too many": (lambda *all: (*all, all[0]), "backward returned 4 gradients; it should return 3"),
    "None alone": (lambda *all: None, "backward returned 1 gradient; it should return 3"),
    "None for one": (
        lambda dx, dw, db: (dx, None, db),
        "backward returned None for weights; it should be its gradient",
    ),
    "transposed": (
        lambda dx, dw, db: (dx, dw.T, db),
        "the gradient of weights has shape (2, 3); it should be (3, 2)",
    ),
    "with an axis of one": (
        lambda dx, dw, db: (dx, dw, db[None]),
        "the gradient of bias has shape (1, 2); it should be (2,)",
    ),
    "a number": (
        lambda dx, dw, db: (dx, dw, 1.0),
        "the gradient of bias has shape (); it should be (2,)",
    ),
    "NaN": (
        lambda dx, dw, db: (dx, dw, db * np.nan),
        "the gradient of bias has entries that are not finite",
    ),
    "infinite": (
        lambda dx, dw, db: (dx / 0.0, dw, db),
        "the gradient of x has entries that are not finite",
    ),
    "a string": (
        lambda dx, dw, db: (dx, dw, "db"),
        "the gradient of bias is a str, no array of floats",
    ),
    "a dict": (
        lambda dx, dw, db: (dx, dw, {"bias": db}),
        "the gradient of bias is a dict, no array of floats",
    ),
    "complex": (
        lambda dx, dw, db: (dx, dw, db + 1j),
        "the gradient of bias is an array, no array of floats",
    ),
}


@pytest.mark.parametrize(("change", "message"), FORMS.values(), ids=FORMS.keys())
def test_gradients_that_do_not_fit(change, message):
    with np.errstate(all="ignore"):
        found = check_gradient(dense_with(lambda *args: change(*args[:3])), X, W, B)
    (problem,) = found.problems
    assert problem.startswith(message)
    assert "missing" in verdicts(found)
    assert str(found).startswith("THE GRADIENT IS WRONG\n")
    assert str(found).endswith(f"! {problem}")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda dp: {"w": dp["w"]}, "['w']"),
        (lambda dp: dp | {"c": dp["b"]}, "['w', 'b', 'c']"),
        (lambda dp: (dp["w"], dp["b"]), "2 gradients"),
        (lambda dp: dp["w"], "an array"),
    ],
    ids=["a key too few", "a key too many", "a tuple", "an array"],
)
def test_a_dict_whose_gradient_does_not_fit(change, told):
    def function(p):
        y, backward = mixed(p, X, 1.0)
        return y, lambda dy: change(backward(dy)[0])

    problem = problem_of(function, {"w": W, "b": B})
    assert problem.startswith(f"backward returned {told}")
    assert "p" in problem
    assert verdicts(check_gradient(function, {"w": W, "b": B})) == ["missing", "missing"]


def test_the_keys_of_a_gradient_may_stand_in_another_order():
    passes(
        lambda p: (p["a"] * p["b"], lambda d: {"b": d * p["a"], "a": d * p["b"]}), {"a": X, "b": X}
    )


def test_an_output_that_is_not_finite():
    function = elementwise(lambda x: np.where(x > 1, np.inf, x), np.ones_like)
    assert (
        problem_of(function, np.array([0.0, 2.0])) == "the output has entries that are not finite"
    )


# Digits that are lost


def one_sided(f, h=1e-8):
    return lambda x: (f(x + h) - f(x)) / h


LOSSY = {
    "float32": lambda x: np.float32(np.cos(x)).astype(float),
    "float32 returned": lambda x: np.cos(x),
    "float16": lambda x: np.float16(np.cos(x)).astype(float),
    "a one-sided difference": one_sided(np.sin),
    "a constant of seven digits": lambda x: 1.0000001 * np.cos(x),
}


@pytest.mark.parametrize("slope", LOSSY.values(), ids=LOSSY.keys())
@pytest.mark.parametrize("directions", [None, 3])
def test_lost_digits_are_told(slope, directions):
    def function(x):
        def backward(doutput):
            dx = doutput * slope(x)
            return dx.astype(np.float32) if slope is LOSSY["float32 returned"] else dx

        return np.sin(x), backward

    found = check_gradient(function, X, directions=directions)
    assert not found.passed
    assert found.problems or verdicts(found) == ["wrong"]
    if slope is not LOSSY["float16"]:
        assert verdicts(found) == ["right"]
        assert "right to a few digits only" in found.problems[0]
        assert str(found).startswith("the check does not pass\n")


@modest
@given(st.integers(0, 10**6), st.sampled_from(list(HARD)), st.floats(-8, 8))
def test_an_honest_gradient_is_not_accused_of_lost_digits(seed, name, power):
    f, slope = HARD[name]
    size = 10.0**power
    x = rng(seed).normal(size=5)
    assert check_gradient(elementwise(f, slope), x, rng=rng(seed)).problems == ()
    scaled = elementwise(lambda x: f(x / size), lambda x: slope(x / size) / size)
    assert check_gradient(scaled, x * size, rng=rng(seed)).problems == ()


def test_digits_lost_in_an_entry_of_many():
    def function(x):
        def backward(doutput):
            dx = 2 * x * doutput
            dx[0] *= 1 + 5e-7
            return dx

        return x**2, backward

    assert "a small part of it is wrong" in problem_of(function, np.ones(10))


# The report


def test_a_check_is_as_true_as_the_gradient():
    right, wrong = (
        check_gradient(square, X),
        check_gradient(elementwise(np.square, np.ones_like), X),
    )
    assert right
    assert not wrong
    assert right.passed is True
    assert wrong.passed is False
    assert bool(right) is True


def test_what_a_check_prints():
    found = check_gradient(square, X)
    assert repr(found) == str(found)
    assert str(found).splitlines() == [
        "the gradient is right",
        "input  shape  verdict  relative error  at  backward  measured",
        "x      (4,3)  right    < 1e-6",
    ]
    spoiled = GradientCheck((), ("the output has entries that are not finite",))
    assert str(spoiled) == "the check does not pass\n! the output has entries that are not finite"


@pytest.mark.parametrize(
    ("verdict", "passed"),
    [("right", True), ("kink", True), ("wrong", False), ("unclear", False), ("missing", False)],
)
def test_which_verdicts_pass(verdict, passed):
    rows = (InputCheck("x", (2,), "right"), InputCheck("y", (2,), verdict))
    assert GradientCheck(rows, ()).passed is passed
    assert not GradientCheck(rows, ("a problem",)).passed


def test_a_relative_error_is_one_of_the_larger_value():
    assert Entry(None, 2.0, 1.0, 0.0, "wrong").relative_error(0.0) == 0.5
    assert Entry(None, 1e-9, 0.0, 0.0, "wrong").relative_error(1.0) == pytest.approx(1e-6)
    assert Entry(None, 0.0, 0.0, 0.0, "right").relative_error(0.0) == 0.0


def test_the_same_is_told_every_time():
    wrong = elementwise(np.square, np.ones_like)
    assert str(check_gradient(wrong, X)) == str(check_gradient(wrong, X))
    assert str(check_gradient(wrong, X)) == str(check_gradient(wrong, X, rng=rng(0)))
    assert str(check_gradient(wrong, X)) != str(check_gradient(wrong, X, rng=rng(1)))


def test_nothing_that_is_passed_in_is_changed():
    parameters, x = {"w": W.copy(), "b": B.copy()}, X.copy()
    x.flags.writeable = False
    passes(mixed, parameters, x, 2.0)
    np.testing.assert_array_equal(parameters["w"], W)
    np.testing.assert_array_equal(parameters["b"], B)
    np.testing.assert_array_equal(x, X)


class Own(Exception):
    """An error that only these tests raise."""


@pytest.mark.parametrize("where", ["function", "backward"])
@pytest.mark.parametrize("check", [check_gradient, assert_gradient])
def test_the_errors_of_the_function_come_through(where, check):
    def function(x):
        def backward(doutput):
            raise Own("in backward")

        if where == "function":
            raise Own("in function")
        return x, backward

    with pytest.raises(Own, match=f"in {where}"):
        check(function, X)


# In a test


@pytest.mark.parametrize("options", [{}, {"directions": 3}, {"wrt": "prediction"}, {"rng": rng(4)}])
def test_a_right_gradient_is_asserted_in_silence(options, capsys):
    def squared(prediction):
        loss, backward = squared_error(prediction, X + 1)
        return loss, lambda dloss: backward(dloss)[0]

    assert assert_gradient(squared, X, **options) is None
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("options", [{}, {"directions": 3}, {"wrt": "x"}, {"wrt": 0}])
def test_a_failure_holds_the_table_and_the_diagnosis(options):
    wrong = elementwise(np.sin, lambda x: -np.cos(x))
    with pytest.raises(AssertionError) as caught:
        assert_gradient(wrong, X, **options)
    table, diagnosis = str(caught.value).split("\n\n")
    assert table == str(check_gradient(wrong, X, **options))
    assert diagnosis.startswith("likely: the sign is wrong")


def test_a_failure_with_backward_beside_the_function():
    with pytest.raises(AssertionError, match="likely: the sign is wrong"):
        assert_gradient(np.sin, X, backward=lambda d, x: -np.cos(x) * d)


def test_a_problem_alone_fails_too():
    def function(x):
        kept = [2 * x]
        return x**2, lambda doutput: kept.pop() * doutput

    with pytest.raises(AssertionError, match="cannot be called a second time"):
        assert_gradient(function, X)


def test_a_diagnosis_that_cannot_be_made_hides_nothing(monkeypatch):
    def refuses(*args, **options):
        raise Own("no such values")

    monkeypatch.setattr("backprop_book.diagnosing.diagnose", refuses)
    with pytest.raises(AssertionError) as caught:
        assert_gradient(elementwise(np.sin, np.sin), X)
    assert str(caught.value).startswith("THE GRADIENT IS WRONG\n")
    assert str(caught.value).endswith("\n\nno diagnosis: Own: no such values")


def test_a_diagnosis_of_large_inputs_is_not_begun(monkeypatch):
    monkeypatch.setattr("backprop_book.diagnosing.diagnose", None)
    with pytest.raises(AssertionError) as caught:
        assert_gradient(elementwise(np.sin, np.sin), np.ones((40, 100)), directions=2)
    assert "\n\nno diagnosis: 4,000 entries are many; small inputs do" in str(caught.value)

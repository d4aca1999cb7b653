"""Forward mode: dual numbers against differences and against reverse mode, nested, and refused."""

import math

import numpy as np
import pytest
from engine_operations import OPERATIONS

import backprop_book as book
from backprop_book import Tensor, apply, grad, jvp, vjp
from backprop_book.dual import Dual, split
from backprop_book.kinds import ELEMENTWISE, LINEAR, MULTILINEAR, SELECTING

ONE = np.array(1.0)
LENGTHS = {"n": 3, "d": 2, "h": 4}
STEP = 5e-4  # for values of about 1 the differences below then err by some 1e-12


def slope(f, inputs, tangents):
    """Measure how f moves along tangents, by differences of four points."""

    def at(t):
        return f(*(x + t * v for x, v in zip(inputs, tangents, strict=True)))

    near, far = at(STEP) - at(-STEP), at(2 * STEP) - at(-2 * STEP)
    return (8 * near - far) / (12 * STEP)


def drawn(seed, *shapes):
    """Draw arrays of these shapes, and a tangent for each."""
    rng = np.random.default_rng(seed)
    return [[rng.normal(size=shape) for shape in shapes] for _ in range(2)]


def close(found, wanted, tolerance=1e-8):
    assert np.shape(found) == np.shape(wanted)
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


# One derivative


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_numpys_functions_and_operators_against_differences(operation):
    rng = np.random.default_rng(3)
    inputs = operation.arrays(LENGTHS, rng)
    tangents = [rng.normal(size=x.shape) for x in inputs]

    def f(*arrays):
        return operation.numpy(np, *arrays)

    value, tangent = jvp(f, inputs, tangents)
    np.testing.assert_array_equal(value, f(*inputs))
    close(tangent, slope(f, inputs, tangents), 1e-7)


LABELS = np.array([2, 0, 1])
HOUSE = {
    "relu": ([(3, 4)], book.relu, {}),
    "leaky_relu": ([(3, 4)], book.leaky_relu, {"slope": 0.3}),
    "sigmoid": ([(3, 4)], book.sigmoid, {}),
    "softplus": ([(3, 4)], book.softplus, {}),
    "gelu": ([(3, 4)], book.gelu, {}),
    "identity": ([(3, 4)], book.identity, {}),
    "softmax": ([(3, 4)], book.softmax, {}),
    "softmax of columns": ([(3, 4)], book.softmax, {"axis": 0}),
    "log_softmax": ([(3, 4)], book.log_softmax, {}),
    "logsumexp": ([(3, 4)], book.logsumexp, {}),
    "cross_entropy": ([(3, 4)], book.cross_entropy, {"labels": LABELS}),
    "hinge": ([(3, 4)], book.hinge, {"labels": LABELS}),
    "squared_error": ([(3, 4), (3, 4)], book.squared_error, {}),
    "dense": ([(3, 4), (4, 2), (2,)], book.dense, {}),
    "matmul": ([(2, 3, 4), (4, 2)], book.matmul, {}),
    "reduce_max": ([(3, 4)], book.reduce_max, {"axis": 1, "keepdims": True}),
    "reduce_mean": ([(3, 4)], book.reduce_mean, {"axis": (0, 1)}),
    "transpose": ([(2, 3, 4)], book.transpose, {"axes": (2, 0, 1)}),
    "getitem": ([(3, 4)], book.getitem, {"index": LABELS}),
    "scatter_add": ([(3, 4)], book.scatter_add, {"index": LABELS, "shape": (5, 4)}),
}


@pytest.mark.parametrize("shapes, function, options", HOUSE.values(), ids=HOUSE.keys())
def test_functions_of_the_package_against_differences_and_their_own_backward(
    shapes, function, options
):
    inputs, tangents = drawn(4, *shapes)
    output, backward = function(*inputs, **options)
    weights = np.random.default_rng(5).normal(size=np.shape(output))

    value, tangent = jvp(lambda *xs: apply(function, *xs, **options), inputs, tangents)
    np.testing.assert_array_equal(value, output)
    close(tangent, slope(lambda *xs: function(*xs, **options)[0], inputs, tangents))

    gradients = backward(weights)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    pulled = sum((g * v).sum() for g, v in zip(gradients, tangents, strict=True))
    close((weights * tangent).sum(), pulled, 1e-12)


def test_every_kind_of_function_is_among_those_tried():
    tried = {function for _, function, _ in HOUSE.values()}
    kinds = [kind.keys() for kind in (ELEMENTWISE, LINEAR, MULTILINEAR, SELECTING)]
    assert all(tried & kind for kind in kinds)
    assert tried - set().union(*kinds), "one that is run as written"


def test_a_loop_and_a_branch():
    def f(x):
        for _ in range(5):
            x = x * x + 0.1 if x > 0.5 else 2.0 * x
        return x

    for at in (0.3, 0.7):
        inputs, tangents = [np.array(at)], [np.array(3.0)]
        close(jvp(f, inputs, tangents)[1], slope(f, inputs, tangents))


def test_an_input_used_twice_and_one_not_used():
    value, tangent = jvp(lambda x, y: x * x + x, [np.array(3.0), ONE], [ONE, np.array(7.0)])
    assert (value, tangent) == (12.0, 7.0)


def test_a_zero_tangent_moves_nothing_and_tangents_add_up():
    inputs, (a, b) = [np.array([1.0, 2.0])], drawn(6, 2)

    def along(v):
        return jvp(lambda x: np.exp(x) * x[::-1], inputs, [v])[1]

    np.testing.assert_array_equal(along(np.zeros(2)), np.zeros(2))
    close(along(a[0] + 2 * b[0]), along(a[0]) + 2 * along(b[0]), 1e-14)


def test_the_chain_rule_to_a_depth_of_ten_thousand():
    def f(x):
        for _ in range(10_000):
            x = x + x * 1e-4
        return x

    value, tangent = jvp(f, [ONE], [ONE])
    close(tangent, value, 1e-12)


# Dicts of arrays


def test_a_dict_in():
    rng = np.random.default_rng(7)
    parameters = book.initialize([3, 4, 1], rng)
    direction = {name: rng.normal(size=p.shape) for name, p in parameters.items()}
    x, y = book.xor_lights()

    def loss(p):
        return book.network_loss(p, x, y.reshape(4, 1), book.tanh)

    value, backward = loss(parameters)
    gradients = backward(1.0)
    found = jvp(lambda p: loss(p)[0], [parameters], [direction])
    assert found[0] == value
    close(found[1], sum((gradients[k] * direction[k]).sum() for k in direction), 1e-12)


def test_a_dict_within_a_dict_in_and_out():
    x = {"a": {"b": np.array([1.0, 2.0])}, "c": np.array(3.0)}
    v = {"a": {"b": np.array([1.0, 0.0])}, "c": np.array(0.0)}
    value, tangent = jvp(lambda x: {"out": {"p": x["a"]["b"] * x["c"]}, "q": x["c"]}, [x], [v])
    np.testing.assert_array_equal(value["out"]["p"], [3.0, 6.0])
    np.testing.assert_array_equal(tangent["out"]["p"], [3.0, 0.0])
    assert (value["q"], tangent["q"]) == (3.0, 0.0)


# Derivatives inside of derivatives


def test_second_and_third_derivatives():
    def derivative(f):
        return lambda x: jvp(f, [x], [np.ones_like(x)])[1]

    second = derivative(derivative(lambda x: x**4))
    assert second(np.array(2.0)) == 48.0
    assert derivative(second)(np.array(2.0)) == 48.0
    close(derivative(derivative(np.sin))(np.array(0.7)), -math.sin(0.7), 1e-15)


def test_perturbations_are_not_confused():
    def outer(x):
        return x * jvp(lambda y: x + y, [ONE], [ONE])[1]

    assert jvp(outer, [ONE], [ONE]) == (1.0, 1.0)


def test_perturbations_are_not_confused_where_both_matter():
    """d/dx x * (d/dy x * y**2 at x) is d/dx 2 x**3."""

    def outer(x):
        return x * jvp(lambda y: x * y**2, [x], [ONE])[1]

    assert jvp(outer, [np.array(3.0)], [ONE]) == (54.0, 54.0)


@pytest.mark.parametrize("outer", ["forward", "reverse"])
@pytest.mark.parametrize("inner", ["forward", "reverse"])
def test_modes_are_not_confused_inside_of_one_another(outer, inner):
    derivatives = {
        "forward": lambda f: lambda x: jvp(f, [x], [np.ones_like(x)])[1],
        "reverse": grad,
    }

    def f(x):
        return x * derivatives[inner](lambda y: np.sin(x) * y**3 + x)(2.0 * x)

    x = 0.7  # f is 12 x**3 sin x
    wanted = 36 * x**2 * math.sin(x) + 12 * x**3 * math.cos(x)
    close(derivatives[outer](f)(np.array(x)), wanted, 1e-13)


def test_an_inner_function_that_returns_the_outer_variable():
    def outer(x):
        value, tangent = jvp(lambda y: x * 2.0, [ONE], [ONE])
        return value + tangent

    assert jvp(outer, [np.array(3.0)], [ONE]) == (6.0, 2.0)


def test_a_level_is_above_those_given_before():
    levels = []

    def note(x):
        levels.append(x.level)
        return x

    jvp(lambda x: jvp(note, [note(x)], [ONE])[0], [ONE], [ONE])
    jvp(note, [ONE], [ONE])
    assert levels == sorted(set(levels)) and levels[0] > 0


def test_jvp_through_a_backward():
    x, v = np.array([0.3, -0.8]), np.array([1.0, 2.0])

    def gradient(x):
        return vjp(lambda x: (x**2 * np.exp(x)).sum(), x)[1](1.0)

    close(jvp(gradient, [x], [v])[1], slope(gradient, [x], [v]))


def test_jvp_of_a_function_that_uses_a_tensor_keeps_it_on_its_tape():
    w = Tensor(3.0, requires_grad=True)
    _, tangent = jvp(lambda x: w * x**2, [np.array(2.0)], [ONE])
    tangent.backward()
    assert (tangent.item(), w.grad.item()) == (12.0, 4.0)


# What stays


def test_constants():
    constants = {
        "an array": lambda x: np.ones((2, 3)),
        "a number": lambda x: 2.0,
        "an index": lambda x: np.ones(2) * np.argmax(x),
        "a sign": lambda x: np.sign(x),
        "a comparison": lambda x: np.where(x > 0, 1.0, 0.0),
        "an array taken out": lambda x: x.numpy() ** 2,
        "a detached one": lambda x: x.detach() ** 2,
    }
    x = np.array([1.0, -2.0])
    for name, f in constants.items():
        value, tangent = jvp(f, [x], [np.ones(2)])
        assert not np.any(tangent) and np.shape(tangent) == np.shape(value), name
        assert tangent.dtype == np.float64, name


def test_whole_numbers_and_numbers_beside_a_dual():
    value, tangent = jvp(lambda x: 2 * x + np.arange(3) * x - 1, [np.ones(3)], [np.ones(3)])
    np.testing.assert_array_equal(value, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(tangent, [2.0, 3.0, 4.0])


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_float32_stays_float32(operation):
    rng = np.random.default_rng(8)
    inputs = operation.arrays(LENGTHS, rng)
    tangents = [rng.normal(size=x.shape) for x in inputs]

    def of(dtype):
        arrays = [[x.astype(dtype) for x in group] for group in (inputs, tangents)]
        return jvp(lambda *xs: operation.numpy(np, *xs), *arrays)

    assert {part.dtype for part in of(np.float32)} == {np.dtype("float32")}
    close(of(np.float32)[1], of(np.float64)[1], 1e-3)


def test_float32_and_float64_together_are_float64():
    x, y = np.ones(2, np.float32), np.ones(2)
    value, tangent = jvp(lambda x, y: x * y, [x, y], [x, y])
    assert value.dtype == tangent.dtype == np.float64
    assert jvp(lambda x: x * 2.5, [x], [x])[1].dtype == np.float32


def test_inputs_and_tangents_are_not_changed():
    inputs, tangents = drawn(9, (3,), (3,))
    kept = [x.copy() for x in inputs + tangents]

    def f(x, y):
        x[0] = y[1]
        y *= x
        return x + y

    jvp(f, inputs, tangents)
    for x, before in zip(inputs + tangents, kept, strict=True):
        np.testing.assert_array_equal(x, before)


# Entries set, and other changes in place


def test_setting_entries():
    def written(x, y):
        z = x * 1.0
        z[1] = y[0] * x[0]
        z[2:] = 5.0
        return z * z

    def stacked(x, y):
        return np.stack([x[0], y[0] * x[0], 5.0 + 0 * x[0], 5.0 + 0 * x[0]]) ** 2

    inputs, tangents = drawn(10, (4,), (2,))
    for a, b in zip(jvp(written, inputs, tangents), jvp(stacked, inputs, tangents), strict=True):
        np.testing.assert_array_equal(a, b)


def test_setting_entries_by_a_mask_and_by_a_list():
    def f(x):
        z = x * x
        z[x > 0] = 0.0
        z[[0, 3]] = x[1]
        return z

    x, v = np.array([1.0, -2.0, 3.0, -4.0, -5.0]), np.arange(1.0, 6.0)
    value, tangent = jvp(f, [x], [v])
    np.testing.assert_array_equal(value, [-2.0, 4.0, 0.0, -2.0, 25.0])
    np.testing.assert_array_equal(tangent, [2.0, -8.0, 0.0, 2.0, -50.0])


def test_setting_an_entry_leaves_what_was_computed_before():
    def f(x):
        y = x * 2.0
        x[0] = 0.0
        return y + x

    _, tangent = jvp(f, [np.ones(2)], [np.ones(2)])
    np.testing.assert_array_equal(tangent, [2.0, 3.0])


def test_setting_an_entry_to_one_of_an_inner_derivative():
    """The array that is written to comes to the level of what is written into it."""

    def outer(x):
        def inner(y):
            z = x * 1.0
            z[0] = y * x[1]
            return z.sum()

        return jvp(inner, [np.array(3.0)], [ONE])[1]

    value, tangent = jvp(outer, [np.array([1.0, 2.0])], [np.array([10.0, 20.0])])
    assert (value, tangent) == (2.0, 20.0)


def test_adding_in_place():
    def f(x):
        total = np.zeros(2)
        total += x
        total *= x
        return total

    np.testing.assert_array_equal(jvp(f, [np.array([1.0, 3.0])], [np.ones(2)])[1], [2.0, 6.0])


# Dual numbers themselves


def test_a_dual_number_shows_its_halves():
    assert repr(Dual(np.array(2.0), np.array(1.0), level=1) * 3) == "Dual(6.0, tangent=3.0)"


def test_split_takes_the_tangent_of_one_level():
    inner = Dual(np.array(2.0), ONE, level=1)
    x = Dual(inner, np.array(5.0), level=2)
    assert split(x, 2) == (inner, 5.0)
    assert split(x, 1, "still") == (x, "still")
    assert split(3.0, 1) == (3.0, None)


def test_numbers_made_of_a_dual_have_lost_the_tangent():
    value, tangent = jvp(lambda x: x / float(np.max(x)), [np.array([1.0, 4.0])], [np.ones(2)])
    np.testing.assert_array_equal(value, [0.25, 1.0])
    np.testing.assert_array_equal(tangent, [0.25, 0.25])


# Errors


SQUARE = np.ones(2), np.ones(2)
REFUSED = {
    "no function": (lambda: jvp(3.0, [ONE], [ONE]), TypeError, "f is a float; .* a function"),
    "an array for inputs": (
        lambda: jvp(np.sin, *SQUARE),
        TypeError,
        "inputs is an array; .* one entry for each argument of f",
    ),
    "no inputs": (lambda: jvp(np.sin, [], []), TypeError, "inputs is empty"),
    "whole numbers": (
        lambda: jvp(np.sin, [np.arange(2)], [np.arange(2)]),
        TypeError,
        r"inputs\[0\] .* int64.* float",
    ),
    "too few tangents": (
        lambda: jvp(np.add, [ONE, ONE], [ONE]),
        ValueError,
        "tangents has 1 entries; it should have 2, as inputs does",
    ),
    "a tangent of another shape": (
        lambda: jvp(np.sin, [np.ones(2)], [np.ones((2, 1))]),
        ValueError,
        r"tangents\[0\] has shape \(2, 1\); it should be \(2,\), as inputs\[0\] is",
    ),
    "a tangent of another dtype": (
        lambda: jvp(np.sin, [np.ones(2)], [np.ones(2, np.float32)]),
        TypeError,
        r"tangents\[0\] .*float32.*float64",
    ),
    "a tangent with other keys": (
        lambda: jvp(lambda p: p["w"], [{"w": ONE}], [{"v": ONE}]),
        ValueError,
        r"tangents\[0\] is \['v'\]; it should be a dict with the keys \['w'\]",
    ),
    "a tuple returned": (
        lambda: jvp(lambda x: (x, x), [ONE], [ONE]),
        TypeError,
        "f's output is a tuple; .* a number, an array of floats or a dict of arrays",
    ),
    "nothing returned": (lambda: jvp(lambda x: None, [ONE], [ONE]), TypeError, "f's output is"),
    "bools returned": (
        lambda: jvp(lambda x: {"a": x > 0}, [np.ones(2)], [np.ones(2)]),
        TypeError,
        r"f's output\['a'\] .*bool.*float",
    ),
    "a ufunc that is not known": (
        lambda: jvp(np.cbrt, [ONE], [ONE]),
        TypeError,
        "np.cbrt is none of the functions that a Dual knows",
    ),
    "a function that is not known": (
        lambda: jvp(np.linalg.det, [np.eye(2)], [np.eye(2)]),
        TypeError,
        "np.linalg.det is none of the functions that a Dual knows",
    ),
    "an array asked for": (
        lambda: jvp(np.asarray, [ONE], [ONE]),
        TypeError,
        "NumPy asked for the array of a Dual",
    ),
    "what f itself raises": (
        lambda: jvp(lambda x: x @ np.ones((3, 1)), [np.ones((1, 2))], [np.ones((1, 2))]),
        ValueError,
        "b has shape",
    ),
}


@pytest.mark.parametrize("call, error, told", REFUSED.values(), ids=REFUSED.keys())
def test_refused(call, error, told):
    with pytest.raises(error, match=told):
        call()


def test_after_an_error_the_next_derivative_is_right():
    with pytest.raises(TypeError):
        jvp(lambda x: jvp(np.cbrt, [x], [ONE])[1], [ONE], [ONE])
    assert jvp(np.square, [np.array(3.0)], [ONE]) == (9.0, 6.0)


def test_numbers_are_taken_for_arrays():
    assert jvp(lambda x, y: x * y, [2.0, 3], [1.0, 0]) == (6.0, 3.0)

"""stop_gradient, custom_vjp and straight_through: the value, the gradient, and what is refused."""

from functools import partial

import numpy as np
import pytest

from backprop_book import (
    Tensor,
    apply,
    check_gradient,
    custom_vjp,
    grad,
    hvp,
    jacobian,
    jvp,
    leaky_relu,
    numerical_gradient,
    relu,
    sigmoid,
    stop_gradient,
    straight_through,
    value_and_grad,
    vjp,
)
from backprop_book.custom import holds_operand
from backprop_book.operands import plain

X = np.random.default_rng(21).normal(size=(3, 4))
ROW = np.array([-2.0, 0.3, 1.5])


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def forward(f):
    return lambda x: jvp(f, [x], [np.ones_like(plain(x), float)])[1]


MODES = {"reverse": grad, "forward": forward}
in_mode = pytest.mark.parametrize("d", MODES.values(), ids=MODES)
outside = pytest.mark.parametrize("outer", MODES.values(), ids=MODES)


# stop_gradient


@in_mode
def test_the_value_stays_and_the_derivative_is_that_of_a_constant(d):
    def f(x):
        return x * stop_gradient(x**2)

    assert f(3.0) == 27.0
    assert d(f)(3.0) == 9.0
    assert d(lambda x: stop_gradient(x) + 2 * x)(3.0) == 2.0


@in_mode
def test_what_is_stopped_altogether_has_a_derivative_of_zero(d):
    assert d(lambda x: stop_gradient(x * x))(3.0) == 0.0
    output, backward = vjp(lambda x: stop_gradient(np.exp(x)), X)
    np.testing.assert_array_equal(output, np.exp(X))
    np.testing.assert_array_equal(backward(np.ones_like(X)), np.zeros_like(X))


@in_mode
@outside
def test_it_stops_the_derivatives_of_every_level(outer, d):
    assert outer(d(lambda x: x * stop_gradient(x**2)))(3.0) == 0.0
    assert outer(lambda x: d(lambda y: x * y * stop_gradient(x * y))(2.0))(3.0) == 12.0 / 2
    assert outer(lambda x: stop_gradient(d(lambda y: y**3)(x)) * x)(2.0) == 12.0
    assert outer(lambda x: d(lambda y: stop_gradient(x) * y**2)(x))(3.0) == 6.0


def test_it_stops_an_outer_level_from_within_an_inner_derivative():
    """The inner derivative goes on; that the outer x was in it is forgotten."""

    def f(x):
        return grad(lambda y: y**2 * stop_gradient(x))(x)

    assert f(3.0) == 18.0
    assert grad(f)(3.0) == 6.0


def test_it_goes_through_dicts_and_leaves_the_original_alone():
    p = {"w": ROW, "inner": {"b": np.array([2.0])}, "steps": 3, "labels": np.arange(2)}
    stopped = stop_gradient(p)
    assert list(stopped) == list(p)
    np.testing.assert_array_equal(stopped["inner"]["b"], [2.0])
    assert stopped["steps"] == 3

    def loss(p):
        held = stop_gradient(p)
        return (p["w"] * held["w"]).sum() + (held["inner"]["b"] ** 2).sum()

    floats = {"w": ROW, "inner": {"b": np.array([2.0])}}
    value, gradients = value_and_grad(loss)(floats)
    assert value == (ROW**2).sum() + 4.0
    np.testing.assert_array_equal(gradients["w"], ROW)
    np.testing.assert_array_equal(gradients["inner"]["b"], [0.0])


def test_a_tensor_on_a_tape_of_its_own_is_stopped_too():
    w = Tensor(ROW, requires_grad=True)
    held = stop_gradient({"w": w})["w"]
    assert not held.requires_grad
    (w * held).sum().backward()
    np.testing.assert_array_equal(w.grad, ROW)


def test_the_gradient_is_that_of_the_function_with_the_numbers_written_in():
    def loss(x, target):
        return ((np.tanh(x) - target) ** 2).sum()

    then = np.exp(X)
    stopped = grad(lambda x: loss(x, stop_gradient(np.exp(x))))(X)
    np.testing.assert_allclose(stopped, numerical_gradient(lambda x: loss(x, then), X), rtol=1e-7)
    assert not check_gradient(lambda x: vjp(lambda x: loss(x, stop_gradient(np.exp(x))), x), X)


def test_plain_values_come_back_as_they_are():
    assert stop_gradient(X) is X
    for value in (2, 2.0, np.float32(2.0), np.bool(True)):
        assert stop_gradient(value) is value


@pytest.mark.parametrize("value", [[np.ones(2)], (1.0, 2.0), "a", None])
def test_what_could_hide_a_tensor_is_refused(value):
    kind = type(value).__name__
    with pytest.raises(TypeError, match=f"x is an? {kind}; it should be a number, an array"):
        stop_gradient(value)
    with pytest.raises(TypeError, match=f"x is an? {kind}"):
        stop_gradient({"w": value})


# custom_vjp


def doubled_back(x):
    """The value of x**2, and twice its gradient."""
    return x**2, lambda doutput: 2 * doutput * 2 * x


def numbers_only(x):
    """The value is cut off from x, and only the backward tells what it was made of."""
    return np.logaddexp(0.0, plain(x)), lambda doutput: doutput * apply(sigmoid, x)


def test_the_backward_that_was_given_is_the_one_that_counts():
    f = custom_vjp(doubled_back)
    np.testing.assert_array_equal(f(X), X**2)
    assert isinstance(f(X), np.ndarray)
    output, backward = vjp(f, X)
    np.testing.assert_array_equal(output, X**2)
    close(backward(np.ones_like(X)), 4 * X)
    close(grad(lambda x: (3 * f(np.sin(x))).sum())(X), 12 * np.sin(X) * np.cos(X))
    close(jacobian(f)(ROW), np.diag(4 * ROW))


def test_it_is_used_on_tensors():
    w = Tensor(ROW, requires_grad=True)
    out = custom_vjp(doubled_back)(w)
    assert isinstance(out, Tensor)
    assert out.node.name == "doubled_back"
    out.sum().backward()
    close(w.grad, 4 * ROW)
    assert not custom_vjp(doubled_back)(Tensor(ROW)).requires_grad


def test_several_inputs_and_those_that_are_no_arrays():
    seen = []

    @custom_vjp
    def scaled(a, b, how, times=1.0):
        seen.append((how, times))
        return a * b * times, lambda doutput: (doutput, 10 * doutput)

    da, db = grad(lambda a, b: scaled(a, b, "twice", times=2.0).sum(), (0, 1))(ROW, 2 * ROW)
    np.testing.assert_array_equal(da, np.ones(3))
    np.testing.assert_array_equal(db, np.full(3, 10.0))
    assert seen == [("twice", 2.0)]
    # One that is an array, and does not move
    np.testing.assert_array_equal(grad(lambda b: scaled(ROW, b, "").sum())(ROW), np.full(3, 10.0))


def test_a_function_of_the_package_is_a_rule():
    close(grad(lambda x: custom_vjp(relu)(x).sum())(ROW), [0.0, 1.0, 1.0])
    assert check_gradient(lambda x: vjp(custom_vjp(relu), x), X)


def test_a_wrong_rule_is_taken_as_it_is_and_found_by_the_check():
    wrong = custom_vjp(lambda x: (np.sin(x), lambda doutput: doutput * np.sin(x)))
    assert grad(wrong)(0.3) == np.sin(0.3)
    assert not check_gradient(lambda x: vjp(wrong, x), X)


def test_second_derivatives_go_through_the_rule_for_the_output_too():
    x = 0.5
    s, y = 1 / (1 + np.exp(-x)), np.logaddexp(0.0, x)
    f = custom_vjp(numbers_only)
    close(grad(grad(f))(x), s * (1 - s))
    close(grad(grad(lambda x: f(x) ** 2))(x), 2 * s**2 + 2 * y * s * (1 - s))
    third = grad(grad(grad(lambda x: f(x) ** 2)))(x)
    measured = numerical_gradient(lambda x: grad(grad(lambda x: f(x) ** 2))(x), np.array(x))
    np.testing.assert_allclose(third, measured, rtol=1e-7)


def test_second_derivatives_of_a_bent_rule_are_bent_again():
    reverse = custom_vjp(lambda x: (x, lambda doutput: -doutput))
    assert grad(lambda x: reverse(x) ** 2)(3.0) == -6.0
    assert grad(grad(lambda x: reverse(x) ** 2))(3.0) == 2.0  # -2 reverse(x), bent
    np.testing.assert_array_equal(
        jacobian(grad(lambda x: (reverse(x) ** 2).sum()))(ROW), 2 * np.eye(3)
    )


def test_inside_hvp_the_backward_is_pushed_forward():
    @custom_vjp
    def log1pexp(x):
        output = np.maximum(x, 0) + np.log1p(np.exp(-abs(x)))
        return output, lambda doutput: doutput * apply(sigmoid, x)

    s = 1 / (1 + np.exp(-ROW))
    close(hvp(lambda x: log1pexp(x).sum(), ROW, np.ones(3)), s * (1 - s))
    close(grad(log1pexp)(1000.0), 1.0)


def test_forward_mode_is_refused():
    f = custom_vjp(doubled_back)
    words = "doubled_back has a backward of its own, which jvp cannot use; take its derivative with"
    with pytest.raises(TypeError, match=words):
        jvp(f, [ROW], [ROW])
    with pytest.raises(TypeError, match=words):
        jvp(lambda x: x * f(2 * x), [2.0], [1.0])


def test_forward_mode_of_what_does_not_move_is_allowed():
    f = custom_vjp(doubled_back)
    assert jvp(lambda x: x * f(3.0), [2.0], [1.0])[1] == 9.0
    assert jvp(lambda x: x * f(x.numpy()), [2.0], [1.0])[1] == 4.0


HIDDEN = {
    "by name": lambda f: lambda x: f(x=x),
    "in a dict": lambda f: lambda x: f({"w": x}),
    "in a list": lambda f: lambda x: f([x]),
    "deep down": lambda f: lambda x: f(({"w": [x]},)),
}


@pytest.mark.parametrize("call", HIDDEN.values(), ids=HIDDEN)
def test_a_tensor_that_the_backward_would_not_see_is_refused(call):
    def anything(x):
        while isinstance(x, dict | list | tuple):
            x = x["w"] if isinstance(x, dict) else x[0]
        return x * x, lambda doutput: 7 * doutput

    f = custom_vjp(anything)
    assert call(f)(2.0) == 4.0  # numbers may be given so
    for derivative in (grad, forward):
        with pytest.raises(TypeError, match="anything was given a tensor by name, or inside"):
            derivative(call(f))(2.0)


def test_holds_operand():
    w = Tensor([1.0])
    assert all(map(holds_operand, (w, [w], {"a": {"b": (1, w)}}, [[], [w]])))
    assert not any(map(holds_operand, (ROW, [ROW], {"a": 1}, [], {}, "w", None)))


def test_it_keeps_the_name_and_the_words_of_a_function():
    f = custom_vjp(doubled_back)
    assert (f.__name__, f.__doc__) == ("doubled_back", doubled_back.__doc__)


def test_a_partial_which_has_no_name_will_do():
    f = custom_vjp(partial(leaky_relu, slope=0.5))
    close(grad(lambda x: f(x).sum())(ROW), [0.5, 1.0, 1.0])
    with pytest.raises(TypeError, match="has a backward of its own"):
        jvp(f, [ROW], [ROW])


# straight_through

ROUNDED = straight_through(np.round)


@in_mode
def test_the_value_is_that_of_f_and_the_derivative_1(d):
    assert ROUNDED(2.6) == 3.0
    assert d(ROUNDED)(2.6) == 1.0
    assert d(lambda x: ROUNDED(x) ** 2)(2.6) == 6.0
    assert d(lambda x: ROUNDED(2 * x) * x)(1.3) == 3.0 + 2 * 1.3


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (2, 1, 3)])
def test_shapes_and_values_are_those_of_f_to_the_last_bit(shape):
    x = 10 * np.random.default_rng(1).normal(size=shape)
    np.testing.assert_array_equal(ROUNDED(x), np.round(x))
    output, backward = vjp(ROUNDED, x)
    np.testing.assert_array_equal(output, np.round(x))
    assert output.shape == shape
    np.testing.assert_array_equal(backward(3 * np.ones(shape)), 3 * np.ones(shape))


def test_the_value_of_f_is_not_lost_beside_a_large_input():
    assert straight_through(np.sign)(1e20) == 1.0  # 1e20 + (1 - 1e20) is 0
    assert vjp(straight_through(np.sign), 1e20)[0] == 1.0


@in_mode
@outside
def test_second_derivatives_of_what_it_is_used_in(outer, d):
    assert outer(d(lambda x: ROUNDED(x) ** 3))(2.6) == 18.0
    assert hvp(lambda x: (ROUNDED(x) ** 3).sum(), np.array([2.6]), np.ones(1)) == [18.0]


def test_f_may_be_any_function_of_arrays():
    """np.searchsorted is none of those that a tensor knows, and `>` gives bools."""
    codes = np.array([-1.0, 0.0, 1.0])
    nearest = straight_through(lambda x: codes[np.searchsorted([-0.5, 0.5], x)])
    np.testing.assert_array_equal(nearest(ROW), [-1.0, 0.0, 1.0])
    np.testing.assert_array_equal(grad(lambda x: (nearest(x) * ROW).sum())(ROW), ROW)
    on = straight_through(lambda x: x > 0)
    value, gradient = value_and_grad(lambda x: on(x).sum())(ROW)
    assert value == 2.0
    np.testing.assert_array_equal(gradient, np.ones(3))


def test_straight_through_keeps_float32():
    x = ROW.astype(np.float32)
    output, backward = vjp(ROUNDED, x)
    assert output.dtype == backward(np.ones_like(x)).dtype == np.float32


def test_a_rounding_layer_learns():
    rng = np.random.default_rng(21)
    X, wanted = rng.normal(size=(40, 3)), np.array([2.0, -1.0, 0.0])
    for layer, learns in [(np.rint, False), (straight_through(np.rint), True)]:
        w = np.array([0.3, 0.2, 0.9])
        for _ in range(40):
            w = w - 0.1 * grad(lambda w, layer: 0.5 * ((X @ (layer(w) - wanted)) ** 2).mean())(
                w, layer
            )
        assert np.array_equal(np.rint(w), wanted) == learns


def test_a_function_that_changes_the_shape_is_refused():
    for f in (np.sum, lambda x: x[:1], lambda x: x[:, None]):
        with pytest.raises(ValueError, match=r"f returned the shape \(.*\); it should be \(3,\)"):
            straight_through(f)(ROW)
        with pytest.raises(ValueError, match="f returned the shape"):
            vjp(straight_through(f), ROW)


@pytest.mark.parametrize("make", [custom_vjp, straight_through])
@pytest.mark.parametrize("given", [3.0, "relu", None])
def test_what_is_no_function_is_refused(make, given):
    with pytest.raises(TypeError, match="it should be a function"):
        make(given)

"""vjp, grad, value_and_grad and jacobian against differences, HIPS autograd and one another."""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

from backprop_book import (
    Tensor,
    apply,
    check_gradient,
    compose,
    dense,
    grad,
    jacobian,
    jvp,
    network_loss,
    no_grad,
    numerical_gradient,
    relu,
    sigmoid,
    squared_error,
    value_and_grad,
    vjp,
)
from backprop_book.functional import mapped_all, unit_directions

RNG = np.random.default_rng(19)
X, W, V = RNG.normal(size=(5, 3)), RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2))
TARGETS = RNG.normal(size=(5, 2))
ROW = RNG.normal(size=4)

# Each is written with what NumPy and autograd's numpy share, given as `xp`.
TO_ARRAYS = {
    "elementwise": lambda x, xp: xp.exp(-(x**2)) * xp.sin(3 * x),
    "softmax": lambda x, xp: xp.exp(x) / xp.sum(xp.exp(x), axis=-1, keepdims=True),
    "matmul": lambda x, xp: xp.tanh(x @ V),
    "gather": lambda x, xp: x[np.array([0, 2, 0])] ** 2,
    "where": lambda x, xp: xp.where(x > 0.1, x**2, -3 * x),
    "maximum": lambda x, xp: xp.max(x, axis=0) * x,
    "concatenate": lambda x, xp: xp.concatenate([x, x[:1] * x], axis=0),
    "broadcast": lambda x, xp: x[:, :1] + x[0] / (1 + x**2),
    "number": lambda x, xp: xp.sum(x**3),
    "loop": lambda x, xp: sum((x[i] * x[i - 1] for i in range(3)), 0 * x[0]),
}
CASES = [(name, RNG.normal(size=(3, 4))) for name in TO_ARRAYS]


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def dict_loss(p, x, targets, power=2):
    hidden = np.tanh(x @ p["first"]["weights"] + p["first"]["bias"])
    return (abs(hidden @ p["last"] - targets) ** power).mean()


def dict_parameters():
    return {"first": {"weights": W.copy(), "bias": np.full(4, 0.1)}, "last": V.copy()}


@pytest.mark.parametrize(("name", "x"), CASES, ids=TO_ARRAYS)
def test_vjp_is_right_and_as_in_autograd(name, x):
    f = TO_ARRAYS[name]
    output, backward = vjp(lambda x: f(x, np), x)
    np.testing.assert_array_equal(output, f(x, np))
    doutput = np.random.default_rng(1).normal(size=output.shape)
    gradient = backward(doutput)
    assert type(gradient) is np.ndarray
    assert gradient.shape == x.shape
    close(gradient, autograd.make_vjp(lambda x: f(x, anp))(x)[0](doutput))
    assert check_gradient(lambda x: vjp(lambda x: f(x, np), x), x)
    np.testing.assert_array_equal(backward(doutput), gradient)  # a second time


@pytest.mark.parametrize("forward", [False, True])
@pytest.mark.parametrize(("name", "x"), CASES, ids=TO_ARRAYS)
def test_jacobian_is_autograds(name, x, forward):
    f = TO_ARRAYS[name]
    found = jacobian(lambda x: f(x, np), forward=forward)(x)
    assert found.shape == f(x, np).shape + x.shape
    close(found, autograd.jacobian(lambda x: f(x, anp))(x))


def test_jacobian_of_a_matrix_product_has_the_axes_in_order():
    both = [jacobian(lambda x: x @ V, forward=forward)(X @ W) for forward in (False, True)]
    for found in both:
        np.testing.assert_array_equal(found, np.einsum("ia,bj->ijab", np.eye(5), V))


@pytest.mark.parametrize("forward", [False, True])
def test_jacobian_of_a_jacobian(forward):
    f, x = TO_ARRAYS["softmax"], ROW[:3]
    other = autograd.jacobian(autograd.jacobian(lambda x: f(x, anp)))(x)
    for first in (False, True):
        close(jacobian(jacobian(lambda x: f(x, np), first), forward)(x), other)


@pytest.mark.parametrize("forward", [False, True])
def test_jacobian_with_respect_to_a_dict(forward):
    p = {"w": ROW, "inner": {"b": np.array([0.5, -1.0])}}
    found = jacobian(lambda p: np.outer(p["w"] ** 2, p["inner"]["b"]), forward=forward)(p)
    close(found["w"], np.einsum("ik,i,j->ijk", np.eye(4), 2 * ROW, p["inner"]["b"]))
    close(found["inner"]["b"], np.einsum("i,jk->ijk", ROW**2, np.eye(2)))


def test_forward_jacobian_of_a_function_from_dict_to_dict():
    found = jacobian(lambda p: {"y": p["a"] * p["b"], "z": p["b"] ** 2}, forward=True)(
        {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 5.0])}
    )
    assert list(found) == ["y", "z"]
    np.testing.assert_array_equal(found["y"]["a"], np.diag([3.0, 5.0]))
    np.testing.assert_array_equal(found["y"]["b"], np.diag([1.0, 2.0]))
    np.testing.assert_array_equal(found["z"]["a"], np.zeros((2, 2)))
    np.testing.assert_array_equal(found["z"]["b"], np.diag([6.0, 10.0]))


@pytest.mark.parametrize("forward", [False, True])
def test_jacobian_with_respect_to_a_dict_that_begins_with_a_dict(forward):
    """Whether the keys are the input's or the output's is not told by the first part."""
    p = {"inner": {"b": np.array([0.5, -1.0])}, "w": ROW}
    found = jacobian(lambda p: np.outer(p["w"] ** 2, p["inner"]["b"]), forward=forward)(p)
    assert list(found) == ["inner", "w"]
    close(found["inner"]["b"], np.einsum("i,jk->ijk", ROW**2, np.eye(2)))
    close(found["w"], np.einsum("ik,i,j->ijk", np.eye(4), 2 * ROW, p["inner"]["b"]))


def test_forward_jacobian_from_nested_dict_to_nested_dict():
    def f(p):
        return {"y": {"z": p["inner"]["b"] * p["w"]}, "v": p["w"] ** 2}

    b, w = np.array([0.5, -1.0]), np.array([2.0, 3.0])
    found = jacobian(f, forward=True)({"inner": {"b": b}, "w": w})
    np.testing.assert_array_equal(found["y"]["z"]["inner"]["b"], np.diag(w))
    np.testing.assert_array_equal(found["y"]["z"]["w"], np.diag(b))
    np.testing.assert_array_equal(found["v"]["inner"]["b"], np.zeros((2, 2)))
    np.testing.assert_array_equal(found["v"]["w"], np.diag(2 * w))


@pytest.mark.parametrize("forward", [False, True])
def test_jacobian_with_respect_to_an_empty_dict_is_empty(forward):
    assert jacobian(lambda p: np.ones(2), forward=forward)({}) == {}


def test_jacobian_at_a_number():
    for forward in (False, True):
        assert jacobian(lambda x: x**3, forward)(2.0) == 12.0
        assert jacobian(lambda x: x * np.ones(2), forward)(2.0).tolist() == [1.0, 1.0]


def test_the_two_modes_are_transposes_of_each_other():
    def f(x):
        return np.tanh(x @ W).sum(axis=0) * x.mean()

    u, v = RNG.normal(size=4), RNG.normal(size=X.shape)
    close(u @ jvp(f, [X], [v])[1], (vjp(f, X)[1](u) * v).sum())


def test_gradients_of_dicts_are_dicts_and_right():
    p = dict_parameters()
    gradient = grad(dict_loss)(p, X, TARGETS)
    measured = numerical_gradient(lambda q: dict_loss({**q, "first": p["first"]}, X, TARGETS), {
        "last": p["last"]
    })  # fmt: skip
    np.testing.assert_allclose(gradient["last"], measured["last"], rtol=1e-7, atol=1e-9)
    assert {name: g.shape for name, g in gradient["first"].items()} == {
        "weights": (3, 4),
        "bias": (4,),
    }

    def loss(weights, bias, last):
        hidden = anp.tanh(X @ weights + bias)
        return anp.mean((hidden @ last - TARGETS) ** 2)

    arrays = (*p["first"].values(), p["last"])
    others = autograd.grad(loss, argnum=(0, 1, 2))(*arrays)
    for mine, other in zip((*gradient["first"].values(), gradient["last"]), others, strict=True):
        close(mine, other)


def test_what_was_written_by_hand_is_found_by_machine():
    p = {"weights_1": W, "bias_1": np.zeros(4), "weights_2": V, "bias_2": np.zeros(2)}

    def loss(p):
        hidden = apply(relu, apply(dense, X, p["weights_1"], p["bias_1"]))
        return apply(squared_error, apply(dense, hidden, p["weights_2"], p["bias_2"]), TARGETS)

    value, gradients = value_and_grad(loss)(p)
    by_hand, backward = network_loss(p, X, TARGETS)
    assert value == by_hand
    for name, gradient in backward(1.0).items():
        np.testing.assert_array_equal(gradients[name], gradient)


def test_vjp_is_a_house_function():
    chain = compose([lambda x: vjp(np.sin, x), sigmoid, lambda x: vjp(np.exp, x)])
    assert check_gradient(chain, ROW)
    assert check_gradient(lambda a, b: vjp(lambda a, b: np.tanh(a @ b), a, b), X, W)


def test_one_input_gives_one_gradient_and_several_a_tuple():
    assert vjp(np.negative, ROW)[1](ROW).shape == (4,)
    gradients = vjp(lambda a, b: a * b, ROW, 2 * ROW)[1](np.ones(4))
    assert isinstance(gradients, tuple)
    np.testing.assert_array_equal(gradients, (2 * ROW, ROW))
    gradients = vjp(lambda p, b: p["w"] * b, {"w": ROW}, ROW)[1](np.ones(4))
    np.testing.assert_array_equal(gradients[0]["w"], ROW)


def test_argnums():
    def f(a, b, c):
        return a**2 * b + c

    assert grad(f)(3.0, 5.0, 7.0) == 30.0
    assert grad(f, argnums=1)(3.0, 5.0, 7.0) == 9.0
    assert grad(f, argnums=(2, 0))(3.0, 5.0, 7.0) == (1.0, 30.0)
    alone = grad(f, argnums=(1,))(3.0, 5.0, 7.0)
    assert isinstance(alone, tuple)
    assert alone == (9.0,)
    assert value_and_grad(f, argnums=(0, 1, 2))(3.0, 5.0, 7.0) == (52.0, (30.0, 9.0, 1.0))


def test_other_arguments_are_passed_as_they_are():
    seen = []

    def f(w, *others, **options):
        seen.append((others, options))
        return (w * w).sum()

    others = ("a string", [1, 2], np.arange(3), None, {"rate": "high"})
    grad(f)(ROW, *others, mode=max)
    (given, options) = seen[0]
    assert all(a is b for a, b in zip(given, others, strict=True))
    assert options == {"mode": max}
    p = dict_parameters()
    plain = dict_loss(p, X, TARGETS, power=4)
    assert value_and_grad(dict_loss)(p, X, TARGETS, power=4)[0] == plain


def test_value_and_grad_runs_the_function_once():
    runs = []

    def f(x):
        runs.append(1)
        return (x * x).sum()

    value, gradient = value_and_grad(f)(ROW)
    assert len(runs) == 1
    assert value == (ROW * ROW).sum()
    np.testing.assert_array_equal(gradient, 2 * ROW)


def test_nothing_that_was_given_is_changed_or_marked():
    x, p = ROW.copy(), dict_parameters()
    grad(lambda x: (x * x).sum())(x)
    grad(dict_loss)(p, X, TARGETS)
    np.testing.assert_array_equal(x, ROW)
    np.testing.assert_array_equal(p["first"]["weights"], W)
    leaf = Tensor(ROW, requires_grad=True)
    grad(lambda w: (w * leaf).sum())(np.ones(4))
    assert leaf.grad is None


def test_nested_grad_of_tanh_to_third_order():
    t = np.tanh(0.5)
    d = 1 - t**2
    first = grad(np.tanh)
    second = grad(first)
    third = grad(second)
    close([f(0.5) for f in (first, second, third)], [d, -2 * t * d, (6 * t**2 - 2) * d])


@pytest.mark.parametrize("name", TO_ARRAYS)
def test_nested_grad_to_third_order_is_autograds(name):
    f, x = TO_ARRAYS[name], RNG.normal(size=(3, 4))

    def along(gradient, xp):
        return lambda x: xp.sum(gradient(x) * weights)

    weights = RNG.normal(size=x.shape)
    mine, other = (lambda x: np.sum(f(x, np)) ** 2), (lambda x: anp.sum(f(x, anp)) ** 2)
    for _ in range(3):
        mine, other = grad(mine), autograd.grad(other)
        close(mine(x), other(x))
        mine, other = along(mine, np), along(other, anp)


@pytest.mark.parametrize("inner", ["reverse", "forward"])
@pytest.mark.parametrize("outer", ["reverse", "forward"])
def test_the_modes_mix(outer, inner):
    modes = {"reverse": grad, "forward": lambda f: lambda x: jvp(f, [x], [np.ones(())])[1]}
    d, e = modes[outer], modes[inner]
    close(d(e(lambda x: x**4 * np.exp(x)))(np.array(0.5)), (0.75 + 1 + 0.0625) * np.sqrt(np.e)
          + 8 * 0.5**3 * np.sqrt(np.e) - np.sqrt(np.e) + 12 * 0.25 * np.sqrt(np.e)
          - 3.0 * 0.25 * np.sqrt(np.e))  # fmt: skip


@pytest.mark.parametrize("inner", ["reverse", "forward"])
@pytest.mark.parametrize("outer", ["reverse", "forward"])
def test_nested_derivatives_are_not_confused(outer, inner):
    modes = {"reverse": grad, "forward": lambda f: lambda x: jvp(f, [x], [np.ones(())])[1]}
    d, e = modes[outer], modes[inner]
    two, three = np.array(2.0), np.array(3.0)
    assert d(lambda x: x * e(lambda y: x * y)(two))(three) == 6.0
    assert d(lambda x: x * e(lambda y: x + y)(two))(three) == 1.0
    assert d(lambda x: e(lambda y: x * y * y)(x))(three) == 12.0
    assert d(lambda x: e(lambda y: x)(x))(three) == 0.0
    assert d(lambda x: e(lambda y: d(lambda z: x * y * z)(y))(x))(three) == 1.0


def test_the_gradient_of_a_gradient_step():
    """Learning a learning rate: the inner gradient is a part of the outer function."""

    def after_a_step(rate):
        w = np.array([2.0, -1.0])
        return ((w - rate * grad(lambda w: (w**2).sum())(w)) ** 2).sum()

    rate = 0.1  # 5 (1 - 2 rate)^2
    close(grad(after_a_step)(rate), -20 * (1 - 2 * rate))


def test_a_function_that_ignores_its_input_has_a_gradient_of_zero():
    output, backward = vjp(lambda x: np.ones(2), ROW)
    np.testing.assert_array_equal(output, np.ones(2))
    np.testing.assert_array_equal(backward(np.ones(2)), np.zeros(4))
    assert grad(lambda x: 5.0)(2.0) == 0.0
    assert grad(lambda a, b: a * a, argnums=(0, 1))(3.0, 4.0) == (6.0, 0.0)
    assert grad(grad(lambda x: 3 * x))(2.0) == 0.0
    found = grad(lambda p: p["used"].sum())({"used": ROW, "not": {"used": X}})
    np.testing.assert_array_equal(found["used"], np.ones(4))
    np.testing.assert_array_equal(found["not"]["used"], np.zeros_like(X))
    np.testing.assert_array_equal(jacobian(lambda x: np.ones(3))(ROW), np.zeros((3, 4)))
    np.testing.assert_array_equal(jacobian(lambda x: np.ones(3), True)(ROW), np.zeros((3, 4)))


def test_an_output_of_the_outer_derivative_stays_on_its_tape():
    def f(x):
        value, gradient = value_and_grad(lambda y: x * x)(1.0)
        return value + gradient

    assert grad(f)(3.0) == 6.0


def test_a_function_that_returns_its_input():
    output, backward = vjp(lambda x: x, ROW)
    np.testing.assert_array_equal(output, ROW)
    np.testing.assert_array_equal(backward(2 * ROW), 2 * ROW)
    np.testing.assert_array_equal(jacobian(lambda x: x)(ROW), np.eye(4))


def test_the_same_array_in_two_places_gets_two_gradients():
    np.testing.assert_array_equal(vjp(lambda a, b: a * b * b, ROW, ROW)[1](np.ones(4)),
                                  (ROW**2, 2 * ROW**2))  # fmt: skip


def test_the_branch_that_was_taken_is_the_one_that_counts():
    slope = grad(lambda x: x * x if x > 0 else -3 * x)
    assert [slope(x) for x in (2.0, -2.0, 2.0)] == [4.0, -3.0, 4.0]

    def halved(x):
        while x > 1:
            x = x / 2
        return x

    assert [grad(halved)(x) for x in (5.0, 20.0)] == [1 / 8, 1 / 32]


def test_float32_stays_float32():
    x = ROW.astype(np.float32)
    output, backward = vjp(np.tanh, x)
    assert output.dtype == backward(np.ones_like(x)).dtype == np.float32
    value, gradient = value_and_grad(lambda x: (x * x).sum())(x)
    assert value.dtype == gradient.dtype == np.float32
    for forward in (False, True):
        assert jacobian(np.tanh, forward)(x).dtype == np.float32
    assert grad(lambda x: np.tanh(x))(np.float32(0.5)).dtype == np.float32


def test_numbers_of_any_kind_will_do():
    for two in (2, 2.0, np.float64(2), np.int64(2), np.array(2.0)):
        assert grad(lambda x: x**3)(two) == 12.0


def test_it_works_under_no_grad_and_leaves_it_on():
    with no_grad():
        assert grad(lambda x: x**2)(3.0) == 6.0
        assert grad(grad(lambda x: x**3))(2.0) == 12.0
        assert not (Tensor([1.0], requires_grad=True) * 2).requires_grad
    assert (Tensor([1.0], requires_grad=True) * 2).requires_grad


def test_no_grad_inside_a_function_makes_constants():
    def f(x):
        with no_grad():
            constant = x * x
        return x * constant

    assert grad(f)(3.0) == 9.0


def test_a_tensor_on_its_own_tape_hears_of_a_gradient_that_was_taken():
    w = Tensor([1.0, 2.0], requires_grad=True)
    (grad(lambda w: (w**3).sum())(w) ** 2).sum().backward()
    close(w.grad, 36 * np.array([1.0, 8.0]))  # of (3 w^2)^2


def test_exceptions_pass_and_leave_recording_as_it_was():
    def fails(x):
        raise RuntimeError("its own")

    with no_grad():
        with pytest.raises(RuntimeError, match="its own"):
            grad(fails)(1.0)
        assert not (Tensor([1.0], requires_grad=True) * 2).requires_grad


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: vjp(np.sin, "a"), TypeError, "inputs[0] is a str; it should be a number, an"),
        (lambda: vjp(np.add, 1.0, np.arange(3)), TypeError, "inputs[1] has dtype int64; it should"),
        (lambda: vjp(np.sin, [1.0]), TypeError, "inputs[0] is a list; it should be a number, an"),
        (lambda: vjp(lambda p: 1.0, {"w": "a"}), TypeError, "inputs[0]['w'] is a str; it should"),
        (lambda: vjp(lambda x: (x, x), 1.0), TypeError, "f returned a tuple; it should return one"),
        (lambda: vjp(lambda x: None, 1.0), TypeError, "f returned a NoneType; it should return"),
        (lambda: vjp(lambda x: x > 0, 1.0), TypeError, "f returned a bool; it should return one"),
        (lambda: vjp(lambda x: {"y": x}, 1.0), TypeError, "f returned a dict; it should return"),
        (
            lambda: vjp(lambda x: x, ROW)[1](np.ones(3)),
            ValueError,
            "doutput has shape (3,); it should be (4,), as the output is",
        ),
        (
            lambda: vjp(lambda x: x, ROW)[1](np.ones(4, np.float32)),
            TypeError,
            "doutput has dtype float32; it should be float64, as the output is",
        ),
        (lambda: vjp(np.sin, ROW)[1](1.0), TypeError, "doutput is a float; it should be a NumPy"),
        (
            lambda: grad(np.sin)(ROW),
            ValueError,
            "f returned an array of shape (4,); it should be one number",
        ),
        (
            lambda: value_and_grad(lambda x: x)(np.ones(1)),
            ValueError,
            "f returned an array of shape (1,); it should be one number",
        ),
        (lambda: grad(3), TypeError, "f is an int; it should be a function"),
        (lambda: value_and_grad(None), TypeError, "f is a NoneType; it should be a function"),
        (lambda: jacobian("f"), TypeError, "f is a str; it should be a function"),
        (lambda: grad(np.sin, argnums=-1), TypeError, "argnums is -1; it should be a whole number"),
        (lambda: grad(np.sin, argnums=()), TypeError, "argnums is (); it should be a whole number"),
        (lambda: grad(np.sin, argnums="x"), TypeError, "argnums is 'x'; it should be a whole"),
        (lambda: grad(np.sin, 1)(1.0), TypeError, "argnums is 1; positional arguments given: 1"),
        (
            lambda: grad(lambda w: w)(w=1.0),
            TypeError,
            "argnums is 0; positional arguments given: 0",
        ),
        (
            lambda: jacobian(lambda x: {"y": x})(ROW),
            TypeError,
            "f returned a dict; it should return one number or array of floats",
        ),
        (lambda: jacobian(np.sin, forward=True)("x"), TypeError, "x is a str; it should be a"),
        (
            lambda: grad(lambda x: np.sort(x).sum())(ROW),
            TypeError,
            "np.sort is none of the functions that a Tensor knows",
        ),
        (lambda: grad(lambda x: float(np.asarray(x)))(1.0), TypeError, "would cut it off from its"),
    ],
)
def test_errors_name_what_was_given_and_what_should_be(call, error, words):
    with pytest.raises(error) as raised:
        call()
    assert words in str(raised.value)


def test_unit_directions_and_mapped_all():
    assert unit_directions(np.zeros((2, 1))).tolist() == [[[1.0], [0.0]], [[0.0], [1.0]]]
    assert unit_directions(np.zeros((), np.float32)).dtype == np.float32
    assert mapped_all(float, ({"a": {"b": 1}}, 2)) == ({"a": {"b": 1.0}}, 2.0)

"""Every gradient of the package, against central differences and against other programs."""

import inspect
import sys

import numpy as np
import pytest
from gradient_check import CASES, Case, gradient_faults, modest
from hypothesis import given, settings
from hypothesis import strategies as st

import backprop_book
from backprop_book import (
    dense,
    learning_rate_range_test,
    linear_regression,
    numerical_gradient,
    sgd_step,
    squared_error,
)

LENGTH = st.integers(1, 6)
SEED = st.integers(0, 2**32 - 1)
DEGENERATE = [dict.fromkeys("ndh", 1)] + [{"n": 4, "d": 3, "h": 2} | {k: 1} for k in "ndh"]

cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def drawn(case: Case, data: st.DataObject) -> tuple[list, np.random.Generator]:
    lengths = {letter: data.draw(LENGTH, label=letter) for letter in case.letters}
    rng = np.random.default_rng(data.draw(SEED, label="seed"))
    return case.arrays(lengths, rng), rng


@cases
@modest
@given(data=st.data())
def test_gradient_check_on_random_shapes(case, data):
    arrays, rng = drawn(case, data)
    assert gradient_faults(case.function, arrays, rng, case.n_gradients) == []


@cases
@pytest.mark.parametrize("lengths", DEGENERATE, ids=str)
def test_gradient_check_on_degenerate_shapes(case, lengths):
    rng = np.random.default_rng(1)
    arrays = case.arrays(lengths, rng)
    assert gradient_faults(case.function, arrays, rng, case.n_gradients) == []


@cases
def test_gradient_check_on_views(case):
    """Reversed and strided arrays in another order of axes are arrays like any other."""
    rng = np.random.default_rng(2)
    arrays = case.arrays({"n": 5, "d": 4, "h": 3}, rng)
    views = [np.asfortranarray(np.repeat(np.atleast_1d(a)[::-1], 2, axis=0))[::-2] for a in arrays]
    for view, array in zip(views, arrays, strict=True):
        np.testing.assert_array_equal(view, np.atleast_1d(array))
    assert all(view.strides[0] < 0 for view in views)
    assert gradient_faults(case.function, views, rng, case.n_gradients) == []


def from_autograd(formula, arrays, doutput, n_gradients):
    numpy = pytest.importorskip("autograd.numpy", reason="autograd is not installed")
    from autograd import make_vjp

    def of_list(inputs):
        return formula(*inputs)

    vjp, output = make_vjp(of_list)(list(arrays))
    return output, [numpy.asarray(g) for g in vjp(doutput)[:n_gradients]]


def from_torch(formula, arrays, doutput, n_gradients):
    reason = "PyTorch is not installed: pip install torch==2.13.0"
    torch = pytest.importorskip("torch", reason=reason)
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    output = formula(*leaves)
    output.backward(torch.tensor(doutput))
    return output.detach().numpy(), [leaf.grad.numpy() for leaf in leaves[:n_gradients]]


def from_jax(formula, arrays, doutput, n_gradients):
    jax = pytest.importorskip("jax", reason="JAX is not installed: pip install jax")
    jax.config.update("jax_enable_x64", True)

    @jax.jit  # compiles the whole at once, not each of its operations
    def pulled_back(doutput, *arrays):
        output, vjp = jax.vjp(formula, *arrays)
        return output, vjp(doutput.astype(output.dtype))

    output, gradients = pulled_back(doutput, *arrays)
    return np.asarray(output), [np.asarray(g) for g in gradients[:n_gradients]]


def assert_oracle_agrees(oracle, case, arrays, rng):
    output, backward = case.function(*arrays)
    doutput = np.asarray(rng.normal(size=np.shape(output)))
    gradients = backward(doutput)
    told, wanted = oracle(case.formula, arrays, doutput, len(gradients))
    np.testing.assert_allclose(output, told, rtol=1e-12, atol=1e-12)
    for gradient, other in zip(gradients, wanted, strict=True):
        assert gradient.shape == other.shape
        np.testing.assert_allclose(gradient, other, rtol=1e-12, atol=1e-12)


@cases
@settings(modest, max_examples=5)
@given(data=st.data())
def test_autograd_agrees_entry_by_entry(case, data):
    assert_oracle_agrees(from_autograd, case, *drawn(case, data))


ORDINARY = {"n": 5, "d": 4, "h": 3}


@cases
@pytest.mark.parametrize("lengths", [ORDINARY, *DEGENERATE], ids=str)
def test_torch_agrees_entry_by_entry(case, lengths):
    rng = np.random.default_rng(3)
    assert_oracle_agrees(from_torch, case, case.arrays(lengths, rng), rng)


@cases
def test_jax_agrees_entry_by_entry(case):
    """For ordinary lengths alone, for JAX compiles anew for each shape."""
    rng = np.random.default_rng(3)
    assert_oracle_agrees(from_jax, case, case.arrays(ORDINARY, rng), rng)


@cases
def test_float32_stays_float32(case):
    rng = np.random.default_rng(4)
    arrays = [a.astype(np.float32) for a in case.arrays({"n": 5, "d": 4, "h": 3}, rng)]
    output, backward = case.function(*arrays)
    assert output.dtype == np.float32
    gradients = backward(np.ones(np.shape(output), dtype=np.float32))
    assert {gradient.dtype for gradient in gradients} == {np.dtype(np.float32)}
    exact = case.function(*[a.astype(float) for a in arrays])[1](np.ones(np.shape(output)))
    for gradient, wanted in zip(gradients, exact, strict=True):
        np.testing.assert_allclose(gradient, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("one", [1, 1.0, np.float64(1), np.float32(1), np.int64(1)], ids=repr)
def test_a_scalar_loss_takes_any_number_and_keeps_float32(one):
    ones, zeros = np.ones(3, dtype=np.float32), np.zeros(3, dtype=np.float32)
    _, backward = squared_error(ones, zeros)
    for gradient, sign in zip(backward(one), (1, -1), strict=True):
        assert gradient.dtype == np.float32
        np.testing.assert_array_equal(gradient, sign * ones / np.float32(3))


@pytest.mark.parametrize(
    "rate", [0.5, np.float64(0.5), np.float32(0.5), np.array(0.5)[()], 1, np.int64(1)], ids=repr
)
def test_a_learning_rate_of_any_type_keeps_float32(rate):
    parameters = {"w": np.ones((2, 1), dtype=np.float32), "b": np.ones(1, dtype=np.float32)}
    moved = sgd_step(parameters, parameters, rate)
    assert {array.dtype for array in moved.values()} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(moved["w"], np.full((2, 1), 1 - rate))


def test_training_keeps_float32_from_end_to_end():
    rng = np.random.default_rng(5)
    x, target = rng.normal(size=(2, 6, 3)).astype(np.float32)
    parameters = {"weights": np.ones((3, 3), np.float32), "bias": np.ones(3, np.float32)}
    losses = learning_rate_range_test(
        lambda p: linear_regression(p, x, target), parameters, np.linspace(0.1, 0.5, 3)
    )
    assert losses.dtype == np.float32


def test_a_chain_of_layers_is_a_function_like_any_other():
    """Four dense layers and a loss, chained by hand: the check needs to know nothing of it."""

    def network(x, weights, bias, target):
        backwards, h = [], x
        for _ in range(4):
            h, backward = dense(h, weights, bias)
            backwards.append(backward)
        loss, loss_backward = squared_error(h, target)

        def backward(dloss):
            dh, dtarget = loss_backward(dloss)
            dweights, dbias = np.zeros_like(weights), np.zeros_like(bias)
            for layer_backward in reversed(backwards):
                dh, dw, db = layer_backward(dh)
                dweights, dbias = dweights + dw, dbias + db
            return dh, dweights, dbias, dtarget

        return loss, backward

    rng = np.random.default_rng(6)
    arrays = [rng.normal(size=shape) for shape in [(5, 3), (3, 3), (3,), (5, 3)]]
    assert gradient_faults(network, arrays, rng, 4) == []


@cases
def test_numerical_gradient_agrees_entry_by_entry(case):
    rng = np.random.default_rng(8)
    arrays = case.arrays({"n": 3, "d": 2, "h": 4}, rng)
    output, backward = case.function(*arrays)
    doutput = np.asarray(rng.normal(size=np.shape(output)))
    for i, gradient in enumerate(backward(doutput)):
        found = numerical_gradient(
            lambda a, i=i: (doutput * case.function(*arrays[:i], a, *arrays[i + 1 :])[0]).sum(),
            arrays[i],
        )
        np.testing.assert_allclose(gradient, found, rtol=1e-8, atol=1e-9)


def code_run_by(function, arrays):
    """Return the code objects of all functions that are called on the way."""
    found = set()
    sys.setprofile(lambda frame, event, _: found.add(frame.f_code) if event == "call" else None)
    try:
        function(*arrays)
    finally:
        sys.setprofile(None)
    return found


def test_every_differentiable_function_has_a_case_that_runs_it():
    """Whatever is held to a notation is in the table, and so is what is made of such functions."""
    public = {name: getattr(backprop_book, name) for name in backprop_book.__all__}
    differentiable = {name for name, function in public.items() if hasattr(function, "notation")}
    composed = {"compose", "linear_regression", "network", "network_loss"}
    assert differentiable | composed == {name.split(" ")[0] for name in CASES}
    for name, case in CASES.items():
        function = public[name.split(" ")[0]]
        code = code_run_by(case.function, case.arrays({"n": 2, "d": 2, "h": 2}, rng_of(9)))
        if name.startswith("compose"):
            assert any("composed" in found.co_qualname for found in code), name
        else:
            assert inspect.unwrap(function).__code__ in code, name


def rng_of(seed):
    return np.random.default_rng(seed)


def test_every_case_has_as_many_gradients_as_its_notation():
    """A gradient that the table forgets would be one that no test compares."""
    for name, case in CASES.items():
        function = getattr(backprop_book, name.split(" ")[0])
        if hasattr(function, "notation"):
            assert case.n_gradients == function.notation.split("->")[0].count("("), name


NEAR_A_KINK = 0.05
KINKED = {name: case for name, case in CASES.items() if name.endswith(("relu", "slope 0.3"))}


@pytest.mark.parametrize("case", KINKED.values(), ids=KINKED.keys())
@pytest.mark.parametrize("lengths", [{"n": 6, "d": 5, "h": 4}, *DEGENERATE], ids=str)
def test_the_numbers_drawn_keep_away_from_kinks(case, lengths, monkeypatch):
    """The differences move a number by about a hundredth: no unit is as near to 0 as that."""
    seen = []
    for kinked in (backprop_book.relu, backprop_book.leaky_relu):
        code = inspect.unwrap(kinked).__code__
        monkeypatch.setitem(WATCHED, code, seen)
    for seed in range(20):
        arrays = case.arrays(lengths, rng_of(seed))
        sys.setprofile(watch)
        case.function(*arrays)
        sys.setprofile(None)
    margins = [abs(z).min() for z in seen]
    assert all(margin >= 0.99 * NEAR_A_KINK for margin in margins)
    if seen and lengths["n"] > 1:
        assert any((z > 0).any() and (z < 0).any() for z in seen)


WATCHED = {}


def watch(frame, event, _):
    if event == "call" and frame.f_code in WATCHED:
        WATCHED[frame.f_code].append(frame.f_locals["z"])

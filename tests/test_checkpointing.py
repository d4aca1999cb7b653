"""Checkpoints give the same gradient, hold less, run once more, and refuse what they would lose."""

import tracemalloc

import numpy as np
import pytest

from backprop_book import Tensor, apply, checkpoint, dense, grad, hvp, jvp, numerical_gradient, relu

RNG = np.random.default_rng(0)
W, X = RNG.normal(size=(4, 4)), RNG.normal(size=(3, 4))


def layer(x, weights):
    return np.tanh(x @ weights)


def dropout(x, rng):
    return x * (rng.random(x.shape) < 0.5) * 2


def two_layers(weights, through):
    return (through(layer, through(layer, X, weights), weights) ** 2).sum()


def plainly(f, *inputs):
    return f(*inputs)


def test_the_gradient_is_the_same_to_the_last_bit():
    np.testing.assert_array_equal(grad(two_layers)(W, checkpoint), grad(two_layers)(W, plainly))


def test_so_are_second_derivatives_and_forward_mode():
    wanted = hvp(lambda w: two_layers(w, plainly), W, W)
    np.testing.assert_allclose(hvp(lambda w: two_layers(w, checkpoint), W, W), wanted, rtol=1e-12)

    def slope(through):
        return grad(lambda w: (grad(two_layers)(w, through) * W).sum())(W)

    np.testing.assert_allclose(slope(checkpoint), slope(plainly), rtol=1e-12)
    found = jvp(lambda w: two_layers(w, checkpoint), [W], [W])
    wanted = jvp(lambda w: two_layers(w, plainly), [W], [W])
    np.testing.assert_array_equal(found, wanted)


def test_tensors_get_their_gradients():
    w = Tensor(W, requires_grad=True)
    two_layers(w, checkpoint).backward()
    np.testing.assert_array_equal(w.grad, grad(two_layers)(W, plainly))


def test_a_checkpoint_in_a_checkpoint():
    def both(x, w):
        return checkpoint(layer, checkpoint(layer, x, w), w)

    found = grad(lambda w: (checkpoint(both, X, w) ** 2).sum())(W)
    np.testing.assert_array_equal(found, grad(two_layers)(W, plainly))


def test_dicts_methods_and_other_arguments():
    def run(parameters, x, power):
        return (apply(dense, x, parameters["w"], parameters["b"]).relu() ** power).sum()

    parameters = {"w": W, "b": np.ones(4)}
    found = grad(lambda p: checkpoint(run, p, X, 2))(parameters)
    plain = numerical_gradient(
        lambda p: float((relu(dense(X, p["w"], p["b"])[0])[0] ** 2).sum()), parameters
    )
    assert found.keys() == plain.keys()
    for name, gradient in found.items():
        np.testing.assert_allclose(gradient, plain[name], rtol=1e-6, atol=1e-6)


def test_the_second_run_draws_what_the_first_drew():
    def loss(w, through):
        rng = np.random.default_rng(7)
        a = through(dropout, layer(X, w), rng)
        return (through(dropout, layer(a, w), rng) ** 2).sum()

    np.testing.assert_array_equal(grad(loss)(W, checkpoint), grad(loss)(W, plainly))


def test_the_generator_moves_on_once():
    passed, alone = np.random.default_rng(1), np.random.default_rng(1)
    grad(lambda w: checkpoint(dropout, w, passed).sum())(W)
    dropout(W, alone)
    assert passed.random() == alone.random()


def test_another_second_run_is_told():
    rng = np.random.default_rng(0)
    with pytest.raises(RuntimeError, match="the second run of a checkpointed function"):
        grad(lambda w: checkpoint(lambda w: dropout(w, rng), w).sum())(W)


@pytest.mark.parametrize("requires_grad", [True, False])
def test_a_tensor_from_outside_is_refused(requires_grad):
    outside = Tensor(W, requires_grad=requires_grad)
    with pytest.raises(ValueError, match="uses a tensor that is not among its inputs"):
        checkpoint(lambda x: x @ outside, X)


def test_so_is_one_of_the_derivative_that_is_being_taken():
    with pytest.raises(ValueError, match="uses a tensor that is not among its inputs"):
        grad(lambda w: checkpoint(lambda x: x @ w, X).sum())(W)


def test_so_is_one_under_a_second_derivative():
    def loss(p):
        return checkpoint(lambda v: np.tanh(v * p["w"]), p["v"]).sum()

    p = {"w": X, "v": X}
    with pytest.raises(ValueError, match="uses a tensor that is not among its inputs"):
        grad(lambda p: (grad(loss)(p)["v"] ** 2).sum())(p)


@pytest.mark.parametrize("wrap", [lambda y: [y], lambda y: {"y": y}, lambda y: 1])
def test_an_output_that_is_no_array_is_refused(wrap):
    with pytest.raises(TypeError, match="it should return one array of floats"):
        grad(lambda w: checkpoint(lambda x: wrap(np.tanh(x @ w)), X))(W)


def test_each_step_runs_twice():
    runs = []

    def sines(x):
        runs.extend([1] * 10)
        for _ in range(10):
            x = np.sin(x)
        return x

    def chain(x):
        for _ in range(10):
            x = checkpoint(sines, x)
        return x.sum()

    grad(chain)(X)
    assert len(runs) == 200


def peak_arrays(work, size):
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / (8 * size)


@pytest.mark.parametrize("n_steps", [100, 400, 1600])
def test_memory_grows_with_the_square_root(n_steps):
    x, k = np.ones(10_000), round(n_steps**0.5)

    def sines(x):
        for _ in range(k):
            x = np.sin(x)
        return x

    def chain(x, through):
        for _ in range(k):
            x = through(sines, x)
        return x.sum()

    assert peak_arrays(lambda: grad(chain)(x, checkpoint), x.size) < 2 * k + 6
    if n_steps < 1600:
        assert peak_arrays(lambda: grad(chain)(x, plainly), x.size) > n_steps


def test_arrays_alone_give_an_array():
    np.testing.assert_array_equal(checkpoint(layer, X, W), layer(X, W))

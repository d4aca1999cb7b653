"""The gradient check refuses the mistakes that people make, each by its name."""

import numpy as np
import pytest
from gradient_check import CASES, gradient_faults

from backprop_book import squared_error

ALONG = "along a direction"
SHAPE = "has shape"
DTYPE = "has dtype"
COUNT = "gradients for"
SECOND = "a second call"
INPUT = "an input is changed"
GIVEN = "what backward was given is changed"


def wrong_dense(backward, forward=lambda x, weights, bias: x @ weights + bias):
    """Return a dense layer whose backward is `backward(dy, x, weights)`."""

    def function(x, weights, bias):
        return forward(x, weights, bias), lambda dy: backward(dy, x, weights)

    return function


def wrong_loss(backward):
    """Return a squared error whose backward is `backward(dloss, residual)`."""

    def function(prediction, target):
        residual = prediction - target
        loss = 0.5 * (residual**2).sum() / len(residual)
        return loss, lambda dloss: backward(dloss, residual)

    return function


def wrong_regression(backward):
    """Return a regression whose backward is `backward(dloss, x, residual)`."""

    def function(weights, bias, x, target):
        loss, _ = squared_error(x @ weights + bias, target)
        return loss, lambda dloss: backward(dloss, x, x @ weights + bias - target)

    return function


def last_row_only(dy, x, weights):
    """`=` for `+=`: each row's gradient takes the place of the one before."""
    for i in range(len(x)):
        dweights = np.outer(x[i], dy[i])
    return dy @ weights.T, dweights, dy.sum(axis=0)


def first_column_only(dy, x, weights):
    """A return that is indented too far."""
    dx = np.zeros_like(x)
    for h in range(1):
        dx += np.outer(dy[:, h], weights[:, h])
    return dx, x.T @ dy, dy.sum(axis=0)


def adds_to_what_it_returned():
    """A buffer that is made once, not at each call."""
    total = {}

    def backward(dy, x, weights):
        total["weights"] = total.get("weights", 0) + x.T @ dy
        return dy @ weights.T, total["weights"], dy.sum(axis=0)

    return backward


def into_one_buffer():
    """A buffer that is handed out again: what was returned first is overwritten."""
    buffer = np.empty((4, 4))

    def backward(dy, x, weights):
        buffer[:] += 1
        np.matmul(x.T, dy, out=buffer)
        return dy @ weights.T, buffer, dy.sum(axis=0)

    return backward


def scales_what_it_is_given(dloss, residual):
    dloss /= len(residual)
    return dloss * residual, -dloss * residual


def scales_the_residual(dloss, residual):
    residual *= dloss / len(residual)
    return residual.copy(), -residual


def centres_its_input(x, weights, bias):
    x += 1.0
    return x @ weights + bias


def negates_in_place(dloss, residual):
    dprediction = dloss * residual / len(residual)
    return dprediction, np.negative(dprediction, out=dprediction)


def mean(residual):
    return residual / len(residual)


DENSE = {
    "weights not transposed": (lambda dy, x, w: (dy @ w, x.T @ dy, dy.sum(axis=0)), ALONG),
    "x not transposed": (lambda dy, x, w: (dy @ w.T, x @ dy, dy.sum(axis=0)), ALONG),
    "dweights transposed": (lambda dy, x, w: (dy @ w.T, dy.T @ x, dy.sum(axis=0)), ALONG),
    "product in the wrong order": (lambda dy, x, w: (w.T @ dy, x.T @ dy, dy.sum(axis=0)), ALONG),
    "bias gradient a mean": (lambda dy, x, w: (dy @ w.T, x.T @ dy, dy.mean(axis=0)), ALONG),
    "bias gradient over the outputs": (lambda dy, x, w: (dy @ w.T, x.T @ dy, dy.sum(1)), ALONG),
    "bias gradient not summed": (lambda dy, x, w: (dy @ w.T, x.T @ dy, dy), SHAPE),
    "bias gradient summed to one number": (lambda dy, x, w: (dy @ w.T, x.T @ dy, dy.sum()), SHAPE),
    "bias gradient a row": (lambda dy, x, w: (dy @ w.T, x.T @ dy, dy.sum(0, keepdims=1)), SHAPE),
    "bias gradient a 1": (lambda dy, x, w: (dy @ w.T, x.T @ dy, np.ones(len(w))), ALONG),
    "sign of dweights": (lambda dy, x, w: (dy @ w.T, -x.T @ dy, dy.sum(axis=0)), ALONG),
    "dweights a mean over the batch": (
        lambda dy, x, w: (dy @ w.T, mean(x.T @ dy), dy.sum(0)),
        ALONG,
    ),
    "dx forgotten: zeros": (lambda dy, x, w: (0 * x, x.T @ dy, dy.sum(axis=0)), ALONG),
    "dx passed on as it came": (lambda dy, x, w: (dy, x.T @ dy, dy.sum(axis=0)), ALONG),
    "what arrives is forgotten": (lambda dy, x, w: (0 * dy + w.sum(1), x.T @ dy, dy.sum(0)), ALONG),
    "dweights and dx exchanged": (lambda dy, x, w: (x.T @ dy, dy @ w.T, dy.sum(axis=0)), ALONG),
    "dx forgotten": (lambda dy, x, w: (x.T @ dy, dy.sum(axis=0)), COUNT),
    "dbias forgotten": (lambda dy, x, w: (dy @ w.T, x.T @ dy), COUNT),
    "no gradients": (lambda dy, x, w: (), COUNT),
    "too many gradients": (lambda dy, x, w: (dy, dy @ w.T, x.T @ dy, dy.sum(axis=0)), COUNT),
    "a list for a tuple": (lambda dy, x, w: [dy @ w.T, x.T @ dy, dy.sum(axis=0)], COUNT),
    "single precision on the way": (
        lambda dy, x, w: (dy @ w.T, (x.T @ dy).astype(np.float32), dy.sum(axis=0)),
        DTYPE,
    ),
    "rounded to single precision": (
        lambda dy, x, w: (dy @ w.T, (x.T @ dy).astype(np.float32).astype(float), dy.sum(axis=0)),
        ALONG,
    ),
    "one entry wrong by a millionth": (
        lambda dy, x, w: (dy @ w.T, x.T @ dy * (1 + 1e-6 * np.eye(4)), dy.sum(axis=0)),
        ALONG,
    ),
    "= for +=": (last_row_only, ALONG),
    "one column only": (first_column_only, ALONG),
    "adds to what it returned": (adds_to_what_it_returned(), SECOND),
    "= in a buffer": (into_one_buffer(), SECOND),
}

LOSS = {
    "the 2 not cancelled": (lambda d, r: (2 * d * mean(r), -2 * d * mean(r)), ALONG),
    "the half kept": (lambda d, r: (0.5 * d * mean(r), -0.5 * d * mean(r)), ALONG),
    "1/N forgotten": (lambda d, r: (d * r, -d * r), ALONG),
    "1/N taken twice": (lambda d, r: (d * mean(mean(r)), -d * mean(mean(r))), ALONG),
    "a mean over the outputs too": (lambda d, r: (d * r / r.size, -d * r / r.size), ALONG),
    "sign flipped": (lambda d, r: (-d * mean(r), d * mean(r)), ALONG),
    "target with the prediction's sign": (lambda d, r: (d * mean(r), d * mean(r)), ALONG),
    "target's gradient forgotten": (lambda d, r: (d * mean(r), 0 * r), ALONG),
    "dloss forgotten": (lambda d, r: (mean(r), -mean(r)), ALONG),
    "the error's size, not the error": (lambda d, r: (d * mean(abs(r)), -d * mean(r)), ALONG),
    "summed to the loss's shape": (lambda d, r: (d * mean(r).sum(), -d * mean(r).sum()), SHAPE),
    "not a number": (lambda d, r: (d * r * np.nan, -d * mean(r)), ALONG),
    "scales what it is given": (scales_what_it_is_given, GIVEN),
    "scales the residual": (scales_the_residual, SECOND),
    "negates in place": (negates_in_place, ALONG),
}

REGRESSION = {
    "the activations forgotten": (lambda d, x, r: (d * 0 * x.T @ r, d * mean(r).sum(0)), ALONG),
    "1/N for the weights alone": (lambda d, x, r: (d * x.T @ mean(r), d * r.sum(axis=0)), ALONG),
    "target minus prediction": (lambda d, x, r: (-d * x.T @ mean(r), -d * mean(r).sum(0)), ALONG),
    "bias gradient of the first example": (
        lambda d, x, r: (d * x.T @ mean(r), d * mean(r)[0]),
        ALONG,
    ),
}

LENGTHS = {"n": 4, "d": 4, "h": 4}  # square, so that a missing transpose fits


def faults_of(function, case):
    rng = np.random.default_rng(2)
    return gradient_faults(function, case.arrays(LENGTHS, rng), rng, case.n_gradients)


def refuse(function, case, message):
    faults = faults_of(function, CASES[case])
    assert any(message in fault for fault in faults), faults


@pytest.mark.parametrize(("backward", "message"), DENSE.values(), ids=DENSE)
def test_a_wrong_dense_layer_is_refused(backward, message):
    refuse(wrong_dense(backward), "dense", message)


@pytest.mark.parametrize(("backward", "message"), LOSS.values(), ids=LOSS)
def test_a_wrong_squared_error_is_refused(backward, message):
    refuse(wrong_loss(backward), "squared_error of (N, H)", message)


@pytest.mark.parametrize(("backward", "message"), REGRESSION.values(), ids=REGRESSION)
def test_a_wrong_regression_is_refused(backward, message):
    refuse(wrong_regression(backward), "linear_regression", message)


def test_a_forward_that_changes_its_input_is_refused():
    right = wrong_dense(lambda dy, x, w: (dy @ w.T, x.T @ dy, dy.sum(axis=0)), centres_its_input)
    refuse(right, "dense", INPUT)


def test_the_right_ones_pass():
    """The three ways to write a wrong function, given a right backward, are not refused."""
    right = {
        "dense": wrong_dense(lambda dy, x, w: (dy @ w.T, x.T @ dy, dy.sum(axis=0))),
        "squared_error of (N, H)": wrong_loss(lambda d, r: (d * mean(r), -d * mean(r))),
        "linear_regression": wrong_regression(
            lambda d, x, r: (d * x.T @ mean(r), d * mean(r).sum(axis=0))
        ),
    }
    for case, function in right.items():
        assert faults_of(function, CASES[case]) == []

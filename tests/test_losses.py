"""The losses and the softmax at logits that would overflow, where the exact values are known."""

import math

import numpy as np
import pytest
from gradient_check import modest
from hypothesis import given
from hypothesis import strategies as st

from backprop_book import (
    binary_cross_entropy,
    cross_entropy,
    digits,
    hinge,
    initialize,
    iterate_minibatches,
    log_softmax,
    logsumexp,
    network,
    reduce_mean,
    sgd_step,
    sigmoid,
    soft_cross_entropy,
    softmax,
    subtract,
)

BIG = 1e4
ROWS = np.array(
    [
        [BIG, 0.0, -BIG],
        [-BIG, BIG, BIG],
        [-BIG, -BIG, -BIG],
        [0.0, 1.0, -BIG],
        [BIG, BIG - 1, 2.0],
        [BIG, BIG, BIG],
    ]
)
LABELS = np.array([2, 1, 0, 0, 1, 2])
E = math.e
SOFTMAX = [
    [1, 0, 0],
    [0, 1 / 2, 1 / 2],
    [1 / 3, 1 / 3, 1 / 3],
    [1 / (1 + E), E / (1 + E), 0],
    [E / (1 + E), 1 / (1 + E), 0],
    [1 / 3, 1 / 3, 1 / 3],
]
LOG_OF_1_PLUS_E = math.log(1 + E)
LOGSUMEXP = [
    BIG,
    BIG + math.log(2),
    -BIG + math.log(3),
    LOG_OF_1_PLUS_E,
    BIG - 1 + LOG_OF_1_PLUS_E,
    BIG + math.log(3),
]
LOG_P = [
    [0, -BIG, -2 * BIG],
    [-2 * BIG - math.log(2), -math.log(2), -math.log(2)],
    [-math.log(3)] * 3,
    [-LOG_OF_1_PLUS_E, 1 - LOG_OF_1_PLUS_E, -BIG - LOG_OF_1_PLUS_E],
    [1 - LOG_OF_1_PLUS_E, -LOG_OF_1_PLUS_E, 3 - BIG - LOG_OF_1_PLUS_E],
    [-math.log(3)] * 3,
]
"""By hand: what is 10,000 below the largest adds nothing that a float could hold."""

TOLERANCE = {np.float32: 3e-7, np.float64: 1e-15, np.longdouble: 1e-15}

pytestmark = pytest.mark.filterwarnings("error")
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)


def agree(found, exact, dtype, size=1.0):
    """Hold numbers to exact ones, to the rounding of numbers of that size."""
    assert np.asarray(found).dtype == dtype
    assert np.isfinite(found).all()
    np.testing.assert_allclose(
        found, exact, rtol=4 * TOLERANCE[dtype], atol=TOLERANCE[dtype] * size
    )


@dtypes
def test_logsumexp(dtype):
    output, backward = logsumexp(ROWS.astype(dtype))
    agree(output, LOGSUMEXP, dtype)
    agree(backward(np.ones(6, dtype)), SOFTMAX, dtype)


@dtypes
def test_softmax(dtype):
    p, backward = softmax(ROWS.astype(dtype))
    agree(p, SOFTMAX, dtype)
    for k in range(3):
        dp = np.zeros((6, 3), dtype)
        dp[:, k] = 1
        exact = np.array(SOFTMAX)
        agree(backward(dp), exact[:, [k]] * (np.eye(3)[k] - exact), dtype)


@dtypes
def test_log_softmax(dtype):
    log_p, backward = log_softmax(ROWS.astype(dtype))
    agree(log_p, LOG_P, dtype)
    for k in range(3):
        dlog_p = np.zeros((6, 3), dtype)
        dlog_p[:, k] = 1
        agree(backward(dlog_p), np.eye(3)[k] - np.array(SOFTMAX), dtype)


@dtypes
def test_the_other_axis(dtype):
    z = np.ascontiguousarray(ROWS.T).astype(dtype)
    agree(logsumexp(z, axis=0)[0], LOGSUMEXP, dtype)
    agree(softmax(z, axis=0)[0], np.transpose(SOFTMAX), dtype)
    agree(log_softmax(z, axis=0)[0], np.transpose(LOG_P), dtype)


@dtypes
def test_cross_entropy(dtype):
    loss, backward = cross_entropy(ROWS.astype(dtype), LABELS)
    agree(loss, -np.array(LOG_P)[np.arange(6), LABELS].mean(), dtype)
    agree(backward(1.0), (np.array(SOFTMAX) - np.eye(3)[LABELS]) / 6, dtype)


@dtypes
def test_soft_cross_entropy(dtype):
    targets = np.array([[0.5, 0.25, 0.25]] * 6)
    loss, backward = soft_cross_entropy(ROWS.astype(dtype), targets.astype(dtype))
    agree(loss, -(targets * LOG_P).sum() / 6, dtype)
    dlogits, dtargets = backward(1.0)
    agree(dlogits, (np.array(SOFTMAX) - targets) / 6, dtype)
    agree(dtargets, np.array(LOG_P) / -6, dtype)


LOGITS = np.array([BIG, -BIG, BIG, -BIG, 0.0, 50.0, -50.0, BIG, -BIG])
TARGETS = np.array([1.0, 0.0, 0.0, 1.0, 0.5, 1.0, 0.0, 0.25, 0.25])
BINARY = [0, 0, BIG, BIG, math.log(2), math.exp(-50), math.exp(-50), 0.75 * BIG, 0.25 * BIG]
SLOPES = [0, 0, 1, -1, 0, -math.exp(-50), math.exp(-50), 0.75, -0.25]


@dtypes
def test_binary_cross_entropy(dtype):
    loss, backward = binary_cross_entropy(LOGITS.astype(dtype), TARGETS.astype(dtype))
    agree(loss, np.sum(BINARY) / 9, dtype)
    dlogits, dtargets = backward(1.0)
    agree(dlogits, np.array(SLOPES) / 9, dtype)
    agree(dtargets, -LOGITS / 9, dtype)
    for n, (logit, target) in enumerate(zip(LOGITS, TARGETS, strict=True)):
        one = np.array([logit], dtype), np.array([target], dtype)
        agree(binary_cross_entropy(*one)[0], BINARY[n], dtype, size=0)


@dtypes
def test_where_it_is_sure_the_binary_loss_keeps_its_digits(dtype):
    """The gradient p - t, taken literally, is 0 here: p rounds to 1."""
    dlogits, _ = binary_cross_entropy(np.full(1, 40, dtype), np.ones(1, dtype))[1](1.0)
    assert sigmoid(np.full(1, 40, dtype))[0] == 1
    np.testing.assert_allclose(dlogits, -math.exp(-40), rtol=10 * TOLERANCE[dtype])


@dtypes
def test_hinge(dtype):
    loss, backward = hinge(ROWS.astype(dtype), LABELS)
    excess = ROWS - ROWS[np.arange(6), LABELS][:, None] + 1
    excess[np.arange(6), LABELS] = 0
    over = (excess > 0).astype(float)
    over[np.arange(6), LABELS] = -over.sum(axis=1)
    agree(loss, np.maximum(excess, 0).sum() / 6, dtype)
    agree(backward(1.0), over / 6, dtype)


FINE = {
    "logsumexp": lambda z, t, labels: logsumexp(z),
    "softmax": lambda z, t, labels: softmax(z),
    "log_softmax": lambda z, t, labels: log_softmax(z),
    "cross_entropy": lambda z, t, labels: cross_entropy(z, labels),
    "soft_cross_entropy": lambda z, t, labels: soft_cross_entropy(z, t),
    "binary_cross_entropy": lambda z, t, labels: binary_cross_entropy(z, t),
    "hinge": lambda z, t, labels: hinge(z, labels),
}


@pytest.mark.parametrize("function", FINE.values(), ids=FINE)
@modest
@given(
    size=st.sampled_from([1.0, 30.0, 100.0, BIG]),
    shape=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    seed=st.integers(0, 10_000),
)
def test_float32_agrees_with_extended_precision_at_every_size(function, size, shape, seed):
    """On the same numbers, which float32 holds exactly; nothing warns, nothing is infinite."""
    rng = np.random.default_rng(seed)
    z = (size * rng.uniform(-1, 1, size=shape)).astype(np.float32)
    t = rng.integers(0, 5, size=shape).astype(np.float32) / 4
    labels = rng.integers(0, shape[1], size=shape[0])
    output, backward = function(z, t, labels)
    exact, exact_backward = function(z.astype(np.longdouble), t.astype(np.longdouble), labels)
    agree(output, exact.astype(float), np.float32, size=10 * size)
    doutput = rng.normal(size=np.shape(output)).astype(np.float32)
    told, wanted = backward(doutput), exact_backward(doutput.astype(np.longdouble))
    told = told if isinstance(told, tuple) else (told,)
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    for gradient, other in zip(told, wanted, strict=True):
        agree(gradient, other.astype(float), np.float32, size=10 * size)


def test_a_warning_would_have_been_an_error():
    with pytest.raises(RuntimeWarning, match="overflow"):
        np.exp(np.array([BIG], dtype=np.float32))


EMPTY = {
    "an empty batch": ((0, 3), "(0, 3)"),
    "empty rows": ((4, 0), "(4, 0)"),
}


@pytest.mark.parametrize(("shape", "told"), EMPTY.values(), ids=EMPTY)
@pytest.mark.parametrize("function", FINE.values(), ids=FINE)
def test_what_is_empty_is_refused_by_name_and_shape(function, shape, told):
    name = r"(z|logits|scores)"
    shape_told = told.replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(
        ValueError, match=rf"^{name} has shape {shape_told}; it should not be empty$"
    ):
        function(np.ones(shape), np.ones(shape), np.zeros(shape[0], dtype=np.int64))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_softmax_does_not_notice_what_is_added_to_all(axis):
    z = np.random.default_rng(0).integers(-50, 50, size=(4, 3)) / 8
    for function in (softmax, log_softmax):
        np.testing.assert_array_equal(function(z, axis)[0], function(z + 1024, axis)[0])
    np.testing.assert_allclose(logsumexp(z + 1024, axis)[0], logsumexp(z, axis)[0] + 1024)


def test_hard_and_soft_and_binary_cross_entropy_are_one():
    """With one-hot targets the first two; with two classes, 0 and z, the third."""
    rng = np.random.default_rng(1)
    logits, labels = rng.normal(size=(5, 3)), rng.integers(0, 3, size=5)
    hard, soft = cross_entropy(logits, labels), soft_cross_entropy(logits, np.eye(3)[labels])
    assert hard[0] == pytest.approx(soft[0], rel=1e-14)
    np.testing.assert_allclose(hard[1](1.0), soft[1](1.0)[0], rtol=1e-13, atol=1e-16)
    z, t = rng.normal(size=5), rng.integers(0, 2, size=5)
    two = cross_entropy(np.stack([0 * z, z], axis=1), t)
    binary = binary_cross_entropy(z, t.astype(float))
    assert two[0] == pytest.approx(binary[0], rel=1e-14)
    np.testing.assert_allclose(two[1](1.0)[:, 1], binary[1](1.0)[0], rtol=1e-13)


def test_at_the_margin_the_hinge_takes_0():
    _, backward = hinge(np.array([[3.0, 2.0, 1.5, 4.0]]), np.array([0]))
    assert backward(1.0).tolist() == [[-1, 0, 0, 1]]


def test_one_class_costs_nothing():
    z, labels = np.array([[BIG], [-3.0]]), np.array([0, 0])
    for function in (cross_entropy, hinge):
        loss, backward = function(z, labels)
        assert loss == 0
        assert backward(1.0).tolist() == [[0], [0]]


def test_labels_of_any_whole_dtype():
    logits = np.random.default_rng(2).normal(size=(3, 4))
    losses = {
        float(function(logits, np.array([0, 3, 1], dtype))[0])
        for dtype in (np.int64, np.int8, np.uint8, np.uint64)
        for function in (cross_entropy,)
    }
    assert len(losses) == 1


def test_functions_of_the_package_make_the_losses_of_the_package():
    """The cross-entropy is a mean of differences: a log-sum-exp less the score of the label."""
    rng = np.random.default_rng(3)
    logits, labels = rng.normal(size=(5, 3)), rng.integers(0, 3, size=5)
    total, _ = logsumexp(logits)
    surprise, _ = subtract(total, logits[np.arange(5), labels])
    assert reduce_mean(surprise)[0] == pytest.approx(cross_entropy(logits, labels)[0], rel=1e-14)


def test_the_digits_can_be_learned():
    """Twenty times over 42 batches of 32; a last batch of 3 would be a rough step to end with."""
    x, labels, x_held_out, labels_held_out = digits()
    rng = np.random.default_rng(4)
    parameters = initialize([64, 32, 10], rng)
    for _ in range(20):
        for x_batch, labels_batch in iterate_minibatches(x[:1344], labels[:1344], 32, rng):
            logits, backward = network(parameters, x_batch)
            _, loss_backward = cross_entropy(logits, labels_batch)
            gradients, _ = backward(loss_backward(1.0))
            parameters = sgd_step(parameters, gradients, 0.2)
    logits, _ = network(parameters, x_held_out)
    assert (logits.argmax(axis=1) == labels_held_out).mean() > 0.95

"""Losses on logits, and the softmax behind them, none of which overflows. Written in chapter 12."""

from collections.abc import Callable
from typing import Any

import numpy as np

from backprop_book.arrays import Array, Labels
from backprop_book.checks import shapes, values
from backprop_book.rules import positive
from backprop_book.shape_rules import axis_of, labels_for


@shapes("(...)->(...)")
@values(axis=axis_of("z"))
def logsumexp(z: Array, axis: int = -1) -> tuple[Array, Callable[[Array], Array]]:
    """Return log(sum(exp(z))) along one axis, which is gone from the output, without overflow.

    `backward(doutput)` takes an array shaped like the output and returns dz, shaped like z: the
    derivative of a log-sum-exp is the softmax (Blanchard, Higham and Higham, IMA Journal of
    Numerical Analysis 41, 2021, 2311-2330).

    Raises TypeError for what is not an array of floats, ValueError for an axis that z lacks.

    >>> output, backward = logsumexp(np.array([1e4, 1e4]))
    >>> float(output), backward(1.0)
    (10000.69314718056, array([0.5, 0.5]))
    """
    largest = z.max(axis=axis, keepdims=True)
    exps = np.exp(z - largest)
    total = exps.sum(axis=axis, keepdims=True)
    output = (largest + np.log(total)).squeeze(axis)

    def backward(doutput: Array) -> Any:
        return np.expand_dims(doutput, axis) * (exps / total)

    return output, backward


@shapes("(...)->(...)")
@values(axis=axis_of("z"))
def softmax(z: Array, axis: int = -1) -> tuple[Array, Callable[[Array], Array]]:
    """Return exp(z) divided by its sum along one axis, without overflow; p has the shape of z.

    `backward(dp)` multiplies dp by the Jacobian diag(p) - p p', which is never formed (Bridle,
    Neurocomputing, NATO ASI Series 68, 1990, 227-236).

    Raises TypeError for what is not an array of floats, ValueError for an axis that z lacks.

    >>> p, backward = softmax(np.array([1e4, 1e4]))
    >>> p, backward(np.array([1.0, 0.0]))
    (array([0.5, 0.5]), array([ 0.25, -0.25]))
    """
    exps = np.exp(z - z.max(axis=axis, keepdims=True))
    p = exps / exps.sum(axis=axis, keepdims=True)

    def backward(dp: Array) -> Any:
        return p * (dp - (dp * p).sum(axis=axis, keepdims=True))

    return p, backward


@shapes("(...)->(...)")
@values(axis=axis_of("z"))
def log_softmax(z: Array, axis: int = -1) -> tuple[Array, Callable[[Array], Array]]:
    """Return the logarithm of the softmax along one axis, finite wherever z is; shaped like z.

    `backward(dlog_p)` returns dz, shaped like z.

    Raises TypeError for what is not an array of floats, ValueError for an axis that z lacks.

    >>> log_p, backward = log_softmax(np.array([1e4, 0.0]))
    >>> log_p
    array([     0., -10000.])
    """
    shifted = z - z.max(axis=axis, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))

    def backward(dlog_p: Array) -> Any:
        return dlog_p - np.exp(log_p) * dlog_p.sum(axis=axis, keepdims=True)

    return log_p, backward


@shapes("(n,k)->()")
@values(labels=labels_for("logits"))
def cross_entropy(logits: Array, labels: Labels) -> tuple[Array, Callable[[float], Array]]:
    """Return the mean over examples of -log p[label], where p is the softmax of the logits.

    logits is (N, K), labels N whole numbers from 0 to K - 1. `backward(dloss)` returns dlogits,
    (p - one-hot label) / N times dloss (Bridle, NIPS 2, 1990, 211-217).

    Raises TypeError for logits that are no floats or labels that are no whole numbers, ValueError
    for shapes or labels that do not fit.

    >>> loss, backward = cross_entropy(np.array([[0.0, 0.0], [1e4, 0.0]]), np.array([0, 1]))
    >>> float(loss)
    5000.34657359028
    >>> backward(1.0)
    array([[-0.25,  0.25],
           [ 0.5 , -0.5 ]])
    """
    n_examples = len(logits)
    rows = np.arange(n_examples)
    shifted = logits - logits.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    total = exps.sum(axis=1, keepdims=True)
    loss = (np.log(total).sum() - shifted[rows, labels].sum()) / n_examples

    def backward(dloss: float) -> Any:
        dlogits = exps / total
        dlogits[rows, labels] -= 1
        return dlogits * (dloss / n_examples)

    return loss, backward


@shapes("(n,k),(n,k)->()")
def soft_cross_entropy(
    logits: Array, targets: Array
) -> tuple[Array, Callable[[float], tuple[Array, Array]]]:
    """Return the mean over examples of -sum(target * log p), where p is the softmax of the logits.

    logits and targets are (N, K); a row of targets holds probabilities, and its sum is not checked.
    `backward(dloss)` returns (dlogits, dtargets).

    Raises TypeError for arrays that are not floats of one dtype, ValueError for unequal shapes.

    >>> loss, backward = soft_cross_entropy(np.zeros((1, 2)), np.array([[0.5, 0.5]]))
    >>> round(float(loss), 6)
    0.693147
    """
    n_examples = len(logits)
    log_p, log_softmax_backward = log_softmax(logits)
    loss = -(targets * log_p).sum() / n_examples

    def backward(dloss: float) -> tuple[Array, Array]:
        dlog_p = -targets * (dloss / n_examples)
        return log_softmax_backward(dlog_p), -log_p * (dloss / n_examples)

    return loss, backward


@shapes("(n,h?),(n,h?)->()")
def binary_cross_entropy(
    logits: Array, targets: Array
) -> tuple[Array, Callable[[float], tuple[Array, Array]]]:
    """Return -(t log p + (1 - t) log(1 - p)) for p = sigmoid(logit), from the logits, no overflow.

    logits and targets are both (N, H) or both (N,), targets from 0 to 1; the loss is summed over
    outputs and averaged over examples. `backward(dloss)` returns (dlogits, dtargets); dlogits is
    (p - t) / N times dloss, and keeps its digits where t is 0 or 1 and p is close to it.

    Raises TypeError for arrays that are not floats of one dtype, ValueError for unequal shapes.

    >>> loss, backward = binary_cross_entropy(np.array([-800.0, 800.0]), np.array([1.0, 0.0]))
    >>> float(loss), backward(1.0)[0]
    (800.0, array([-0.5,  0.5]))
    """
    n_examples = len(logits)
    loss_if_one, loss_if_zero = np.logaddexp(0, -logits), np.logaddexp(0, logits)
    loss = (targets * loss_if_one + (1 - targets) * loss_if_zero).sum() / n_examples

    def backward(dloss: float) -> tuple[Array, Array]:
        one, zero = np.exp(-loss_if_one), np.exp(-loss_if_zero)
        scale = dloss / n_examples
        return ((1 - targets) * one - targets * zero) * scale, -logits * scale

    return loss, backward


@shapes("(n,k)->()")
@values(margin=positive, labels=labels_for("scores"))
def hinge(
    scores: Array, labels: Labels, margin: float = 1.0
) -> tuple[Array, Callable[[float], Array]]:
    """Return by how much the wrong scores come within a margin of the right one: the SVM loss.

    For each example, the sum over the wrong classes of max(0, score - right score + margin), and
    the mean of that. scores is (N, K), labels N whole numbers from 0 to K - 1. `backward(dloss)`
    returns dscores; where a score is at the margin exactly, it takes 0 (Weston and Watkins, ESANN
    1999, 219-224).

    Raises TypeError for scores that are no floats or labels that are no whole numbers, ValueError
    for shapes or labels that do not fit, or a margin that is not positive.

    >>> loss, backward = hinge(np.array([[3.0, 2.5, 0.0]]), np.array([0]))
    >>> float(loss), backward(1.0)
    (0.5, array([[-1.,  1.,  0.]]))
    """
    n_examples = len(scores)
    rows = np.arange(n_examples)
    excess = scores - scores[rows, labels][:, None] + margin
    excess[rows, labels] = 0
    loss = np.maximum(excess, 0).sum() / n_examples

    def backward(dloss: float) -> Any:
        dscores = (excess > 0).astype(scores.dtype)
        dscores[rows, labels] = -dscores.sum(axis=1)
        return dscores * (dloss / n_examples)

    return loss, backward

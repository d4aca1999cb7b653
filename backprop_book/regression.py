"""A dense layer, the squared error, and the two together. Written in chapter 3."""

from collections.abc import Callable
from typing import Any

from backprop_book.arrays import Array, Parameters
from backprop_book.checks import shapes, values
from backprop_book.rules import holding


@shapes("(n,d),(d,h),(h)->(n,h)")
def dense(
    x: Array, weights: Array, bias: Array
) -> tuple[Array, Callable[..., tuple[Any, Array, Array]]]:
    """Weigh and add up the features of each example: x @ weights + bias.

    x is (N, D), N examples of D features; weights is (D, H), bias is (H,); the output is (N, H).
    `backward(doutput)` takes (N, H) and returns (dx, dweights, dbias), shaped as the inputs;
    `backward(doutput, with_dx=False)` spares the product for dx, and returns None in its place
    (Nielsen, Neural Networks and Deep Learning, 2015, chapter 2, for one example).

    Raises TypeError for arrays that are not floats of one dtype, ValueError for shapes that do not
    fit.

    >>> import numpy as np
    >>> output, backward = dense(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([5.0]))
    >>> output
    array([[16.]])
    >>> dx, dweights, dbias = backward(np.array([[1.0]]))
    >>> dweights
    array([[1.],
           [2.]])
    """
    output = x @ weights + bias

    def backward(doutput: Array, with_dx: bool = True) -> tuple[Any, Array, Array]:
        dx = doutput @ weights.T if with_dx else None
        return dx, x.T @ doutput, doutput.sum(axis=0)

    return output, backward


@shapes("(n,h?),(n,h?)->()")
def squared_error(
    prediction: Array, target: Array
) -> tuple[Array, Callable[[float], tuple[Array, Array]]]:
    """Return half the squared error, summed over outputs and averaged over examples.

    prediction and target are both (N, H) or both (N,); the loss is a scalar. The half cancels the 2
    of the derivative, so `backward(dloss)` returns (prediction - target) / N times dloss, and its
    negative, for (dprediction, dtarget). For (N,) this is half of what most libraries call the mean
    squared error.

    Raises TypeError for arrays that are not floats of one dtype, ValueError for unequal shapes:
    (N,) against (N, 1) is an error, never a broadcast.

    >>> import numpy as np
    >>> loss, backward = squared_error(np.array([0.0, 3.0]), np.array([1.0, 1.0]))
    >>> float(loss)
    1.25
    >>> backward(1.0)[0]
    array([-0.5,  1. ])
    """
    residual = prediction - target
    n_examples = len(residual)
    loss = 0.5 * (residual**2).sum() / n_examples

    def backward(dloss: float) -> tuple[Array, Array]:
        dprediction = dloss * residual / n_examples
        return dprediction, -dprediction

    return loss, backward


@values(parameters=holding("weights", "bias"))
def linear_regression(
    parameters: Parameters, x: Array, target: Array
) -> tuple[Array, Callable[[float], Parameters]]:
    """Return the squared error of a dense layer whose weights and bias are in a dict.

    parameters holds "weights" (D, H) and "bias" (H,); x is (N, D) and target (N, H).
    `backward(dloss)` returns a dict of gradients with the same keys and shapes.

    Raises as `dense` and `squared_error` do, and ValueError for a parameter that is missing.

    >>> import numpy as np
    >>> parameters = {"weights": np.zeros((2, 1)), "bias": np.zeros(1)}
    >>> loss, backward = linear_regression(parameters, np.ones((4, 2)), np.ones((4, 1)))
    >>> float(loss), backward(1.0)["bias"]
    (0.5, array([-1.]))
    """
    prediction, dense_backward = dense(x, parameters["weights"], parameters["bias"])
    loss, loss_backward = squared_error(prediction, target)

    def backward(dloss: float) -> Parameters:
        dprediction, _ = loss_backward(dloss)
        _, dweights, dbias = dense_backward(dprediction, with_dx=False)
        return {"weights": dweights, "bias": dbias}

    return loss, backward

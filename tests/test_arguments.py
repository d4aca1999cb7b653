"""Bad input is refused before anything is computed, with an error that names it.

Each row of a table: what is called, the type of the error, and words of its message: the argument,
what it was and what it should be.
"""

import inspect
import math

import numpy as np
import pytest

import backprop_book
from backprop_book import (
    Graph,
    Tensor,
    Value,
    absolute,
    add,
    apply,
    assert_gradient,
    backpropagate,
    binary_cross_entropy,
    check_gradient,
    checkpoint,
    checks,
    complex_step_gradient,
    compose,
    cos,
    count_users,
    cross_entropy,
    custom_vjp,
    dense,
    diagnose,
    directional_derivatives,
    divide,
    example_inputs,
    exp,
    gelu,
    getitem,
    grad,
    hessian,
    hinge,
    hvp,
    identity,
    initialize,
    iterate_minibatches,
    jacobian,
    jvp,
    leaky_relu,
    learning_rate_range_test,
    linear_regression,
    log,
    log_softmax,
    logsumexp,
    matmul,
    maximum,
    minimum,
    multiply,
    negative,
    network,
    network_loss,
    noisy_plane,
    numerical_gradient,
    one_sided_gradient,
    power,
    power_iteration,
    reduce_max,
    reduce_mean,
    reduce_sum,
    relu,
    reshape,
    rules,
    scatter_add,
    sgd_step,
    sigmoid,
    sin,
    soft_cross_entropy,
    softmax,
    softplus,
    sqrt,
    squared_error,
    stop_gradient,
    straight_through,
    subtract,
    tanh,
    transpose,
    unbroadcast,
    value_and_grad,
    vjp,
)
from backprop_book.activations import normal_cdf
from backprop_book.drawing import draw_graph
from backprop_book.figures import new_figure

X, W, B = np.ones((4, 3)), np.ones((3, 2)), np.ones(2)
Y = np.ones((4, 2))
P = {"weights": W, "bias": B}
SINGLE = np.float32


def single(array):
    return array.astype(SINGLE)


def dense_backward(doutput, x=X, weights=W, bias=B):
    return dense(x, weights, bias)[1](doutput)


def loss_backward(dloss, dtype=float):
    return squared_error(np.ones(3, dtype), np.ones(3, dtype))[1](dloss)


def regression_backward(dloss):
    return linear_regression(P, X, Y)[1](dloss)


def rng():
    return np.random.default_rng(0)


def square(p):
    return (p["w"] ** 2).sum(), lambda dloss: {"w": 2 * p["w"] * dloss}


ARRAYS = "it should be a NumPy array of floats"
FLOATS = "it should be floats, as float64"
DICT = "it should be a dict of arrays by name"
POSITIVE = "it should be a positive finite number"
WHOLE = "it should be a whole number, 1 or more"

DENSE = {
    "x a list": (lambda: dense(X.tolist(), W, B), TypeError, f"x is a list; {ARRAYS}"),
    "weights a tuple": (lambda: dense(X, (1.0,), B), TypeError, f"weights is a tuple; {ARRAYS}"),
    "bias a number": (lambda: dense(X, W, 1.0), TypeError, f"bias is a float; {ARRAYS}"),
    "bias an int": (lambda: dense(X, W, 1), TypeError, f"bias is an int; {ARRAYS}"),
    "bias None": (lambda: dense(X, W, None), TypeError, f"bias is a NoneType; {ARRAYS}"),
    "x whole numbers": (
        lambda: dense(X.astype(np.int64), W, B),
        TypeError,
        f"x has dtype int64; {FLOATS}",
    ),
    "x of bools": (lambda: dense(X > 0, W, B), TypeError, f"x has dtype bool; {FLOATS}"),
    "weights complex": (
        lambda: dense(X, W * 1j, B),
        TypeError,
        f"weights has dtype complex128; {FLOATS}",
    ),
    "x of strings": (lambda: dense(X.astype("U3"), W, B), TypeError, f"x has dtype <U3; {FLOATS}"),
    "x of objects": (
        lambda: dense(X.astype(object), W, B),
        TypeError,
        f"x has dtype object; {FLOATS}",
    ),
    "weights float32": (
        lambda: dense(X, single(W), B),
        TypeError,
        "weights has dtype float32; it should be float64, as x is",
    ),
    "x float32": (
        lambda: dense(single(X), W, single(B)),
        TypeError,
        "weights has dtype float64; it should be float32, as x is",
    ),
    "no examples": (
        lambda: dense(X[:0], W, B),
        ValueError,
        "x has shape (0, 3); it should not be empty",
    ),
    "no outputs": (
        lambda: dense(X, W[:, :0], B[:0]),
        ValueError,
        "weights has shape (3, 0); it should not be empty",
    ),
    "x one example without its axis": (
        lambda: dense(X[0], W, B),
        ValueError,
        "x has shape (3,); it should be (n, d)",
    ),
    "x a scalar": (
        lambda: dense(np.float64(1), W, B),
        ValueError,
        "x has shape (); it should be (n, d)",
    ),
    "x of three axes": (
        lambda: dense(X[None], W, B),
        ValueError,
        "x has shape (1, 4, 3); it should be (n, d)",
    ),
    "weights transposed": (
        lambda: dense(X, W.T, B),
        ValueError,
        "weights has shape (2, 3); it should be (d, h) with d = 3",
    ),
    "weights a vector": (
        lambda: dense(X, W[:, 0], B),
        ValueError,
        "weights has shape (3,); it should be (d, h) with d = 3",
    ),
    "bias too long": (
        lambda: dense(X, W, np.ones(3)),
        ValueError,
        "bias has shape (3,); it should be (h,) with h = 2",
    ),
    "bias of one, for two": (
        lambda: dense(X, W, np.ones(1)),
        ValueError,
        "bias has shape (1,); it should be (h,) with h = 2",
    ),
    "bias a row": (
        lambda: dense(X, W, np.ones((1, 2))),
        ValueError,
        "bias has shape (1, 2); it should be (h,) with h = 2",
    ),
    "bias a column": (
        lambda: dense(X, W, np.ones((4, 1))),
        ValueError,
        "bias has shape (4, 1); it should be (h,) with h = 2",
    ),
    "by name": (
        lambda: dense(bias=np.ones(3), x=X, weights=W),
        ValueError,
        "bias has shape (3,); it should be (h,) with h = 2",
    ),
    "two of three": (lambda: dense(X, W), TypeError, "bias"),
    "four of three": (lambda: dense(X, W, B, B), TypeError, "4"),
    "an unknown name": (lambda: dense(X, W, offset=B), TypeError, "bias"),
    "doutput of one example": (
        lambda: dense_backward(np.ones(2)),
        ValueError,
        "doutput has shape (2,); it should be (4, 2), as the output is",
    ),
    "doutput transposed": (
        lambda: dense_backward(Y.T),
        ValueError,
        "doutput has shape (2, 4); it should be (4, 2), as the output is",
    ),
    "doutput that broadcasts": (
        lambda: dense_backward(np.ones((4, 1))),
        ValueError,
        "doutput has shape (4, 1); it should be (4, 2), as the output is",
    ),
    "doutput a number": (lambda: dense_backward(1.0), TypeError, f"doutput is a float; {ARRAYS}"),
    "doutput a list": (
        lambda: dense_backward(Y.tolist()),
        TypeError,
        f"doutput is a list; {ARRAYS}",
    ),
    "doutput whole numbers": (
        lambda: dense_backward(Y.astype(np.int64)),
        TypeError,
        f"doutput has dtype int64; {FLOATS}",
    ),
    "doutput float32": (
        lambda: dense_backward(single(Y)),
        TypeError,
        "doutput has dtype float32; it should be float64, as the output is",
    ),
    "doutput float64": (
        lambda: dense_backward(Y, single(X), single(W), single(B)),
        TypeError,
        "doutput has dtype float64; it should be float32, as the output is",
    ),
}

SQUARED_ERROR = {
    "(n,) against (n, 1)": (
        lambda: squared_error(Y[:, 0], Y[:, :1]),
        ValueError,
        "target has shape (4, 1); it should be (n,) with n = 4",
    ),
    "(n, 1) against (n,)": (
        lambda: squared_error(Y[:, :1], Y[:, 0]),
        ValueError,
        "target has shape (4,); it should be (n, h) with n = 4, h = 1",
    ),
    "(n, h) against (n, 1)": (
        lambda: squared_error(Y, Y[:, :1]),
        ValueError,
        "target has shape (4, 1); it should be (n, h) with n = 4, h = 2",
    ),
    "fewer targets": (
        lambda: squared_error(Y, Y[:3]),
        ValueError,
        "target has shape (3, 2); it should be (n, h) with n = 4, h = 2",
    ),
    "one target for all": (
        lambda: squared_error(Y[:, 0], Y[:1, 0]),
        ValueError,
        "target has shape (1,); it should be (n,) with n = 4",
    ),
    "scalars": (
        lambda: squared_error(np.array(1.0), np.array(1.0)),
        ValueError,
        "prediction has shape (); it should be (n, h?)",
    ),
    "three axes": (
        lambda: squared_error(Y[None], Y[None]),
        ValueError,
        "prediction has shape (1, 4, 2); it should be (n, h?)",
    ),
    "a list": (lambda: squared_error(Y, Y.tolist()), TypeError, f"target is a list; {ARRAYS}"),
    "whole targets": (
        lambda: squared_error(Y, Y.astype(np.int64)),
        TypeError,
        f"target has dtype int64; {FLOATS}",
    ),
    "mixed dtypes": (
        lambda: squared_error(single(Y), Y),
        TypeError,
        "target has dtype float64; it should be float32, as prediction is",
    ),
    "an empty batch": (
        lambda: squared_error(Y[:0], Y[:0]),
        ValueError,
        "prediction has shape (0, 2); it should not be empty",
    ),
    "dloss of the wrong shape": (
        lambda: loss_backward(np.ones(3)),
        ValueError,
        "doutput has shape (3,); it should be (), as the output is",
    ),
    "dloss of one axis": (
        lambda: loss_backward(np.ones(1)),
        ValueError,
        "doutput has shape (1,); it should be (), as the output is",
    ),
    "dloss None": (lambda: loss_backward(None), TypeError, f"doutput is a NoneType; {ARRAYS}"),
    "dloss text": (lambda: loss_backward("1"), TypeError, f"doutput is a str; {ARRAYS}"),
    "dloss a bool": (lambda: loss_backward(True), TypeError, f"doutput is a bool; {ARRAYS}"),
    "dloss an array of another dtype": (
        lambda: loss_backward(np.array(1.0), SINGLE),
        TypeError,
        "doutput has dtype float64; it should be float32, as the output is",
    ),
}

LINEAR_REGRESSION = {
    "parameters a list": (
        lambda: linear_regression([W, B], X, Y),
        TypeError,
        f"parameters is a list; {DICT}",
    ),
    "parameters empty": (
        lambda: linear_regression({}, X, Y),
        ValueError,
        f"parameters is empty; {DICT}",
    ),
    "no bias": (
        lambda: linear_regression({"weights": W}, X, Y),
        ValueError,
        "parameters has the keys ['weights']; it should have ['weights', 'bias']",
    ),
    "another name": (
        lambda: linear_regression({"w": W, "bias": B}, X, Y),
        ValueError,
        "parameters has the keys ['w', 'bias']; it should have ['weights', 'bias']",
    ),
    "weights a list": (
        lambda: linear_regression({"weights": [1.0], "bias": B}, X, Y),
        TypeError,
        f"weights is a list; {ARRAYS}",
    ),
    "weights that do not fit": (
        lambda: linear_regression({"weights": W.T, "bias": B}, X, Y),
        ValueError,
        "weights has shape (2, 3); it should be (d, h) with d = 3",
    ),
    "target (n,)": (
        lambda: linear_regression(P, X, Y[:, 0]),
        ValueError,
        "target has shape (4,); it should be (n, h) with n = 4, h = 2",
    ),
    "an empty batch": (
        lambda: linear_regression(P, X[:0], Y[:0]),
        ValueError,
        "x has shape (0, 3); it should not be empty",
    ),
    "mixed dtypes": (
        lambda: linear_regression(P, single(X), Y),
        TypeError,
        "weights has dtype float64; it should be float32, as x is",
    ),
    "dloss of the wrong shape": (
        lambda: regression_backward(np.ones(4)),
        ValueError,
        "doutput has shape (4,); it should be (), as the output is",
    ),
}

SGD_STEP = {
    "parameters an array": (
        lambda: sgd_step(W, W, 0.1),
        TypeError,
        f"parameters is an array; {DICT}",
    ),
    "parameters empty": (lambda: sgd_step({}, {}, 0.1), ValueError, f"parameters is empty; {DICT}"),
    "parameters of lists": (
        lambda: sgd_step({"w": [1.0]}, {"w": B}, 0.1),
        TypeError,
        f"parameters['w'] is a list; {ARRAYS}",
    ),
    "parameters of whole numbers": (
        lambda: sgd_step({"w": np.arange(2)}, {"w": B}, 0.1),
        TypeError,
        f"parameters['w'] has dtype int64; {FLOATS}",
    ),
    "gradients a tuple": (
        lambda: sgd_step(P, (W, B), 0.1),
        TypeError,
        f"gradients is a tuple; {DICT}",
    ),
    "gradients empty": (lambda: sgd_step(P, {}, 0.1), ValueError, f"gradients is empty; {DICT}"),
    "gradients of lists": (
        lambda: sgd_step({"w": B}, {"w": [1.0, 1.0]}, 0.1),
        TypeError,
        f"gradients['w'] is a list; {ARRAYS}",
    ),
    "a gradient missing": (
        lambda: sgd_step(P, {"bias": B}, 0.1),
        ValueError,
        "gradients has the keys ['bias']; it should have those of parameters, ['weights', 'bias']",
    ),
    "a gradient too many": (
        lambda: sgd_step({"bias": B}, P, 0.1),
        ValueError,
        "gradients has the keys ['weights', 'bias']; it should have those of parameters, ['bias']",
    ),
    "a gradient of another shape": (
        lambda: sgd_step({"w": B}, {"w": np.ones((2, 1))}, 0.1),
        ValueError,
        "gradients['w'] has shape (2, 1); it should be (2,), as parameters['w'] is",
    ),
    "a gradient that broadcasts": (
        lambda: sgd_step({"w": B}, {"w": np.array(1.0)}, 0.1),
        ValueError,
        "gradients['w'] has shape (); it should be (2,), as parameters['w'] is",
    ),
    "a gradient of another dtype": (
        lambda: sgd_step({"w": single(B)}, {"w": B}, 0.1),
        TypeError,
        "gradients['w'] has dtype float64; it should be float32, as parameters['w'] is",
    ),
    "learning rate missing": (lambda: sgd_step(P, P), TypeError, "learning_rate"),
    "learning rate given twice": (
        lambda: sgd_step(P, P, 0.1, learning_rate=0.1),
        TypeError,
        "learning_rate",
    ),
    "parameters missing": (
        lambda: sgd_step(gradients=P, learning_rate=0.1),
        TypeError,
        "parameters",
    ),
} | {
    f"learning rate {rate!r}": (
        lambda rate=rate: sgd_step(P, P, rate),
        ValueError,
        f"learning_rate is {rate!r}; {POSITIVE}",
    )
    for rate in (
        math.nan,
        np.nan,
        np.float32("nan"),
        math.inf,
        -math.inf,
        0,
        0.0,
        -0.1,
        "0.1",
        True,
        np.True_,
        None,
        0.1j,
        [0.1],
        np.array(0.1),
        np.array([0.1]),
        {},
    )
}

MINIBATCHES = {
    "x a list": (lambda: iterate_minibatches([1.0], Y, 2), TypeError, f"x is a list; {ARRAYS}"),
    "x a scalar": (
        lambda: iterate_minibatches(np.array(1.0), Y, 2),
        ValueError,
        "x has shape (); it should have one row for each example",
    ),
    "y a list": (lambda: iterate_minibatches(X, [1.0] * 4, 2), TypeError, f"y is a list; {ARRAYS}"),
    "y a scalar": (
        lambda: iterate_minibatches(X, np.array(1.0), 2),
        ValueError,
        "y has shape (); it should have the 4 rows of x",
    ),
    "y shorter": (
        lambda: iterate_minibatches(X, Y[:3], 2),
        ValueError,
        "y has shape (3, 2); it should have the 4 rows of x",
    ),
    "y longer": (
        lambda: iterate_minibatches(X[:3], Y, 2),
        ValueError,
        "y has shape (4, 2); it should have the 3 rows of x",
    ),
    "y of bools": (
        lambda: iterate_minibatches(X, X[:, 0] > 0, 2),
        TypeError,
        f"y has dtype bool; {FLOATS}",
    ),
    "y fewer labels": (
        lambda: iterate_minibatches(X, np.arange(3), 2),
        ValueError,
        "y has shape (3,); it should have the 4 rows of x",
    ),
    "y one label": (
        lambda: iterate_minibatches(X, np.array(1), 2),
        ValueError,
        "y has shape (); it should have the 4 rows of x",
    ),
    "no examples": (
        lambda: iterate_minibatches(X[:0], Y[:0], 2),
        ValueError,
        "x has shape (0, 3); it should not be empty",
    ),
    "rng a seed": (
        lambda: iterate_minibatches(X, Y, 2, 0),
        TypeError,
        "rng is 0; it should be a generator: np.random.default_rng(seed)",
    ),
    "rng a legacy state": (
        lambda: iterate_minibatches(X, Y, 2, rng=np.random.RandomState(0)),
        TypeError,
        "it should be a generator: np.random.default_rng(seed)",
    ),
    "rng the module": (
        lambda: iterate_minibatches(X, Y, 2, rng=np.random),
        TypeError,
        "it should be a generator: np.random.default_rng(seed)",
    ),
} | {
    f"batch size {size!r}": (
        lambda size=size: iterate_minibatches(X, Y, size),
        ValueError,
        f"batch_size is {size!r}; {WHOLE}",
    )
    for size in (0, -1, 1.5, 2.0, np.float64(2), True, np.True_, "2", None, math.nan, [2])
}


def nudging_rows(run):
    """Return the rows of a function of f and its inputs; `run` takes those."""
    return {
        "f a number": (lambda: run(1.0, B), TypeError, "f is a float; it should be a function"),
        "f None": (lambda: run(None, B), TypeError, "f is a NoneType; it should be a function"),
        "f returns an array": (
            lambda: run(np.exp, B),
            ValueError,
            "f returned an array of shape (2,); it should return one number",
        ),
        "f returns an array of one": (
            lambda: run(lambda x: x[:1], B),
            ValueError,
            "f returned an array of shape (1,); it should return one number",
        ),
        "f returns loss and backward": (
            lambda: run(lambda x: (1.0, lambda dloss: x), B),
            TypeError,
            "f returned a tuple; it should return one number",
        ),
        "f returns nothing": (
            lambda: run(lambda x: None, B),
            TypeError,
            "f returned a NoneType; it should return one number",
        ),
        "f returns a list": (
            lambda: run(lambda x: [1.0], B),
            TypeError,
            "f returned a list; it should return one number",
        ),
        "no inputs": (
            lambda: run(lambda: 1.0),
            TypeError,
            "inputs is empty; there should be one array of floats or more",
        ),
        "an input a list": (
            lambda: run(np.sum, [1.0]),
            TypeError,
            f"inputs[0] is a list; {ARRAYS}",
        ),
        "an input a number": (
            lambda: run(np.sum, 1.0),
            TypeError,
            f"inputs[0] is a float; {ARRAYS}",
        ),
        "the second input a step": (
            lambda: run(np.sum, B, 1e-5),
            TypeError,
            f"inputs[1] is a float; {ARRAYS}",
        ),
        "an input of whole numbers": (
            lambda: run(np.sum, np.arange(3)),
            TypeError,
            f"inputs[0] has dtype int64; {FLOATS}",
        ),
        "an input empty": (
            lambda: run(np.sum, B[:0]),
            ValueError,
            "inputs[0] has shape (0,); it should not be empty",
        ),
        "a dict empty": (lambda: run(lambda p: 1.0, {}), ValueError, f"inputs[0] is empty; {DICT}"),
        "a dict with a number": (
            lambda: run(lambda p: 1.0, {"w": B, "b": 1.0}),
            TypeError,
            f"inputs[0]['b'] is a float; {ARRAYS}",
        ),
        "arguments exchanged": (
            lambda: run(B, lambda x: x.sum()),
            TypeError,
            f"inputs[0] is a function; {ARRAYS}",
        ),
    }


def step_rows(function, values):
    """Return the rows for a step that is not positive and finite."""
    return {
        f"h {h!r}": (
            lambda h=h: function(np.sum, B, h=h),
            ValueError,
            f"h is {h!r}; {POSITIVE}",
        )
        for h in values
    }


STEPS = (0, 0.0, -1e-5, math.nan, math.inf, "1e-5", True)
NUMERICAL_GRADIENT = nudging_rows(numerical_gradient) | step_rows(numerical_gradient, STEPS)
ONE_SIDED_GRADIENT = nudging_rows(one_sided_gradient) | step_rows(one_sided_gradient, STEPS)
COMPLEX_STEP_GRADIENT = (
    nudging_rows(complex_step_gradient)
    | step_rows(complex_step_gradient, (*STEPS, None))
    | {
        "f real": (
            lambda: complex_step_gradient(lambda x: abs(x).sum(), B),
            ValueError,
            "f returned np.float64(2.0); it should be complex, as its arguments are",
        )
    }
)

DIRECTIONAL_DERIVATIVES = nudging_rows(
    lambda f, *inputs: directional_derivatives(f, *inputs, n_directions=1, rng=rng())
) | {
    "rng a seed": (
        lambda: directional_derivatives(np.sum, B, n_directions=1, rng=0),
        TypeError,
        "rng is 0; it should be a generator: np.random.default_rng(seed)",
    )
}
DIRECTIONAL_DERIVATIVES |= {
    f"n_directions {n!r}": (
        lambda n=n: directional_derivatives(np.sum, B, n_directions=n, rng=rng()),
        ValueError,
        f"n_directions is {n!r}; {WHOLE}",
    )
    for n in (0, -1, 1.5, 2.0, True, "2", None)
}

NONE_SYMMETRIC = np.array([[1.0, 2.0], [2.5, 1.0]])

POWER_ITERATION = {
    "a list": (
        lambda: power_iteration([[1.0]], 5, rng()),
        TypeError,
        f"matrix is a list; {ARRAYS}",
    ),
    "whole numbers": (
        lambda: power_iteration(np.eye(2, dtype=np.int64), 5, rng()),
        TypeError,
        f"matrix has dtype int64; {FLOATS}",
    ),
    "float32": (
        lambda: power_iteration(np.eye(2, dtype=SINGLE), 5, rng()),
        TypeError,
        "matrix has dtype float32; it should be float64",
    ),
    "a vector": (
        lambda: power_iteration(B, 5, rng()),
        ValueError,
        "matrix has shape (2,); it should be square, (d, d)",
    ),
    "not square": (
        lambda: power_iteration(X, 5, rng()),
        ValueError,
        "matrix has shape (4, 3); it should be square, (d, d)",
    ),
    "empty": (
        lambda: power_iteration(np.ones((0, 0)), 5, rng()),
        ValueError,
        "matrix has shape (0, 0); it should not be empty",
    ),
    "not symmetric": (
        lambda: power_iteration(NONE_SYMMETRIC, 5, rng()),
        ValueError,
        "matrix differs from its transpose by 0.5; it should be symmetric",
    ),
    "not symmetric, and tiny": (
        lambda: power_iteration(1e-12 * NONE_SYMMETRIC, 5, rng()),
        ValueError,
        "it should be symmetric",
    ),
    "zero": (
        lambda: power_iteration(np.zeros((2, 2)), 5, rng()),
        ValueError,
        "matrix has 0.0 as its largest entry; its entries should be finite and not all 0",
    ),
    "not a number": (
        lambda: power_iteration(np.full((2, 2), np.nan), 5, rng()),
        ValueError,
        "matrix has nan as its largest entry; its entries should be finite",
    ),
    "infinite": (
        lambda: power_iteration(np.diag([1.0, np.inf]), 5, rng()),
        ValueError,
        "matrix has inf as its largest entry; its entries should be finite",
    ),
    "rng a seed": (
        lambda: power_iteration(np.eye(2), 5, 0),
        TypeError,
        "rng is 0; it should be a generator: np.random.default_rng(seed)",
    ),
    "rng None": (
        lambda: power_iteration(np.eye(2), 5, None),
        TypeError,
        "rng is None; it should be a generator: np.random.default_rng(seed)",
    ),
} | {
    f"n_steps {n!r}": (
        lambda n=n: power_iteration(np.eye(2), n, rng()),
        ValueError,
        f"n_steps is {n!r}; {WHOLE}",
    )
    for n in (0, -3, 1.5, True, "5", None)
}

RANGE_TEST = {
    "no function": (
        lambda: learning_rate_range_test(1.0, {"w": B}, [0.1]),
        TypeError,
        "loss_and_backward is a float; it should be a function",
    ),
    "parameters an array": (
        lambda: learning_rate_range_test(square, B, [0.1]),
        TypeError,
        f"parameters is an array; {DICT}",
    ),
    "no rates": (
        lambda: learning_rate_range_test(square, {"w": B}, []),
        ValueError,
        "learning_rates is empty; it should hold one number or more",
    ),
    "one rate": (
        lambda: learning_rate_range_test(square, {"w": B}, 0.1),
        TypeError,
        "learning_rates is 0.1; it should be a list of numbers",
    ),
    "text": (
        lambda: learning_rate_range_test(square, {"w": B}, "ab"),
        ValueError,
        f"learning_rates[0] is 'a'; {POSITIVE}",
    ),
    "a rate that is not a number": (
        lambda: learning_rate_range_test(square, {"w": B}, [0.1, math.nan]),
        ValueError,
        f"learning_rates[1] is nan; {POSITIVE}",
    ),
    "a rate of 0": (
        lambda: learning_rate_range_test(square, {"w": B}, np.linspace(0, 1, 3)),
        ValueError,
        f"learning_rates[0] is np.float64(0.0); {POSITIVE}",
    ),
    "gradients of another shape": (
        lambda: learning_rate_range_test(lambda p: (1.0, lambda d: {"w": X}), {"w": B}, [0.1]),
        ValueError,
        "gradients['w'] has shape (4, 3); it should be (2,), as parameters['w'] is",
    ),
}

DATA = {
    f"n_examples {n!r}": (lambda n=n: noisy_plane(n), ValueError, f"n_examples is {n!r}; {WHOLE}")
    for n in (0, -1, 1.5, True, "3", None)
} | {
    f"seed {seed!r}": (
        lambda seed=seed: noisy_plane(3, seed=seed),
        ValueError,
        f"seed is {seed!r}; it should be a whole number, 0 or more",
    )
    for seed in (-1, 0.5, True, "0", None)
}

FIGURES = {
    f"width {width!r}": (
        lambda width=width: new_figure(width=width),
        ValueError,
        f"width is {width!r}; {POSITIVE}",
    )
    for width in (0, -1.0, math.nan, "4", None)
} | {
    f"height {height!r}": (
        lambda height=height: new_figure(height=height),
        ValueError,
        f"height is {height!r}; {POSITIVE}",
    )
    for height in (0, math.inf)
}


def not_an_array(function, z="z"):
    """Return the rows that every function of one array has, of any shape."""
    return {
        f"{z} a list": (lambda: function([1.0]), TypeError, f"{z} is a list; {ARRAYS}"),
        f"{z} a number": (lambda: function(1.0), TypeError, f"{z} is a float; {ARRAYS}"),
        f"{z} whole numbers": (
            lambda: function(np.arange(3)),
            TypeError,
            f"{z} has dtype int64; {FLOATS}",
        ),
        f"{z} of bools": (lambda: function(B > 0), TypeError, f"{z} has dtype bool; {FLOATS}"),
        f"{z} complex": (
            lambda: function(B * 1j),
            TypeError,
            f"{z} has dtype complex128; {FLOATS}",
        ),
        f"{z} empty": (
            lambda: function(X[:0]),
            ValueError,
            f"{z} has shape (0, 3); it should not be empty",
        ),
        f"a row of {z} empty": (
            lambda: function(X[:, :0]),
            ValueError,
            f"{z} has shape (4, 0); it should not be empty",
        ),
    }


def activation_rows(function, z="z"):
    return not_an_array(function, z) | {
        "da of another shape": (
            lambda: function(X)[1](X.T),
            ValueError,
            "doutput has shape (3, 4); it should be (4, 3), as the output is",
        ),
        "da that broadcasts": (
            lambda: function(X)[1](X[:1]),
            ValueError,
            "doutput has shape (1, 3); it should be (4, 3), as the output is",
        ),
        "da a number": (lambda: function(X)[1](1.0), TypeError, f"doutput is a float; {ARRAYS}"),
        "da of another dtype": (
            lambda: function(single(X))[1](X),
            TypeError,
            "doutput has dtype float64; it should be float32, as the output is",
        ),
        "da of one axis for a scalar": (
            lambda: function(np.array(1.0))[1](np.ones(1)),
            ValueError,
            "doutput has shape (1,); it should be (), as the output is",
        ),
    }


LEAKY_RELU = activation_rows(leaky_relu) | {
    f"slope {slope!r}": (
        lambda slope=slope: leaky_relu(X, slope),
        ValueError,
        f"slope is {slope!r}; {POSITIVE}",
    )
    for slope in (0, 0.0, -0.1, math.nan, math.inf, "0.1", None, True, np.array(0.1))
}

COMPOSE = {
    "a function without its list": (
        lambda: compose(relu),
        TypeError,
        "functions is a function; it should be a list of functions",
    ),
    "None": (
        lambda: compose(None),
        TypeError,
        "functions is a NoneType; it should be a list of functions",
    ),
    "no function": (
        lambda: compose([]),
        ValueError,
        "functions is empty; it should hold one function or more",
    ),
    "an array among them": (
        lambda: compose([relu, W]),
        TypeError,
        "functions[1] is an array; it should be a function",
    ),
    "a result among them": (
        lambda: compose([relu(X), relu]),
        TypeError,
        "functions[0] is a tuple; it should be a function",
    ),
    "text": (lambda: compose("tanh"), TypeError, "functions[0] is a str; it should be a function"),
    "several arguments": (lambda: compose(relu, tanh), TypeError, "too many positional arguments"),
}


def graph_of_two():
    graph = Graph()
    graph.record("x", 3.0)
    graph.record("y", 9.0, [("x", 3.0), ("x", 3.0)])
    return graph


NAME = "it should be a name that the graph does not have"
PAIRS = "it should be a list of pairs (parent, local derivative)"
ONE_PAIR = "it should be one of pairs (parent, local derivative)"

RECORD = {
    f"name {name!r}": (
        lambda name=name: graph_of_two().record(name, 1.0),
        ValueError,
        f"name is {name!r}; {NAME}",
    )
    for name in ("x", "y", 3, None, ("x",), ["x"])
} | {
    f"value {value!r}": (
        lambda value=value: graph_of_two().record("z", value),
        TypeError,
        f"value is {value!r}; it should be a number",
    )
    for value in ("3", None, True, 1j, [1.0], np.ones(1), np.array(1.0))
}

RECORD |= {
    "a parent that is not recorded": (
        lambda: graph_of_two().record("z", 1.0, [("x", 1.0), ("w", 1.0)]),
        ValueError,
        "edges has the parent 'w'; it should be recorded first",
    ),
    "a number that is its own parent": (
        lambda: graph_of_two().record("z", 1.0, [("z", 1.0)]),
        ValueError,
        "edges has the parent 'z'; it should be recorded first",
    ),
    "one pair without its list": (
        lambda: graph_of_two().record("z", 1.0, ("x", 1.0)),
        TypeError,
        f"edges[0] is 'x'; {ONE_PAIR}",
    ),
    "names alone": (
        lambda: graph_of_two().record("z", 1.0, ["xy"]),
        TypeError,
        f"edges[0] is 'xy'; {ONE_PAIR}",
    ),
    "a pair of three": (
        lambda: graph_of_two().record("z", 1.0, [("x", 1.0), ("y", 1.0, 1.0)]),
        TypeError,
        f"edges[1] is ('y', 1.0, 1.0); {ONE_PAIR}",
    ),
    "a pair in the wrong order": (
        lambda: graph_of_two().record("z", 1.0, [(1.0, "x")]),
        TypeError,
        f"edges[0] is (1.0, 'x'); {ONE_PAIR}",
    ),
    "edges a dict": (
        lambda: graph_of_two().record("z", 1.0, {"x": 1.0}),
        TypeError,
        f"edges is a dict; {PAIRS}",
    ),
    "edges None": (
        lambda: graph_of_two().record("z", 1.0, None),
        TypeError,
        f"edges is a NoneType; {PAIRS}",
    ),
    "a local derivative that is text": (
        lambda: graph_of_two().record("z", 1.0, [("x", "1")]),
        TypeError,
        "edges[0][1] is '1'; it should be a number",
    ),
    "a local derivative that is an array": (
        lambda: graph_of_two().record("z", 1.0, [("x", 1.0), ("y", np.ones(2))]),
        TypeError,
        "edges[1][1] is array([1., 1.]); it should be a number",
    ),
}


def sweep_rows(sweep):
    x = {"x": []}
    return {
        "the graph itself": (
            lambda: sweep(graph_of_two(), "y"),
            TypeError,
            "edges is a Graph; it should be a dict of lists of pairs by name",
        ),
        "its values": (
            lambda: sweep(graph_of_two().values, "y"),
            TypeError,
            f"edges['x'] is a float; {PAIRS}",
        ),
        "a parent without its list": (
            lambda: sweep(x | {"y": ("x", 1.0)}, "y"),
            TypeError,
            f"edges['y'][0] is 'x'; {ONE_PAIR}",
        ),
        "a parent that is missing": (
            lambda: sweep(x | {"y": [("x", 1.0), ("w", 1.0)]}, "y"),
            ValueError,
            "edges['y'] has the parent 'w'; it should be one of the names in edges",
        ),
        "a local derivative that is none": (
            lambda: sweep(x | {"y": [("x", None)]}, "y"),
            TypeError,
            "edges['y'][0][1] is None; it should be a number",
        ),
        "a ring": (
            lambda: sweep({"x": [("z", 1.0)], "y": [("x", 1.0)], "z": [("y", 1.0)]}, "z"),
            ValueError,
            "edges has the ring ['",
        ),
        "a ring of one": (
            lambda: sweep(x | {"y": [("y", 1.0)]}, "x"),
            ValueError,
            "edges has the ring ['y', 'y']; it should have none",
        ),
        "an output that is missing": (
            lambda: sweep(graph_of_two().edges, "z"),
            ValueError,
            "output is 'z'; it should be one of ['x', 'y']",
        ),
        "an output that is its value": (
            lambda: sweep(graph_of_two().edges, 9.0),
            ValueError,
            "output is 9.0; it should be one of ['x', 'y']",
        ),
        "an output that is a list": (
            lambda: sweep(graph_of_two().edges, ["y"]),
            ValueError,
            "output is ['y']; it should be one of ['x', 'y']",
        ),
        "an empty graph": (
            lambda: sweep({}, "y"),
            ValueError,
            "output is 'y'; it should be one of []",
        ),
    }


DRAW_GRAPH = {
    "its edges": (
        lambda: draw_graph(graph_of_two().edges, "y"),
        TypeError,
        "graph is a dict; it should be a Graph",
    ),
    "an output that is missing": (
        lambda: draw_graph(graph_of_two(), "z"),
        ValueError,
        "output is 'z'; it should be one of ['x', 'y']",
    ),
    "width 0": (
        lambda: draw_graph(graph_of_two(), "y", width=0),
        ValueError,
        f"width is 0; {POSITIVE}",
    ),
    "height nan": (
        lambda: draw_graph(graph_of_two(), "y", height=math.nan),
        ValueError,
        f"height is nan; {POSITIVE}",
    ),
}

DRAW_GRAPH |= {
    "row 0": (
        lambda: draw_graph(graph_of_two(), "y", row=0),
        ValueError,
        f"row is 0; {POSITIVE}",
    ),
    "no digits": (
        lambda: draw_graph(graph_of_two(), "y", digits=0),
        ValueError,
        "digits is 0; it should be a whole number, 1 or more",
    ),
}

NUMBERS = "it should be a number or an array of numbers"
TENSOR = {
    "data a word": (lambda: Tensor("3"), TypeError, f"data is a str; {NUMBERS}"),
    "data None": (lambda: Tensor(None), TypeError, f"data is a NoneType; {NUMBERS}"),
    "data complex": (
        lambda: Tensor(np.ones(2, complex)),
        TypeError,
        f"data has dtype complex128; {NUMBERS}",
    ),
    "data a list of words": (lambda: Tensor(["3"]), TypeError, "data has dtype <U1; it should be"),
    "data set to a word": (
        lambda: setattr(Tensor(1.0), "data", "3"),
        TypeError,
        f"data is a str; {NUMBERS}",
    ),
}

PAIR = "it should return (output, backward)"
APPLY = {
    "function a number": (
        lambda: apply(3, X),
        TypeError,
        "function is an int; it should be a function that returns (output, backward)",
    ),
    "function without a backward": (
        lambda: apply(np.sin, Tensor(X)),
        TypeError,
        f"sin returned an array; {PAIR}",
    ),
    "function without a backward, of arrays": (
        lambda: apply(np.sin, X),
        TypeError,
        f"sin returned an array; {PAIR}",
    ),
    "function of two that are no pair": (
        lambda: apply(lambda x: (x, x), Tensor(X)),
        TypeError,
        f"<lambda> returned a tuple; {PAIR}",
    ),
}

FUNCTION = "it should be a function"
DERIVED = "it should be a number, an array of floats or a dict of arrays"


def f_rows(run):
    return {"f a number": (lambda: run(3), TypeError, f"f is an int; {FUNCTION}")}


def argnums_rows(transform):
    whole = "it should be a whole number or a tuple of several"
    wrong = ("w", 1.0, True, -1, (), (0, "w"), None)
    return (
        f_rows(transform)
        | {
            f"argnums {argnums!r}": (
                lambda argnums=argnums: transform(square, argnums),
                TypeError,
                f"argnums is {argnums!r}; {whole}",
            )
            for argnums in wrong
        }
        | {
            "argnums twice": (
                lambda: transform(square, (0, 0)),
                ValueError,
                "argnums is (0, 0); it should name each argument once",
            ),
            "f's output several numbers": (
                lambda: transform(lambda x: x * 2)(X),
                ValueError,
                "f returned an array of shape (4, 3); it should be one number",
            ),
            "the argument a word": (
                lambda: transform(lambda x: x)("w"),
                TypeError,
                f"inputs[0] is a str; {DERIVED}",
            ),
        }
    )


VJP = f_rows(lambda f: vjp(f, X)) | {
    "inputs whole numbers": (
        lambda: vjp(np.sum, np.arange(3)),
        TypeError,
        "inputs[0] has dtype int64; it should be floats, as float64",
    ),
    "inputs a list": (lambda: vjp(np.sum, X, [1.0]), TypeError, f"inputs[1] is a list; {DERIVED}"),
    "inputs in a dict": (
        lambda: vjp(np.sum, {"w": "a"}),
        TypeError,
        f"inputs[0]['w'] is a str; {DERIVED}",
    ),
    "output a tuple": (
        lambda: vjp(lambda x: (x, x), X),
        TypeError,
        "f returned a tuple; it should return one number or array of floats",
    ),
    "doutput of another shape": (
        lambda: vjp(np.sin, X)[1](np.ones(3)),
        ValueError,
        "doutput has shape (3,); it should be (4, 3), as the output is",
    ),
}

JVP = f_rows(lambda f: jvp(f, [X], [X])) | {
    "inputs an array": (
        lambda: jvp(np.sin, X, X),
        TypeError,
        "inputs is an array; it should be a list or tuple, one entry for each argument of f",
    ),
    "inputs empty": (
        lambda: jvp(np.sin, [], []),
        TypeError,
        "inputs is empty; it should be a list",
    ),
    "inputs a word": (lambda: jvp(np.sin, ["a"], [X]), TypeError, f"inputs[0] is a str; {DERIVED}"),
    "tangents too few": (
        lambda: jvp(np.add, [X, X], [X]),
        ValueError,
        "tangents has 1 entries; it should have 2, as inputs does",
    ),
    "tangents of another shape": (
        lambda: jvp(np.sin, [X], [np.ones(3)]),
        ValueError,
        "tangents[0] has shape (3,); it should be (4, 3), as inputs[0] is",
    ),
    "tangents of another dtype": (
        lambda: jvp(np.sin, [X], [single(X)]),
        TypeError,
        "tangents[0] has dtype float32; it should be float64, as inputs[0] is",
    ),
    "tangents with other keys": (
        lambda: jvp(np.sum, [{"w": X}], [{"v": X}]),
        ValueError,
        "tangents[0] is ['v']; it should be a dict with the keys ['w']",
    ),
}

HVP = f_rows(lambda f: hvp(f, X, X)) | {
    "x a word": (lambda: hvp(np.sum, "a", X), TypeError, f"x is a str; {DERIVED}"),
    "v of another shape": (
        lambda: hvp(np.sum, X, np.ones(3)),
        ValueError,
        "v has shape (3,); it should be (4, 3), as x is",
    ),
}

SCATTER_ADD = activation_rows(
    lambda x: scatter_add(x, ..., getattr(x, "shape", (4, 3))), "values"
) | {
    "shape a number": (
        lambda: scatter_add(X, ..., 12),
        TypeError,
        "shape is 12; it should be a tuple of whole numbers",
    ),
    "shape below 0": (
        lambda: scatter_add(X, ..., (-1, 3)),
        ValueError,
        "shape is (-1, 3); it should hold no number below 0",
    ),
    "index too large": (
        lambda: scatter_add(np.ones(1), [4], (4,)),
        IndexError,
        "index does not suit shape, of shape (4,): index 4 is out of bounds",
    ),
    "values of another shape": (
        lambda: scatter_add(np.ones(3), [0, 0], (4,)),
        ValueError,
        "values has shape (3,); it should be (2,), that of what index takes from shape (4,)",
    ),
}

STOP_GRADIENT = {
    "x a list": (lambda: stop_gradient([1.0]), TypeError, f"x is a list; {DERIVED}"),
}

VALUE = {
    f"data {data!r}": (
        lambda data=data: Value(data),
        TypeError,
        f"data is {data!r}; it should be a number",
    )
    for data in ("3", None, 1j, [1.0], np.ones(1), np.array(1.0), Value(1.0))
}

INITIALIZE = {
    "sizes a number": (
        lambda: initialize(3, rng()),
        TypeError,
        "sizes is an int; it should be a list of whole numbers",
    ),
    "one size": (
        lambda: initialize([3], rng()),
        ValueError,
        "sizes is [3]; it should have two numbers or more",
    ),
    "no sizes": (
        lambda: initialize([], rng()),
        ValueError,
        "sizes is []; it should have two numbers or more",
    ),
    "rng a seed": (
        lambda: initialize([3, 1], 0),
        TypeError,
        "rng is 0; it should be a generator: np.random.default_rng(seed)",
    ),
    "arguments exchanged": (
        lambda: initialize(rng(), [3, 1]),
        TypeError,
        "sizes is a Generator; it should be a list of whole numbers",
    ),
} | {
    f"a size {size!r}": (
        lambda size=size: initialize([3, 4, size], rng()),
        ValueError,
        f"sizes[2] is {size!r}; {WHOLE}",
    )
    for size in (0, -1, 1.5, 2.0, True, "2", None)
}

LAYERS = {"weights_1": np.ones((3, 5)), "bias_1": np.ones(5), "weights_2": np.ones((5, 2))}
LAYERS |= {"bias_2": B}


def layer_rows(run):
    """Return the rows for what a network is given; `run` takes parameters, x and activation."""
    return {
        "parameters a list": (
            lambda: run([W, B]),
            TypeError,
            f"parameters is a list; {DICT}",
        ),
        "parameters empty": (lambda: run({}), ValueError, f"parameters is empty; {DICT}"),
        "names without numbers": (
            lambda: run(P),
            ValueError,
            "parameters has the keys ['weights', 'bias']; it should have ['weights_1', 'bias_1']",
        ),
        "layers from 0": (
            lambda: run({"weights_0": W, "bias_0": B}),
            ValueError,
            "parameters has the keys ['weights_0', 'bias_0']; "
            "it should have ['weights_1', 'bias_1']",
        ),
        "a bias missing": (
            lambda: run({k: v for k, v in LAYERS.items() if k != "bias_1"}),
            ValueError,
            "parameters has the keys ['weights_1', 'weights_2', 'bias_2']; "
            "it should have ['weights_1', 'bias_1', 'weights_2', 'bias_2']",
        ),
        "something else among them": (
            lambda: run(LAYERS | {"slope": B}),
            ValueError,
            "it should have ['weights_1', 'bias_1', 'weights_2', 'bias_2', 'weights_3', 'bias_3']",
        ),
        "a list among them": (
            lambda: run(LAYERS | {"bias_2": [1.0, 1.0]}),
            TypeError,
            f"parameters['bias_2'] is a list; {ARRAYS}",
        ),
        "weights of one axis": (
            lambda: run(LAYERS | {"weights_2": np.ones(5)}),
            ValueError,
            "parameters['weights_2'] has shape (5,); it should have two axes, (inputs, outputs)",
        ),
        "weights transposed": (
            lambda: run(LAYERS | {"weights_2": np.ones((2, 5))}),
            ValueError,
            "parameters['weights_2'] has shape (2, 5); "
            "it should have 5 rows, one for each output of layer 1",
        ),
        "a bias too short": (
            lambda: run(LAYERS | {"bias_1": np.ones(1)}),
            ValueError,
            "parameters['bias_1'] has shape (1,); it should be (5,), "
            "one for each column of weights_1",
        ),
        "a bias that is a row": (
            lambda: run(LAYERS | {"bias_2": np.ones((1, 2))}),
            ValueError,
            "parameters['bias_2'] has shape (1, 2); it should be (2,), "
            "one for each column of weights_2",
        ),
        "features that do not fit": (
            lambda: run(LAYERS, x=np.ones((4, 2))),
            ValueError,
            "weights has shape (3, 5); it should be (d, h) with d = 2",
        ),
        "one example without its axis": (
            lambda: run(LAYERS, x=X[0]),
            ValueError,
            "x has shape (3,); it should be (n, d)",
        ),
        "x a list": (lambda: run(LAYERS, x=X.tolist()), TypeError, f"x is a list; {ARRAYS}"),
        "x float32": (
            lambda: run(LAYERS, x=single(X)),
            TypeError,
            "weights has dtype float64; it should be float32, as x is",
        ),
        "an activation by name": (
            lambda: run(LAYERS, activation="relu"),
            TypeError,
            "activation is a str; it should be a function",
        ),
        "no activation": (
            lambda: run(LAYERS, activation=None),
            TypeError,
            "activation is a NoneType; it should be a function",
        ),
        "an activation where none is used": (
            lambda: run({"weights_1": W, "bias_1": B}, activation=1.0),
            TypeError,
            "activation is a float; it should be a function",
        ),
    }


NETWORK = layer_rows(lambda p, x=X, activation=relu: network(p, x, activation)) | {
    "doutput of another shape": (
        lambda: network(LAYERS, X)[1](np.ones((4, 1))),
        ValueError,
        "doutput has shape (4, 1); it should be (4, 2), as the output is",
    ),
    "doutput a number": (
        lambda: network(LAYERS, X)[1](1.0),
        TypeError,
        f"doutput is a float; {ARRAYS}",
    ),
}

NETWORK_LOSS = layer_rows(lambda p, x=X, activation=relu: network_loss(p, x, Y, activation)) | {
    "target (n,)": (
        lambda: network_loss(LAYERS, X, Y[:, 0]),
        ValueError,
        "target has shape (4,); it should be (n, h) with n = 4, h = 2",
    ),
    "target that broadcasts": (
        lambda: network_loss(LAYERS, X, Y[:, :1]),
        ValueError,
        "target has shape (4, 1); it should be (n, h) with n = 4, h = 2",
    ),
    "target a list": (
        lambda: network_loss(LAYERS, X, Y.tolist()),
        TypeError,
        f"target is a list; {ARRAYS}",
    ),
    "dloss of another shape": (
        lambda: network_loss(LAYERS, X, Y)[1](np.ones(4)),
        ValueError,
        "doutput has shape (4,); it should be (), as the output is",
    ),
}

POWER = activation_rows(lambda x: power(x, 2), "x") | {
    f"exponent {exponent!r}": (
        lambda exponent=exponent: power(X, exponent),
        ValueError,
        f"exponent is {exponent!r}; it should be a finite number",
    )
    for exponent in (math.nan, math.inf, -math.inf, "2", None, True, 1j, np.array(2.0), X)
}


def pair_rows(function, a="a", b="b"):
    """Return the rows that every function of two arrays has."""
    return {
        f"{a} a list": (lambda: function(X.tolist(), X), TypeError, f"{a} is a list; {ARRAYS}"),
        f"{b} a number": (lambda: function(X, 1.0), TypeError, f"{b} is a float; {ARRAYS}"),
        f"{b} whole numbers": (
            lambda: function(X, X.astype(np.int64)),
            TypeError,
            f"{b} has dtype int64; {FLOATS}",
        ),
        f"{b} float32": (
            lambda: function(X, single(X)),
            TypeError,
            f"{b} has dtype float32; it should be float64, as {a} is",
        ),
        f"{a} empty": (
            lambda: function(X[:0], X),
            ValueError,
            f"{a} has shape (0, 3); it should not be empty",
        ),
        f"{b} empty": (
            lambda: function(X, X[:, :0]),
            ValueError,
            f"{b} has shape (4, 0); it should not be empty",
        ),
    }


def broadcast_rows(function):
    return pair_rows(function) | {
        "b that does not broadcast": (
            lambda: function(X, Y),
            ValueError,
            "b has shape (4, 2); it should broadcast with (4, 3), the shape of a",
        ),
        "b a column that was meant": (
            lambda: function(X, np.ones(4)),
            ValueError,
            "b has shape (4,); it should broadcast with (4, 3), the shape of a",
        ),
        "doutput of the shape of a": (
            lambda: function(B, X[:, :1])[1](B),
            ValueError,
            "doutput has shape (2,); it should be (4, 2), as the output is",
        ),
    }


MATMUL = pair_rows(matmul) | {
    "a a vector": (
        lambda: matmul(X[0], W),
        ValueError,
        "a has shape (3,); it should have two axes or more",
    ),
    "b a vector": (
        lambda: matmul(X, B),
        ValueError,
        "b has shape (2,); it should have two axes or more",
    ),
    "b transposed": (
        lambda: matmul(X, W.T),
        ValueError,
        "b has shape (2, 3); it should have 3 rows, for a has shape (4, 3)",
    ),
    "b a stack of another size": (
        lambda: matmul(np.ones((2, 4, 3)), np.ones((5, 3, 2))),
        ValueError,
        "b has shape (5, 3, 2); its leading axes should broadcast with those of a, "
        "of shape (2, 4, 3)",
    ),
    "doutput of one matrix": (
        lambda: matmul(np.ones((2, 4, 3)), W)[1](np.ones((4, 2))),
        ValueError,
        "doutput has shape (4, 2); it should be (2, 4, 2), as the output is",
    ),
}


def one_axis_rows(function, z):
    """Return the rows for an axis of an array."""
    return {
        f"axis {axis!r}": (
            lambda axis=axis: function(X, axis),
            ValueError,
            f"axis is {axis!r}; it should be one of -2, -1, 0, 1, for {z} has shape (4, 3)",
        )
        for axis in (2, -3, 0.0, True, "0")
    }


def soft_rows(function):
    return (
        not_an_array(function)
        | one_axis_rows(function, "z")
        | {
            "no axis": (lambda: function(X, None), ValueError, "axis is None; it should be one of"),
            "two axes": (
                lambda: function(X, (0, 1)),
                ValueError,
                "axis is (0, 1); it should be one of -2, -1, 0, 1, for z has shape (4, 3)",
            ),
            "a scalar": (
                lambda: function(np.array(1.0)),
                ValueError,
                "z has shape (); it should have one axis or more",
            ),
            "doutput a column": (
                lambda: function(X)[1](X[:, :1]),
                ValueError,
                "doutput has shape (4, 1); it should be (4,",
            ),
        }
    )


def reduction_rows(function):
    return (
        not_an_array(function, "x")
        | one_axis_rows(function, "x")
        | {
            "one of two axes": (
                lambda: function(X, (0, 2)),
                ValueError,
                "axis is 2; it should be one of -2, -1, 0, 1, for x has shape (4, 3)",
            ),
            "the same axis twice": (
                lambda: function(X, (1, -1)),
                ValueError,
                "axis is (1, -1); it should name each axis once",
            ),
            "an axis of a scalar": (
                lambda: function(np.array(1.0), 0),
                ValueError,
                "axis is 0; it should be None, for x has shape ()",
            ),
            "doutput that broadcasts": (
                lambda: function(X, 0)[1](np.ones((1, 3))),
                ValueError,
                "doutput has shape (1, 3); it should be (3,), as the output is",
            ),
            "doutput without the axis that was kept": (
                lambda: function(X, 0, keepdims=True)[1](np.ones(3)),
                ValueError,
                "doutput has shape (3,); it should be (1, 3), as the output is",
            ),
        }
    )


TUPLE = "it should be a tuple of whole numbers"

RESHAPE = (
    activation_rows(lambda x: reshape(x, getattr(x, "shape", ())), "x")
    | {
        f"shape {shape!r}": (
            lambda shape=shape: reshape(X, shape),
            ValueError,
            f"shape is {shape!r}; it should hold the 12 entries of x",
        )
        for shape in ((4, 2), (5, -1), (-1, -1), (-2, -6), (-12,), (0, -1), (), 11)
    }
    | {
        f"shape {shape!r}": (
            lambda shape=shape: reshape(X, shape),
            TypeError,
            f"shape is {shape!r}; {TUPLE}",
        )
        for shape in (None, "12", 12.0, {4, 3})
    }
    | {
        "shape of fractions": (
            lambda: reshape(X, (4, 3.0)),
            TypeError,
            f"shape is (4, 3.0); {TUPLE}",
        ),
        "shape given one by one": (lambda: reshape(X, 3, 4), TypeError, "too many"),
    }
)

TRANSPOSE = (
    activation_rows(lambda x: transpose(x, range(np.ndim(x))), "x")
    | {
        f"axes {axes!r}": (
            lambda axes=axes: transpose(X, axes),
            ValueError,
            f"axes is {axes!r}; it should be the axes 0, 1 of x in some order",
        )
        for axes in ((0,), (0, 0), (0, -2), (0, 1, 2), (1, 2), (0, -3), ())
    }
    | {
        f"axes {axes!r}": (
            lambda axes=axes: transpose(X, axes),
            TypeError,
            f"axes is {axes!r}; {TUPLE}",
        )
        for axes in (1, "01", (0, 1.0), (True, False))
    }
)

GETITEM = activation_rows(lambda x: getitem(x, ...), "x") | {
    "index too large": (
        lambda: getitem(X, 4),
        IndexError,
        "index does not suit x, of shape (4, 3): index 4 is out of bounds",
    ),
    "index of three axes": (
        lambda: getitem(X, (0, 0, 0)),
        IndexError,
        "index does not suit x, of shape (4, 3): too many indices",
    ),
    "index a fraction": (
        lambda: getitem(X, 1.0),
        IndexError,
        "index does not suit x, of shape (4, 3): only integers",
    ),
    "index of fractions": (
        lambda: getitem(X, np.array([0.0, 1.0])),
        IndexError,
        "index does not suit x, of shape (4, 3): arrays used as indices",
    ),
    "index a mask of another shape": (
        lambda: getitem(X, np.ones(3, dtype=bool)),
        IndexError,
        "index does not suit x, of shape (4, 3): boolean index did not match",
    ),
    "index arrays that do not go together": (
        lambda: getitem(X, ([0, 1], [0, 1, 2])),
        IndexError,
        "index does not suit x, of shape (4, 3): shape mismatch",
    ),
    "index empty": (
        lambda: getitem(X, []),
        ValueError,
        "index takes nothing from x; it should take something",
    ),
    "index an empty slice": (
        lambda: getitem(X, slice(4, None)),
        ValueError,
        "index takes nothing from x; it should take something",
    ),
}

UNBROADCAST = {
    "gradient a list": (
        lambda: unbroadcast([1.0], (1,)),
        TypeError,
        f"gradient is a list; {ARRAYS}",
    ),
    "gradient empty": (
        lambda: unbroadcast(X[:0], (1, 3)),
        ValueError,
        "gradient has shape (0, 3); it should not be empty",
    ),
    "shape an array": (lambda: unbroadcast(X, X[0]), TypeError, f"shape is {X[0]!r}; {TUPLE}"),
    "shape a number": (lambda: unbroadcast(X, 3), TypeError, f"shape is 3; {TUPLE}"),
} | {
    f"shape {shape!r}": (
        lambda shape=shape: unbroadcast(X, shape),
        ValueError,
        f"shape is {shape!r}; it should broadcast to (4, 3), the shape of gradient",
    )
    for shape in ((4,), (3, 4), (2, 3), (1, 4, 3), (5, 4, 3), (-1, 3))
}

LABELS = np.array([0, 1, 2, 0])
WHOLE_NUMBERS = "it should be a NumPy array of whole numbers"


def label_rows(function, logits):
    """Return the rows of a loss on scores and labels."""
    columns = f"it should hold numbers from 0 to 2, one for each column of {logits}"
    return {
        f"{logits} a list": (
            lambda: function(X.tolist(), LABELS),
            TypeError,
            f"{logits} is a list; {ARRAYS}",
        ),
        "arguments exchanged": (
            lambda: function(LABELS, X),
            TypeError,
            f"{logits} has dtype int64; {FLOATS}",
        ),
        "one example without its axis": (
            lambda: function(X[0], LABELS[:1]),
            ValueError,
            f"{logits} has shape (3,); it should be (n, k)",
        ),
        "an empty batch": (
            lambda: function(X[:0], LABELS[:0]),
            ValueError,
            f"{logits} has shape (0, 3); it should not be empty",
        ),
        "no classes": (
            lambda: function(X[:, :0], LABELS),
            ValueError,
            f"{logits} has shape (4, 0); it should not be empty",
        ),
        "labels a list": (
            lambda: function(X, [0, 1, 2, 0]),
            TypeError,
            f"labels is a list; {WHOLE_NUMBERS}",
        ),
        "labels a number": (
            lambda: function(X[:1], 0),
            TypeError,
            f"labels is an int; {WHOLE_NUMBERS}",
        ),
        "labels of floats": (
            lambda: function(X, LABELS.astype(float)),
            TypeError,
            f"labels has dtype float64; {WHOLE_NUMBERS}",
        ),
        "labels of bools": (
            lambda: function(X, LABELS > 0),
            TypeError,
            f"labels has dtype bool; {WHOLE_NUMBERS}",
        ),
        "labels a column": (
            lambda: function(X, LABELS[:, None]),
            ValueError,
            f"labels has shape (4, 1); it should be (4,), one for each row of {logits}",
        ),
        "labels one-hot": (
            lambda: function(X, np.eye(3, dtype=np.int64)[LABELS]),
            ValueError,
            f"labels has shape (4, 3); it should be (4,), one for each row of {logits}",
        ),
        "fewer labels": (
            lambda: function(X, LABELS[:3]),
            ValueError,
            f"labels has shape (3,); it should be (4,), one for each row of {logits}",
        ),
        "labels from 1": (
            lambda: function(X, LABELS + 1),
            ValueError,
            f"labels holds 3; {columns}",
        ),
        "a label that counts from the end": (
            lambda: function(X, LABELS - 1),
            ValueError,
            f"labels holds -1; {columns}",
        ),
        "dloss for each example": (
            lambda: function(X, LABELS)[1](np.ones(4)),
            ValueError,
            "doutput has shape (4,); it should be (), as the output is",
        ),
    }


HINGE = label_rows(hinge, "scores") | {
    f"margin {margin!r}": (
        lambda margin=margin: hinge(X, LABELS, margin),
        ValueError,
        f"margin is {margin!r}; {POSITIVE}",
    )
    for margin in (0, -1.0, math.nan, math.inf, "1", None, True)
}

SOFT_CROSS_ENTROPY = pair_rows(soft_cross_entropy, "logits", "targets") | {
    "targets of fewer classes": (
        lambda: soft_cross_entropy(X, Y),
        ValueError,
        "targets has shape (4, 2); it should be (n, k) with n = 4, k = 3",
    ),
    "labels": (
        lambda: soft_cross_entropy(X, LABELS),
        TypeError,
        f"targets has dtype int64; {FLOATS}",
    ),
    "one example without its axis": (
        lambda: soft_cross_entropy(X[0], X[0]),
        ValueError,
        "logits has shape (3,); it should be (n, k)",
    ),
}

BINARY_CROSS_ENTROPY = pair_rows(binary_cross_entropy, "logits", "targets") | {
    "(n, 1) against (n,)": (
        lambda: binary_cross_entropy(X[:, :1], X[:, 0]),
        ValueError,
        "targets has shape (4,); it should be (n, h) with n = 4, h = 1",
    ),
    "(n,) against (n, 1)": (
        lambda: binary_cross_entropy(X[:, 0], X[:, :1]),
        ValueError,
        "targets has shape (4, 1); it should be (n,) with n = 4",
    ),
    "scalars": (
        lambda: binary_cross_entropy(np.array(1.0), np.array(1.0)),
        ValueError,
        "logits has shape (); it should be (n, h?)",
    ),
}


def doubled(x):
    return 2 * x, lambda doutput: 2 * doutput


def checking_rows(run):
    """Return the rows of a function that checks another function with its inputs."""
    float64 = "it should be float64, for in anything shorter"
    pair = "it should return (output, backward), or be given its backward as backward=..."
    return {
        "function a number": (
            lambda: run(1.0, B),
            TypeError,
            "function is a float; it should be a function",
        ),
        "function and input exchanged": (
            lambda: run(B, doubled),
            TypeError,
            "function is an array; it should be a function",
        ),
        "function returns its output alone": (
            lambda: run(np.exp, B),
            TypeError,
            f"function returned an array; {pair}",
        ),
        "function returns three": (
            lambda: run(lambda x: (x, doubled, 1), B),
            TypeError,
            f"function returned a tuple; {pair}",
        ),
        "function returns no backward": (
            lambda: run(lambda x: (x, x), B),
            TypeError,
            f"function returned a tuple; {pair}",
        ),
        "output of float32": (
            lambda: run(lambda x: (single(x), doubled), B),
            TypeError,
            "the output has dtype float32; it should be float64, as the inputs are",
        ),
        "output of whole numbers": (
            lambda: run(lambda x: (np.arange(2), doubled), B),
            TypeError,
            "the output has dtype int64; it should be float64, as the inputs are",
        ),
        "output a list": (
            lambda: run(lambda x: ([1.0], doubled), B),
            TypeError,
            "the output is a list; it should be one array of floats",
        ),
        "output a tuple": (
            lambda: run(lambda x: ((x, x), doubled), B),
            TypeError,
            "the output is a tuple; it should be one array of floats",
        ),
        "no inputs": (
            lambda: run(lambda: (1.0, doubled)),
            TypeError,
            "inputs holds no array of floats; there should be one or more",
        ),
        "inputs of whole numbers alone": (
            lambda: run(doubled, np.arange(3)),
            TypeError,
            "inputs holds no array of floats; there should be one or more",
        ),
        "an empty dict": (
            lambda: run(lambda p: (1.0, lambda dloss: {}), {}),
            TypeError,
            "inputs holds no array of floats; there should be one or more",
        ),
        "an input of float32": (
            lambda: run(doubled, single(B)),
            TypeError,
            f"x has dtype float32; {float64}",
        ),
        "an input of float16": (
            lambda: run(doubled, np.ones(2, np.float16)),
            TypeError,
            f"x has dtype float16; {float64}",
        ),
        "a dict with an array of float32": (
            lambda: run(square, {"v": B, "w": single(B)}),
            TypeError,
            f"p['w'] has dtype float32; {float64}",
        ),
        "a dict with a number": (
            lambda: run(square, {"w": 1}),
            TypeError,
            "p['w'] is an int; it should be a NumPy array of float64",
        ),
        "an input a list": (
            lambda: run(doubled, [1.0, 2.0]),
            TypeError,
            "x is a list; it should be a NumPy array of float64",
        ),
        "an input empty": (
            lambda: run(doubled, B[:0]),
            ValueError,
            "x has shape (0,); it should not be empty",
        ),
        "an input that is not finite": (
            lambda: run(doubled, np.array([1.0, np.inf])),
            ValueError,
            "x has entries that are not finite; they should all be",
        ),
        "backward an array": (
            lambda: run(np.exp, B, backward=B),
            TypeError,
            "backward is an array; it should be a function",
        ),
        "wrt an unknown name": (
            lambda: run(doubled, B, wrt="y"),
            ValueError,
            "wrt has 'y'; it should name inputs among x, or number them from 0",
        ),
        "wrt too high a number": (
            lambda: run(doubled, B, wrt=[0, 1]),
            ValueError,
            "wrt has 1; it should name inputs among x",
        ),
        "wrt below 0": (lambda: run(doubled, B, wrt=-1), ValueError, "wrt has -1; it should"),
        "wrt a bool": (lambda: run(doubled, B, wrt=False), ValueError, "wrt has False; it should"),
        "wrt a float": (lambda: run(doubled, B, wrt=0.0), ValueError, "wrt has 0.0; it should"),
        "wrt an input of whole numbers": (
            lambda: run(lambda x, n: doubled(x), B, np.arange(2), wrt="n"),
            TypeError,
            "n has dtype int64; it should be float64",
        ),
        "rng a seed": (
            lambda: run(doubled, B, rng=0),
            TypeError,
            "rng is 0; it should be a generator: np.random.default_rng(seed)",
        ),
    }


def direction_rows(run):
    return {
        f"directions {k!r}": (
            lambda k=k: run(doubled, B, directions=k),
            ValueError,
            f"directions is {k!r}; {WHOLE}",
        )
        for k in (0, -1, 1.5, True, "2")
    }


EXAMPLE_INPUTS = {
    "make an array": (
        lambda: example_inputs(B),
        TypeError,
        "make is an array; it should be a function",
    ),
    "make forgotten": (lambda: example_inputs(), TypeError, "make"),
}

ACTIVATIONS = [identity, relu, sigmoid, tanh, softplus, gelu]
OF_ONE = [negative, exp, log, sqrt, sin, cos, absolute]
OF_TWO = [add, subtract, multiply, divide, maximum, minimum]

TABLES = {
    "dense": DENSE,
    "squared_error": SQUARED_ERROR,
    "linear_regression": LINEAR_REGRESSION,
    "sgd_step": SGD_STEP,
    "iterate_minibatches": MINIBATCHES,
    "numerical_gradient": NUMERICAL_GRADIENT,
    "one_sided_gradient": ONE_SIDED_GRADIENT,
    "complex_step_gradient": COMPLEX_STEP_GRADIENT,
    "directional_derivatives": DIRECTIONAL_DERIVATIVES,
    "power_iteration": POWER_ITERATION,
    "learning_rate_range_test": RANGE_TEST,
    "noisy_plane": DATA,
    "new_figure": FIGURES,
    "compose": COMPOSE,
    "Graph.record": RECORD,
    "count_users": sweep_rows(count_users),
    "backpropagate": sweep_rows(backpropagate),
    "draw_graph": DRAW_GRAPH,
    "Value": VALUE,
    "Tensor": TENSOR,
    "apply": APPLY,
    "vjp": VJP,
    "jvp": JVP,
    "grad": argnums_rows(grad),
    "value_and_grad": argnums_rows(value_and_grad),
    "jacobian": f_rows(jacobian),
    "hessian": f_rows(hessian),
    "hvp": HVP,
    "checkpoint": f_rows(lambda f: checkpoint(f, X)),
    "straight_through": f_rows(straight_through),
    "custom_vjp": {
        "function": (lambda: custom_vjp(3), TypeError, f"function is an int; {FUNCTION}")
    },
    "stop_gradient": STOP_GRADIENT,
    "scatter_add": SCATTER_ADD,
    "leaky_relu": LEAKY_RELU,
    "normal_cdf": not_an_array(normal_cdf),
    "initialize": INITIALIZE,
    "network": NETWORK,
    "network_loss": NETWORK_LOSS,
    "power": POWER,
    "matmul": MATMUL,
    "reshape": RESHAPE,
    "transpose": TRANSPOSE,
    "getitem": GETITEM,
    "unbroadcast": UNBROADCAST,
    "cross_entropy": label_rows(cross_entropy, "logits"),
    "hinge": HINGE,
    "soft_cross_entropy": SOFT_CROSS_ENTROPY,
    "binary_cross_entropy": BINARY_CROSS_ENTROPY,
    "check_gradient": checking_rows(check_gradient) | direction_rows(check_gradient),
    "assert_gradient": checking_rows(assert_gradient) | direction_rows(assert_gradient),
    "diagnose": checking_rows(diagnose),
    "example_inputs": EXAMPLE_INPUTS,
}
TABLES |= {function.__name__: activation_rows(function) for function in ACTIVATIONS}
TABLES |= {function.__name__: activation_rows(function, "x") for function in OF_ONE}
TABLES |= {function.__name__: broadcast_rows(function) for function in OF_TWO}
TABLES |= {function.__name__: soft_rows(function) for function in (logsumexp, softmax, log_softmax)}
TABLES |= {
    function.__name__: reduction_rows(function)
    for function in (reduce_sum, reduce_mean, reduce_max)
}
ROWS = [
    pytest.param(*row, id=f"{function}: {what}")
    for function, table in TABLES.items()
    for what, row in table.items()
]


@pytest.mark.parametrize(("call", "error", "message"), ROWS)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert caught.type is error
    assert message in str(caught.value)


def test_every_function_with_arguments_has_a_table():
    public = {name: getattr(backprop_book, name) for name in backprop_book.__all__}
    taking = {n for n, f in public.items() if callable(f) and inspect.signature(f).parameters}
    assert taking <= TABLES.keys()


def test_every_argument_has_a_row():
    """Every argument of every public function is the subject of at least one message.

    Not so a yes or no, since Python takes anything for either, nor what is handed to the function
    that is applied, which looks at it itself.
    """
    yes_or_no = {"keepdims", "requires_grad", "forward"}
    handed_on = {"apply": {"inputs", "options"}, "checkpoint": {"inputs"}}

    functions = {name: getattr(backprop_book, name) for name in backprop_book.__all__}
    functions |= {"draw_graph": draw_graph, "Graph.record": Graph().record}
    for name, function in functions.items():
        passed = yes_or_no | handed_on.get(name, set())
        for argument in inspect.signature(function).parameters.keys() - passed:
            messages = [message for _, _, message in TABLES[name].values()]
            assert any(message.startswith(argument) for message in messages), (name, argument)


def test_a_name_that_was_refused_is_still_free():
    graph = graph_of_two()
    with pytest.raises(ValueError, match="parent 'w'"):
        graph.record("z", 1.0, [("w", 1.0)])
    assert list(graph.values) == list(graph.edges) == ["x", "y"]
    assert graph.record("z", 1.0, [("x", 1.0)]) == 1.0


@pytest.mark.parametrize("one", [1, 1.0, np.int64(1), np.float32(1), np.float64(1)], ids=repr)
def test_a_graph_takes_numbers_of_every_kind(one):
    graph = Graph()
    assert graph.record("x", one) is one
    graph.record("y", one, (("x", one),))
    assert backpropagate(graph.edges, "y") == {"y": 1, "x": 1}


def test_a_graph_keeps_a_list_of_its_own():
    """What is done to the list of edges later does not reach the graph."""
    graph, edges = graph_of_two(), [("x", 1.0)]
    graph.record("z", 3.0, edges)
    edges.append(("y", 1.0))
    assert graph.edges["z"] == [("x", 1.0)]


def test_functions_may_come_from_any_iterable():
    for functions in ([relu, tanh], (relu, tanh), iter([relu, tanh])):
        composed = compose(functions)
        for _ in range(2):  # an iterator is used up by the first call, what was composed is not
            output, backward = composed(X)
            np.testing.assert_array_equal(output, np.tanh(X))
            assert backward(X).shape == X.shape


def test_a_list_that_is_changed_later_does_not_change_what_was_composed():
    functions = [relu, tanh]
    composed = compose(functions)
    functions.append(gelu)
    np.testing.assert_array_equal(composed(X)[0], np.tanh(X))


def test_sizes_may_come_as_numpy_has_them():
    parameters = initialize(np.array([3, 2]), rng())
    assert parameters["weights_1"].shape == (3, 2)


def test_minibatches_are_checked_before_the_first_is_asked_for():
    with pytest.raises(ValueError, match="batch_size"):
        iterate_minibatches(X, Y, 0)


def test_the_range_test_checks_its_rates_before_the_first_step():
    calls = []
    with pytest.raises(ValueError, match="learning_rates"):
        learning_rate_range_test(lambda p: calls.append(p), {"w": B}, [0.1, -1.0])
    assert calls == []


def test_nothing_is_modified_by_a_refusal():
    parameters, gradients = {"w": np.ones(2)}, {"w": np.ones(3)}
    with pytest.raises(ValueError, match="gradients"):
        sgd_step(parameters, gradients, 0.1)
    assert parameters["w"].tolist() == [1, 1]
    assert gradients["w"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("rate", [1, np.int64(1), np.float32(1), np.float64(1)], ids=repr)
def test_numbers_of_every_kind_are_numbers(rate):
    assert sgd_step({"w": B}, {"w": B}, rate)["w"].tolist() == [0, 0]


@pytest.mark.parametrize("size", [2, np.int64(2), np.uint8(2)], ids=repr)
def test_whole_numbers_of_every_kind_are_whole(size):
    assert len(list(iterate_minibatches(X, Y, size))) == 2


def test_what_carries_a_shape_and_a_dtype_is_an_array():
    """So that the same functions run on what is not NumPy's: here, an array under another name."""

    class Traced(np.ndarray):
        pass

    output, backward = dense(X.view(Traced), W, B)
    assert isinstance(output, Traced)
    assert isinstance(backward(output)[1], Traced)


class TestShapes:
    """The decorator by itself."""

    @staticmethod
    def decorated(notation, n_arrays=2):
        def takes_one(a):
            return a, lambda doutput: doutput

        def takes_two(a, b):
            return a, lambda doutput: doutput

        return checks.shapes(notation)({1: takes_one, 2: takes_two}[n_arrays])

    @pytest.mark.parametrize(
        ("notation", "a", "b"),
        [
            ("(),()->()", (), ()),
            ("(n),(n)->(n)", (3,), (3,)),
            ("(n,n),(n)->(n)", (3, 3), (3,)),
            ("(n,h?),(n,h?)->()", (3,), (3,)),
            ("(n,h?),(n,h?)->()", (3, 1), (3, 1)),
            ("(n),(m)->()", (3,), (4,)),
            ("(n, d), (d)->(n)", (3, 4), (4,)),
            ("(...),(...)->(...)", (), (3, 4)),
            ("(...),(n)->(...)", (3, 4), (5,)),
            ("(n),(...)->()", (3,), (4, 3)),
        ],
    )
    def test_what_fits_passes(self, notation, a, b):
        self.decorated(notation)(np.ones(a), np.ones(b))

    @pytest.mark.parametrize(
        ("notation", "a", "b", "message"),
        [
            ("(),()->()", (1,), (), "a has shape (1,); it should be ()"),
            ("(n),()->()", (3,), (1,), "b has shape (1,); it should be ()"),
            ("(n,n),(n)->(n)", (3, 2), (3,), "a has shape (3, 2); it should be (n, n) with n = 3"),
            (
                "(n,d),(d,n)->()",
                (3, 2),
                (3, 2),
                "b has shape (3, 2); it should be (d, n) with d = 2",
            ),
            ("(n,h?),(n,h?)->()", (3, 2), (3,), "b has shape (3,); it should be (n, h) with n = 3"),
            ("(n, d), (d)->(n)", (3, 4), (3,), "b has shape (3,); it should be (d,) with d = 4"),
            ("(...),(n)->(...)", (3, 4), (3, 4), "b has shape (3, 4); it should be (n,)"),
            ("(...),(...)->(...)", (3, 0), (3,), "a has shape (3, 0); it should not be empty"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, notation, a, b, message):
        with pytest.raises(ValueError) as caught:
            self.decorated(notation)(np.ones(a), np.ones(b))
        assert message in str(caught.value)

    def test_arguments_after_the_arrays_are_not_looked_at(self):
        scaled = checks.shapes("(n)->(n)")(lambda a, b: (a, lambda doutput: doutput))
        assert scaled(np.ones(3), "anything")[0].shape == (3,)
        assert scaled(np.ones(3), b="anything")[0].shape == (3,)

    def test_the_wrapper_keeps_name_docstring_and_signature(self):
        assert dense.__name__ == "dense"
        assert dense.__doc__.startswith("Weigh and add up")
        assert list(inspect.signature(dense).parameters) == ["x", "weights", "bias"]


class TestValues:
    """The decorator by itself: defaults, names and order."""

    @staticmethod
    @checks.values(size=rules.count, rate=rules.positive)
    def told(name, size=3, rate=0.5):
        return name, size, rate

    def test_defaults_are_kept(self):
        assert self.told("a") == ("a", 3, 0.5)

    def test_names_in_any_order(self):
        assert self.told(rate=2, name="a", size=np.int64(1)) == ("a", 1, 2.0)

    @pytest.mark.parametrize(
        ("args", "kwargs"),
        [((), {}), (("a", 1, 0.5, 2), {}), (("a", 1), {"size": 2}), (("a",), {"sizes": 2})],
    )
    def test_a_wrong_call_is_a_type_error_as_python_has_it(self, args, kwargs):
        with pytest.raises(TypeError):
            self.told(*args, **kwargs)

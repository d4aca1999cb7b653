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
    checks,
    dense,
    iterate_minibatches,
    learning_rate_range_test,
    linear_regression,
    noisy_plane,
    numerical_gradient,
    power_iteration,
    sgd_step,
    squared_error,
)
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

NUMERICAL_GRADIENT = {
    "f a number": (
        lambda: numerical_gradient(1.0, B),
        TypeError,
        "f is a float; it should be a function",
    ),
    "f None": (
        lambda: numerical_gradient(None, B),
        TypeError,
        "f is a NoneType; it should be a function",
    ),
    "f returns an array": (
        lambda: numerical_gradient(np.exp, B),
        ValueError,
        "f returned an array of shape (2,); it should return one number",
    ),
    "f returns an array of one": (
        lambda: numerical_gradient(lambda x: x[:1], B),
        ValueError,
        "f returned an array of shape (1,); it should return one number",
    ),
    "f returns loss and backward": (
        lambda: numerical_gradient(lambda x: squared_error(x, x), B),
        TypeError,
        "f returned a tuple; it should return one number",
    ),
    "f returns nothing": (
        lambda: numerical_gradient(lambda x: None, B),
        TypeError,
        "f returned a NoneType; it should return one number",
    ),
    "f returns a list": (
        lambda: numerical_gradient(lambda x: [1.0], B),
        TypeError,
        "f returned a list; it should return one number",
    ),
    "x a list": (lambda: numerical_gradient(np.sum, [1.0]), TypeError, f"x is a list; {ARRAYS}"),
    "x a number": (lambda: numerical_gradient(np.sum, 1.0), TypeError, f"x is a float; {ARRAYS}"),
    "x of whole numbers": (
        lambda: numerical_gradient(np.sum, np.arange(3)),
        TypeError,
        f"x has dtype int64; {FLOATS}",
    ),
    "x of float32": (
        lambda: numerical_gradient(np.sum, single(B)),
        TypeError,
        "x has dtype float32; it should be float64",
    ),
    "x empty": (
        lambda: numerical_gradient(np.sum, B[:0]),
        ValueError,
        "x has shape (0,); it should not be empty",
    ),
    "arguments exchanged": (
        lambda: numerical_gradient(B, np.sum),
        TypeError,
        "f is an array; it should be a function",
    ),
} | {
    f"h {h!r}": (
        lambda h=h: numerical_gradient(np.sum, B, h),
        ValueError,
        f"h is {h!r}; {POSITIVE}",
    )
    for h in (0, 0.0, -1e-5, math.nan, math.inf, "1e-5", True, None)
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

TABLES = {
    "dense": DENSE,
    "squared_error": SQUARED_ERROR,
    "linear_regression": LINEAR_REGRESSION,
    "sgd_step": SGD_STEP,
    "iterate_minibatches": MINIBATCHES,
    "numerical_gradient": NUMERICAL_GRADIENT,
    "power_iteration": POWER_ITERATION,
    "learning_rate_range_test": RANGE_TEST,
    "noisy_plane": DATA,
    "new_figure": FIGURES,
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
    """Every argument of every public function is the subject of at least one message."""
    for name in backprop_book.__all__:
        for argument in inspect.signature(getattr(backprop_book, name)).parameters:
            messages = [message for _, _, message in TABLES[name].values()]
            assert any(message.startswith(argument) for message in messages), (name, argument)


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
    @checks.values(size=checks.count, rate=checks.positive)
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

"""What the tests hold a differentiable function to, and the table of the functions they hold to it.

`gradient_faults` is the check: `test_gradients.py` finds no fault in the package's functions, and
`test_mistakes.py` finds one in each of a list of wrong ones.
"""

import math
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings

import backprop_book as book
from backprop_book import (
    compose,
    dense,
    gelu,
    identity,
    leaky_relu,
    linear_regression,
    network,
    network_loss,
    relu,
    sigmoid,
    softplus,
    squared_error,
    tanh,
)

TOLERANCE = 1e-9
STEP = 5e-4  # for values of about 1 the differences below then err by some 1e-12

modest = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Case:
    """A differentiable function, the shapes of its arrays, and the formula it should follow.

    A letter of `notation` is a length to be drawn, a digit is that length. `formula` uses only what
    NumPy, autograd, PyTorch and JAX share. `backward` returns the gradients of the first
    `n_gradients` arrays. `settle` may change the arrays that were drawn, to keep away from kinks,
    and tells whether it could: if not, others are drawn. `options` returns what the function was
    given beside these arrays, by name.
    """

    function: Callable[..., tuple[Any, Callable[[Any], tuple[Any, ...]]]]
    notation: str
    formula: Callable[..., Any]
    n_gradients: int
    settle: Callable[[list[Any]], bool] = lambda arrays: True
    options: Callable[..., dict[str, Any]] = lambda *arrays: {}

    @property
    def letters(self) -> list[str]:
        return sorted({letter for letter in self.notation if letter.isalpha()})

    def arrays(self, lengths: dict[str, int], rng: np.random.Generator) -> list[Any]:
        shapes = [part.strip("()") for part in self.notation.split("),")]
        axes = [[lengths.get(n) or int(n) for n in re.findall(r"\w+", s)] for s in shapes]
        while True:
            drawn = [np.asarray(rng.normal(size=shape)) for shape in axes]
            if self.settle(drawn):
                return drawn


def case_of(function: Any, notation: str, formula: Any, settle: Any = None, **options: Any) -> Case:
    """Return a case of one of the package's functions; an option may be told from the arrays.

    The formula is given the same options. A backward that returns one array here returns a tuple.
    """

    def told(*arrays: Any) -> dict[str, Any]:
        return {k: value(*arrays) if callable(value) else value for k, value in options.items()}

    def wrapped(*arrays: Any) -> Any:
        output, backward = function(*arrays, **told(*arrays))
        return output, lambda doutput: as_tuple(backward(doutput))

    def with_options(*arrays: Any) -> Any:
        return formula(*arrays, **told(*arrays))

    n_gradients = function.notation.split("->")[0].count("(")
    return Case(wrapped, notation, with_options, n_gradients, settle or (lambda arrays: True), told)


def as_tuple(gradients: Any) -> Any:
    return gradients if isinstance(gradients, tuple) else (gradients,)


def regress(weights: Any, bias: Any, x: Any, target: Any) -> Any:
    """Call `linear_regression` with arrays, and return its gradients as arrays."""
    loss, backward = linear_regression({"weights": weights, "bias": bias}, x, target)

    def arrays_backward(dloss: Any) -> tuple[Any, ...]:
        gradients = backward(dloss)
        return gradients["weights"], gradients["bias"]

    return loss, arrays_backward


def one_gradient(function: Any) -> Any:
    """Make a function's backward, which returns one array, return a tuple of one."""

    def wrapped(x: Any) -> Any:
        output, backward = function(x)
        return output, lambda doutput: (backward(doutput),)

    return wrapped


def less_its_mean(x: Any) -> Any:
    return x - x.sum(1, keepdims=True) / x.shape[1]


def centred(x: Any) -> Any:
    """Take each row's mean away: a link that may not change places with those beside it."""
    return less_its_mean(x), less_its_mean


def named(arrays: Any) -> dict[str, Any]:
    """Return a network's arrays by name: those of layer 1, of layer 2, and so on."""
    layers = range(1, len(arrays) // 2 + 1)
    names = [f"{kind}_{layer}" for layer in layers for kind in ("weights", "bias")]
    return dict(zip(names, arrays, strict=True))


def output_of(activation: Any) -> Any:
    """Call `network` with arrays: those of its layers, then x; so its backward returns them."""

    def function(*arrays: Any) -> Any:
        *layers, x = arrays
        output, backward = network(named(layers), x, activation)

        def arrays_backward(doutput: Any) -> tuple[Any, ...]:
            gradients, dx = backward(doutput)
            return (*(gradients[name] for name in named(layers)), dx)

        return output, arrays_backward

    return function


def loss_of(activation: Any) -> Any:
    """Call `network_loss` with arrays: those of its layers, then x and the target."""

    def function(*arrays: Any) -> Any:
        *layers, x, target = arrays
        loss, backward = network_loss(named(layers), x, target, activation)

        def arrays_backward(dloss: Any) -> tuple[Any, ...]:
            gradients = backward(dloss)
            return tuple(gradients[name] for name in named(layers))

        return loss, arrays_backward

    return function


def output_by_hand(formula: Any) -> Any:
    def output(*arrays: Any) -> Any:
        *layers, a = arrays
        for k in range(0, len(layers), 2):
            z = a @ layers[k] + layers[k + 1]
            a = formula(z) if k + 2 < len(layers) else z
        return a

    return output


def loss_by_hand(formula: Any) -> Any:
    return lambda *arrays: half_mean_square(output_by_hand(formula)(*arrays[:-1]), arrays[-1])


# Formulas of the activations, other than the package's


def exp(z: Any) -> Any:
    return math.e**z


def library_of(u: Any) -> Any:
    """Return the module whose functions take u: PyTorch, JAX's NumPy or autograd's."""
    name = type(u).__module__.partition(".")[0]
    library = {"torch": "torch", "jax": "jax.numpy", "jaxlib": "jax.numpy"}.get(name)
    return sys.modules[library or "autograd.numpy"]


def log(u: Any) -> Any:
    return library_of(u).log(u)


def erf(u: Any) -> Any:
    """Return the error function, from the library that u is an array of; autograd has none."""
    name = type(u).__module__.partition(".")[0]
    library = {"torch": "torch", "jax": "jax.lax", "jaxlib": "jax.lax"}.get(name)
    return sys.modules[library].erf(u) if library else erf_for_autograd()(u)


@cache
def erf_for_autograd() -> Any:
    from autograd.extend import defvjp, primitive

    erf = primitive(np.vectorize(math.erf, otypes=[float]))
    defvjp(erf, lambda _, u: lambda g: g * 2 / math.sqrt(math.pi) * exp(-u * u))
    return erf


def logistic(z: Any) -> Any:
    return 1 / (1 + exp(-z))


def hyperbolic_tangent(z: Any) -> Any:
    return 1 - 2 / (1 + exp(2 * z))


def half_of_both(slope: float) -> Callable[[Any], Any]:
    """Return the function with slope 1 on the right of 0 and another on the left."""
    return lambda z: (1 + slope) / 2 * z + (1 - slope) / 2 * abs(z)


def by_the_error_function(z: Any) -> Any:
    return z / 2 * (1 + erf(z / math.sqrt(2)))


# Formulas of the losses and of the operations


def softened(z: Any, axis: int = -1) -> Any:
    return exp(z) / exp(z).sum(axis, keepdims=True)


def log_of_sum(z: Any, axis: int = -1) -> Any:
    return log(exp(z).sum(axis))


def rows_of(z: Any) -> Any:
    return np.arange(z.shape[0])


def some_labels(z: Any) -> Any:
    """Return a label for each row of z: 1, 2, 5, 10, 17, ... modulo the number of classes."""
    return (rows_of(z) ** 2 + 1) % z.shape[1]


def surprise(z: Any, labels: Any) -> Any:
    return (log_of_sum(z) - z[rows_of(z), labels]).sum() / z.shape[0]


def soft_surprise(z: Any, targets: Any) -> Any:
    return -(targets * log(softened(z))).sum() / z.shape[0]


def binary_surprise(z: Any, t: Any) -> Any:
    p = logistic(z)
    return -(t * log(p) + (1 - t) * log(1 - p)).sum() / z.shape[0]


def within_the_margin(scores: Any, labels: Any, margin: float = 1.0) -> Any:
    """Count the right class too, whose excess is the margin itself, and take it off again."""
    excess = scores - scores[rows_of(scores), labels][:, None] + margin
    return (positive_part(excess).sum() - margin * scores.shape[0]) / scores.shape[0]


def positive_part(u: Any) -> Any:
    return (u + abs(u)) / 2


def larger(a: Any, b: Any) -> Any:
    return a + positive_part(b - a)


def smaller(a: Any, b: Any) -> Any:
    return a - positive_part(a - b)


def added_up(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return x.sum(axis=every_axis(x, axis), keepdims=keepdims)


def averaged(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return x.mean(axis=every_axis(x, axis), keepdims=keepdims)


def largest(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    of_torch = library_of(x).__name__ == "torch"
    return (x.amax if of_torch else x.max)(every_axis(x, axis), keepdims=keepdims)


def every_axis(x: Any, axis: Any) -> Any:
    """Return the axes that None stands for, which PyTorch does not take for them everywhere."""
    return tuple(range(len(x.shape))) if axis is None else axis


def turned(pattern: str) -> Any:
    """Return a transpose that is told as `ij->ji`."""
    return lambda x, axes=None: library_of(x).einsum(pattern, x)


# What keeps the drawn numbers where differences tell something


def above_1(arrays: list[Any]) -> bool:
    for array in arrays:
        array[...] = 1 + abs(array)
    return True


def beyond_1(arrays: list[Any]) -> bool:
    """Push the second of two arrays away from 0, to divide by."""
    arrays[1] += np.sign(arrays[1])
    return True


def probabilities(arrays: list[Any]) -> bool:
    """Make the second of two arrays numbers from 0 to 1, each row's sum 1."""
    arrays[1][...] = softened(arrays[1])
    return True


def fractions(arrays: list[Any]) -> bool:
    """Make the second of two arrays numbers from 0 to 1."""
    arrays[1][...] = logistic(arrays[1])
    return True


def ranked(arrays: list[Any]) -> bool:
    """Put the rank of each number among all, a tenth apart, in its place, so that no two tie."""
    ranks = np.concatenate([array.ravel() for array in arrays]).argsort().argsort() / 10
    for array in arrays:
        array[...], ranks = ranks[: array.size].reshape(array.shape), ranks[array.size :]
    return True


def clear_of_the_margin(margin: float) -> Callable[[list[Any]], bool]:
    def settle(arrays: list[Any]) -> bool:
        (scores,) = arrays
        lead = scores[rows_of(scores), some_labels(scores)][:, None] - scores
        return bool(abs(lead - margin).min() > 0.03)

    return settle


def pushed_from_0(arrays: list[Any]) -> bool:
    for array in arrays:
        array += 0.1 * np.sign(array)
    return True


def scaled(arrays: list[Any]) -> bool:
    """Make a network's weights smaller, so that its units do not saturate."""
    for array in arrays[: -(len(arrays) % 2 or 2) : 2]:
        array /= np.sqrt(len(array))
    return True


def with_clear_units(arrays: list[Any]) -> bool:
    """Set a network's biases so that each hidden unit is on for some rows and off for others.

    Its kink goes into the middle of the widest gap between pre-activations.
    """
    scaled(arrays)
    n_arrays = len(arrays) - (len(arrays) % 2 or 2)
    a, narrowest = arrays[n_arrays], 1.0
    for k in range(0, n_arrays - 2, 2):
        z = np.sort(a @ arrays[k], axis=0)
        z = z if len(z) > 1 else np.concatenate([z - 0.6, z])  # of one row, the unit is on
        gaps = np.diff(z, axis=0)
        widest = gaps.argmax(axis=0)[None]
        below, gap = np.take_along_axis(z, widest, axis=0)[0], gaps.max(axis=0)
        arrays[k + 1][...] = -(below + gap / 2)
        a, narrowest = np.maximum(a @ arrays[k] + arrays[k + 1], 0), min(narrowest, gap.min())
    return bool(narrowest > 0.1)


def half_mean_square(prediction: Any, target: Any) -> Any:
    return ((target - prediction) ** 2).sum() / (2 * prediction.shape[0])


CASES = {
    "dense": Case(dense, "(n,d),(d,h),(h)", lambda x, weights, bias: x @ weights + bias, 3),
    "squared_error of (N,)": Case(squared_error, "(n),(n)", half_mean_square, 2),
    "squared_error of (N, H)": Case(squared_error, "(n,h),(n,h)", half_mean_square, 2),
    "linear_regression": Case(
        regress,
        "(d,h),(h),(n,d),(n,h)",
        lambda weights, bias, x, target: half_mean_square(x @ weights + bias, target),
        2,
    ),
    "identity": Case(one_gradient(identity), "(n,d)", lambda z: 1 * z, 1),
    "relu": Case(one_gradient(relu), "(n,d)", half_of_both(0.0), 1, pushed_from_0),
    "leaky_relu": Case(one_gradient(leaky_relu), "(n,d)", half_of_both(0.01), 1, pushed_from_0),
    "leaky_relu of slope 0.3": case_of(
        leaky_relu, "(n,d)", lambda z, slope: half_of_both(slope)(z), pushed_from_0, slope=0.3
    ),
    "sigmoid": Case(one_gradient(sigmoid), "(n,d)", logistic, 1),
    "tanh": Case(one_gradient(tanh), "(n,d)", hyperbolic_tangent, 1),
    "tanh of a scalar": Case(one_gradient(tanh), "()", hyperbolic_tangent, 1),
    "softplus": Case(one_gradient(softplus), "(n,d)", lambda z: log(1 + exp(z)), 1),
    "gelu": Case(one_gradient(gelu), "(n,d)", by_the_error_function, 1),
    "compose": Case(
        one_gradient(compose([tanh, centred, sigmoid])),
        "(n,d)",
        lambda x: logistic(less_its_mean(hyperbolic_tangent(x))),
        1,
    ),
    "compose of one": Case(one_gradient(compose([gelu])), "(n,d)", by_the_error_function, 1),
    "compose of what is composed": Case(
        one_gradient(compose([compose([sigmoid, tanh]), softplus, compose([gelu])])),
        "(n,d)",
        lambda x: by_the_error_function(log(1 + exp(hyperbolic_tangent(logistic(x))))),
        1,
    ),
}

CASES |= {
    "negative": case_of(book.negative, "(n,d)", lambda x: 0 - x),
    "exp": case_of(book.exp, "(n,d)", exp),
    "log": case_of(book.log, "(n,d)", log, above_1),
    "sqrt": case_of(book.sqrt, "(n,d)", lambda x: x**0.5, above_1),
    "sin": case_of(book.sin, "(n,d)", lambda x: library_of(x).cos(x - math.pi / 2)),
    "cos": case_of(book.cos, "(n,d)", lambda x: library_of(x).sin(x + math.pi / 2)),
    "absolute": case_of(book.absolute, "(n,d)", lambda x: (x**2) ** 0.5, pushed_from_0),
    "exp of a scalar": case_of(book.exp, "()", exp),
    "sin of three axes": case_of(book.sin, "(n,d,h)", lambda x: library_of(x).sin(x)),
}

POWERS = {
    "2": (2, lambda x: x * x, None),
    "3.0": (3.0, lambda x: x * x * x, None),
    "1": (1, lambda x: 1 * x, None),
    "0": (0, lambda x: 1 + 0 * x, None),
    "-1": (-1, lambda x: 1 / x, above_1),
    "0.5": (0.5, lambda x: exp(log(x) / 2), above_1),
    "-1.7": (-1.7, lambda x: exp(-1.7 * log(x)), above_1),
}
CASES |= {
    f"power of {name}": case_of(
        book.power, "(n,d)", lambda x, exponent, f=f: f(x), settle, exponent=exponent
    )
    for name, (exponent, f, settle) in POWERS.items()
}

OF_TWO = {
    "add": (book.add, lambda a, b: a + b, None),
    "subtract": (book.subtract, lambda a, b: a + -1 * b, None),
    "multiply": (book.multiply, lambda a, b: a * b, None),
    "divide": (book.divide, lambda a, b: a * b**-1, beyond_1),
    "maximum": (book.maximum, larger, ranked),
    "minimum": (book.minimum, smaller, ranked),
}
BROADCAST = {
    "equal shapes": "(n,d),(n,d)",
    "a column and a row": "(n,1),(d)",
    "a row and a matrix": "(d),(n,d)",
    "a scalar": "(n,d),()",
    "a stack and a column": "(h,n,d),(n,1)",
    "ones on either side": "(n,1,h),(1,d,1)",
}
CASES |= {
    f"{name} of {what}": case_of(function, notation, formula, settle)
    for name, (function, formula, settle) in OF_TWO.items()
    for what, notation in BROADCAST.items()
}

MATRICES = {
    "two matrices": "(n,d),(d,h)",
    "two stacks": "(2,n,d),(2,d,h)",
    "a stack and a matrix": "(3,n,d),(d,h)",
    "a matrix and a stack": "(n,d),(3,d,h)",
    "stacks that broadcast": "(2,1,n,d),(3,d,h)",
    "a stack of one": "(1,n,d),(3,d,n)",
}
CASES |= {
    f"matmul of {what}": case_of(book.matmul, notation, lambda a, b: a @ b)
    for what, notation in MATRICES.items()
}

REDUCTIONS = {
    "reduce_sum": (book.reduce_sum, added_up, None),
    "reduce_mean": (book.reduce_mean, averaged, None),
    "reduce_max": (book.reduce_max, largest, ranked),
}
AXES = {
    "everything": ("(n,d)", {}),
    "everything and keepdims": ("(n,d)", {"axis": None, "keepdims": True}),
    "axis 0": ("(n,d)", {"axis": 0}),
    "axis -1": ("(n,d)", {"axis": -1}),
    "axis 1 of three": ("(n,d,h)", {"axis": 1}),
    "axis 1 and keepdims": ("(n,d)", {"axis": 1, "keepdims": True}),
    "two axes of three": ("(n,d,h)", {"axis": (0, -1)}),
    "two axes and keepdims": ("(n,d,h)", {"axis": (2, 0), "keepdims": True}),
    "a scalar": ("()", {}),
}
CASES |= {
    f"{name} of {what}": case_of(function, notation, formula, settle, **options)
    for name, (function, formula, settle) in REDUCTIONS.items()
    for what, (notation, options) in AXES.items()
}

SHAPES = {
    "one axis": ("(n,d)", lambda x: (-1,)),
    "other lengths": ("(n,d)", lambda x: (x.shape[1], x.shape[0])),
    "further axes": ("(n,d)", lambda x: (1, -1, x.shape[0], 1)),
    "fewer axes": ("(n,d,h)", lambda x: (x.shape[0], -1)),
    "a scalar": ("()", lambda x: (1, 1)),
}
CASES |= {
    f"reshape to {what}": case_of(
        book.reshape, notation, lambda x, shape: x.reshape(shape), shape=shape
    )
    for what, (notation, shape) in SHAPES.items()
}

CASES |= {
    "transpose": case_of(book.transpose, "(n,d)", turned("ij->ji")),
    "transpose of three axes": case_of(book.transpose, "(n,d,h)", turned("ijk->kji")),
    "transpose in a cycle": case_of(book.transpose, "(n,d,h)", turned("ijk->kij"), axes=(2, 0, 1)),
    "transpose of the last two": case_of(
        book.transpose, "(n,d,h)", turned("ijk->ikj"), axes=[0, -1, -2]
    ),
    "transpose of one axis": case_of(book.transpose, "(n)", lambda x, axes: 1 * x, axes=(0,)),
}

INDICES = {
    "a number": ("(n,d)", lambda x: 0),
    "a number from the end": ("(n,d)", lambda x: -1),
    "one entry": ("(n,d)", lambda x: (0, -1)),
    "a slice": ("(n,d)", lambda x: slice(None, None, 2)),
    "slices and a number": ("(n,d,h)", lambda x: (slice(1, None) if len(x) > 1 else 0, 0)),
    "an ellipsis and a new axis": ("(n,d,h)", lambda x: (..., None, -1)),
    "numbers, one three times": ("(n,d)", lambda x: np.array([0, -1, 0, 0])),
    "numbers in two axes": ("(n,d)", lambda x: (np.array([[0, 0], [-1, 0]]), np.array([-1, 0]))),
    "every row's label": ("(n,d)", lambda x: (rows_of(x), some_labels(x))),
    "a mask of rows": ("(n,d)", lambda x: rows_of(x) % 2 == 0),
    "a mask of entries": ("(n,d)", lambda x: np.indices(x.shape).sum(axis=0) % 2 == 0),
}
CASES |= {
    f"getitem of {what}": case_of(book.getitem, notation, lambda x, index: x[index], index=index)
    for what, (notation, index) in INDICES.items()
}
CASES |= {
    "getitem of a list": case_of(
        book.getitem, "(n,d)", lambda x, index: x[np.array(index)], index=[0, 0]
    ),
    "getitem of everything reversed": case_of(
        book.getitem,
        "(n,d)",
        lambda x, index: x[rows_of(x)[::-1].copy()],
        index=slice(None, None, -1),
    ),
}


def added_by_row(values: Any, index: Any, shape: Any) -> Any:
    rows = [values[index == k].sum(0) for k in range(shape[0])]
    return library_of(values).stack(rows)


CASES |= {
    "scatter_add of rows": case_of(
        book.scatter_add,
        "(n,d)",
        added_by_row,
        index=lambda x: rows_of(x) % 2,
        shape=lambda x: (2, x.shape[1]),
    )
}

SOFT = {
    "logsumexp": (book.logsumexp, log_of_sum),
    "softmax": (book.softmax, softened),
    "log_softmax": (book.log_softmax, lambda z, axis=-1: log(softened(z, axis))),
}
CASES |= {
    f"{name} {what}": case_of(function, notation, formula, **options)
    for name, (function, formula) in SOFT.items()
    for what, notation, options in [
        ("of rows", "(n,d)", {}),
        ("of one axis", "(n)", {}),
        ("of columns", "(n,d)", {"axis": 0}),
        ("of three axes", "(n,d,h)", {"axis": 1}),
        ("of three axes from the end", "(n,d,h)", {"axis": -2}),
    ]
}

CASES |= {
    "cross_entropy": case_of(book.cross_entropy, "(n,d)", surprise, labels=some_labels),
    "cross_entropy of one label": case_of(
        book.cross_entropy, "(n,d)", surprise, labels=lambda z: 0 * some_labels(z)
    ),
    "soft_cross_entropy": case_of(
        book.soft_cross_entropy, "(n,d),(n,d)", soft_surprise, probabilities
    ),
    "soft_cross_entropy of what are no probabilities": case_of(
        book.soft_cross_entropy, "(n,d),(n,d)", soft_surprise
    ),
    "binary_cross_entropy of (N,)": case_of(
        book.binary_cross_entropy, "(n),(n)", binary_surprise, fractions
    ),
    "binary_cross_entropy of (N, H)": case_of(
        book.binary_cross_entropy, "(n,h),(n,h)", binary_surprise, fractions
    ),
    "hinge": case_of(
        book.hinge, "(n,d)", within_the_margin, clear_of_the_margin(1.0), labels=some_labels
    ),
    "hinge of margin 0.3": case_of(
        book.hinge,
        "(n,d)",
        within_the_margin,
        clear_of_the_margin(0.3),
        labels=some_labels,
        margin=0.3,
    ),
}

ACTIVATIONS = {
    "identity": (identity, lambda z: 1 * z),
    "relu": (relu, half_of_both(0.0)),
    "leaky_relu": (leaky_relu, half_of_both(0.01)),
    "sigmoid": (sigmoid, logistic),
    "tanh": (tanh, hyperbolic_tangent),
    "softplus": (softplus, lambda z: log(1 + exp(z))),
    "gelu": (gelu, by_the_error_function),
}


def network_cases(n_layers: int, name: str) -> Iterator[tuple[str, Case]]:
    activation, formula = ACTIVATIONS[name]
    sizes = "dhdh"[: n_layers + 1]
    layers = ",".join(f"({d},{h}),({h})" for d, h in pairwise(sizes))
    settle = with_clear_units if name.endswith("relu") else scaled
    yield (
        f"network of {n_layers} with {name}",
        Case(
            output_of(activation),
            f"{layers},(n,d)",
            output_by_hand(formula),
            2 * n_layers + 1,
            settle,
        ),
    )
    yield (
        f"network_loss of {n_layers} with {name}",
        Case(
            loss_of(activation),
            f"{layers},(n,d),(n,{sizes[-1]})",
            loss_by_hand(formula),
            2 * n_layers,
            settle,
        ),
    )


NETWORKS = [(1, "relu"), (2, "sigmoid"), (3, "tanh"), (2, "relu"), (3, "leaky_relu"), (3, "gelu")]
NETWORKS += [(2, "softplus"), (2, "identity")]
CASES |= {name: case for n_and_name in NETWORKS for name, case in network_cases(*n_and_name)}


def gradient_faults(
    function: Any, arrays: list[Any], rng: np.random.Generator, n_gradients: int
) -> list[str]:
    """Return what is wrong with a function's backward at these arrays: nothing, one hopes."""
    before = [array.tobytes() for array in arrays]
    output, backward = function(*arrays)
    doutput = np.asarray(rng.normal(size=np.shape(output)))
    doutput_before = doutput.tobytes()
    first = backward(doutput)
    kept = [np.copy(gradient) for gradient in first]
    faults = list(_form_faults(first, arrays, n_gradients))
    if not faults:
        faults += _direction_faults(function, arrays, doutput, first, rng)
    if any(np.any(a != b) for a, b in zip(backward(doutput), kept, strict=True)):
        faults.append("a second call of backward differs from the first")
    backward(2 * doutput)
    if any(np.any(a != b) for a, b in zip(first, kept, strict=True)):
        faults.append("a second call of backward changes what the first returned")
    if [array.tobytes() for array in arrays] != before:
        faults.append("an input is changed")
    if doutput.tobytes() != doutput_before:
        faults.append("what backward was given is changed")
    return faults


def _form_faults(gradients: Any, arrays: list[Any], n_gradients: int) -> Iterator[str]:
    if not isinstance(gradients, tuple) or len(gradients) != n_gradients:
        yield f"{type(gradients).__name__} of {len(gradients)} gradients for one of {n_gradients}"
    for i, (gradient, array) in enumerate(zip(gradients, arrays, strict=False)):
        if np.shape(gradient) != array.shape:
            yield f"gradient {i} has shape {np.shape(gradient)}, not {array.shape}"
        elif gradient.dtype != array.dtype:
            yield f"gradient {i} has dtype {gradient.dtype}, not {array.dtype}"


def _direction_faults(
    function: Any, arrays: list[Any], doutput: Any, gradients: Any, rng: np.random.Generator
) -> Iterator[str]:
    """Move one array at a time along a random direction: one inner product for its Jacobian.

    Central differences of step h err by h squared; of two of them, h and 2h, the squares cancel.
    """
    for i, gradient in enumerate(gradients):
        direction = rng.normal(size=arrays[i].shape)

        def along(t: float, i: int = i, direction: Any = direction) -> Any:
            moved = [*arrays[:i], arrays[i] + t * direction, *arrays[i + 1 :]]
            return (doutput * function(*moved)[0]).sum()

        told = (gradient * direction).sum()
        near, far = along(STEP) - along(-STEP), along(2 * STEP) - along(-2 * STEP)
        found = (8 * near - far) / (12 * STEP)
        size = max(abs(gradient * direction).sum(), abs(found))
        rounding = 1e-15 * abs(doutput * function(*arrays)[0]).sum() / STEP
        if not abs(told - found) <= TOLERANCE * size + rounding:
            yield f"gradient {i} along a direction is {told}, central differences give {found}"

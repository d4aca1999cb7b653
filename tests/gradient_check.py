"""What the tests hold a differentiable function to, and the table of the functions they hold to it.

`gradient_faults` is the check: `test_gradients.py` finds no fault in the package's functions, and
`test_mistakes.py` finds one in each of a list of wrong ones.
"""

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings

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
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Case:
    """A differentiable function, the shapes of its arrays, and the formula it should follow.

    `formula` uses only what NumPy, autograd, PyTorch and JAX share. `backward` returns the
    gradients of the first `n_gradients` arrays. `keep_away` moves the arrays, which are fresh, away
    from the kinks of the function, and tells whether it could: if not, others are drawn.
    """

    function: Callable[..., tuple[Any, Callable[[Any], tuple[Any, ...]]]]
    notation: str
    formula: Callable[..., Any]
    n_gradients: int
    keep_away: Callable[[list[Any]], bool] = lambda arrays: True

    @property
    def letters(self) -> list[str]:
        return sorted({letter for letter in self.notation if letter.isalpha()})

    def arrays(self, lengths: dict[str, int], rng: np.random.Generator) -> list[Any]:
        shapes = [part.strip("()") for part in self.notation.split("),")]
        axes = [[lengths[letter] for letter in shape if letter.isalpha()] for shape in shapes]
        while True:
            drawn = [np.asarray(rng.normal(size=shape)) for shape in axes]
            if self.keep_away(drawn):
                return drawn


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


def log(u: Any) -> Any:
    """Return the logarithm from the library that u is an array of."""
    name = type(u).__module__.partition(".")[0]
    library = {"torch": "torch", "jax": "jax.numpy", "jaxlib": "jax.numpy"}.get(name)
    return sys.modules[library or "autograd.numpy"].log(u)


def logistic(z: Any) -> Any:
    return 1 / (1 + exp(-z))


def hyperbolic_tangent(z: Any) -> Any:
    return 1 - 2 / (1 + exp(2 * z))


def half_of_both(slope: float) -> Callable[[Any], Any]:
    """Return the function with slope 1 on the right of 0 and another on the left."""
    return lambda z: (1 + slope) / 2 * z + (1 - slope) / 2 * abs(z)


def by_a_series(z: Any) -> Any:
    """Return z times a standard normal's probability to be below z: a series of like signs.

    It is the one in Abramowitz and Stegun, 26.2.11, summed until |z| = 15.
    """
    term = total = z
    for k in range(1, 400):
        term = term * z * z / (2 * k + 1)
        total = total + term
    return z * (0.5 + exp(-z * z / 2) / math.sqrt(2 * math.pi) * total)


# Kinks


def pushed_from_0(arrays: list[Any]) -> bool:
    for array in arrays:
        array += 0.1 * np.sign(array)
    return True


def with_clear_units(n_layers: int) -> Callable[[list[Any]], bool]:
    """Return what sets the biases so that each hidden unit is on for some rows and off for others.

    It goes into the middle of the widest gap, and tells whether the gaps are wide enough.
    """

    def keep_away(arrays: list[Any]) -> bool:
        a, margins = arrays[2 * n_layers], [1.0]
        for k in range(0, 2 * (n_layers - 1), 2):
            z = np.sort(a @ arrays[k], axis=0)
            z = np.concatenate([z[:1] - 0.5, z, z[-1:] + 0.5]) if len(z) == 1 else z
            gaps = np.diff(z, axis=0)
            below = np.take_along_axis(z, gaps.argmax(axis=0)[None], axis=0)[0]
            arrays[k + 1][...] = -below - gaps.max(axis=0) / 2
            margins.append(gaps.max(axis=0).min() / 2)
            a = np.maximum(a @ arrays[k] + arrays[k + 1], 0)
        return min(margins) > 0.05

    return keep_away


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
    "leaky_relu of slope 0.3": Case(
        one_gradient(lambda z: leaky_relu(z, 0.3)), "(n,d)", half_of_both(0.3), 1, pushed_from_0
    ),
    "sigmoid": Case(one_gradient(sigmoid), "(n,d)", logistic, 1),
    "tanh": Case(one_gradient(tanh), "(n,d)", hyperbolic_tangent, 1),
    "tanh of a scalar": Case(one_gradient(tanh), "()", hyperbolic_tangent, 1),
    "softplus": Case(one_gradient(softplus), "(n,d)", lambda z: log(1 + exp(z)), 1),
    "gelu": Case(one_gradient(gelu), "(n,d)", by_a_series, 1),
    "compose": Case(
        one_gradient(compose([tanh, lambda x: (3 * x, lambda dy: 3 * dy), sigmoid])),
        "(n,d)",
        lambda x: logistic(3 * hyperbolic_tangent(x)),
        1,
    ),
    "compose of one": Case(one_gradient(compose([gelu])), "(n,d)", by_a_series, 1),
    "compose of what is composed": Case(
        one_gradient(compose([compose([sigmoid, tanh]), softplus, compose([gelu])])),
        "(n,d)",
        lambda x: by_a_series(log(1 + exp(hyperbolic_tangent(logistic(x))))),
        1,
    ),
}

ACTIVATIONS = {
    "identity": (identity, lambda z: 1 * z),
    "relu": (relu, half_of_both(0.0)),
    "leaky_relu": (leaky_relu, half_of_both(0.01)),
    "sigmoid": (sigmoid, logistic),
    "tanh": (tanh, hyperbolic_tangent),
    "softplus": (softplus, lambda z: log(1 + exp(z))),
    "gelu": (gelu, by_a_series),
}


def network_cases(n_layers: int, name: str) -> Iterator[tuple[str, Case]]:
    activation, formula = ACTIVATIONS[name]
    sizes = "dhdh"[: n_layers + 1]
    layers = ",".join(f"({d},{h}),({h})" for d, h in pairwise(sizes))
    keep_away = with_clear_units(n_layers) if name.endswith("relu") else lambda arrays: True
    yield (
        f"network of {n_layers} with {name}",
        Case(
            output_of(activation),
            f"{layers},(n,d)",
            output_by_hand(formula),
            2 * n_layers + 1,
            keep_away,
        ),
    )
    yield (
        f"network_loss of {n_layers} with {name}",
        Case(
            loss_of(activation),
            f"{layers},(n,d),(n,{sizes[-1]})",
            loss_by_hand(formula),
            2 * n_layers,
            keep_away,
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
        rounding = 1e-14 * abs(doutput * function(*arrays)[0]).sum() / STEP
        if not abs(told - found) <= TOLERANCE * size + rounding:
            yield f"gradient {i} along a direction is {told}, central differences give {found}"

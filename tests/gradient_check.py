"""What the tests hold a differentiable function to, and the table of the functions they hold to it.

`gradient_faults` is the check: `test_gradients.py` finds no fault in the package's functions, and
`test_mistakes.py` finds one in each of a list of wrong ones.
"""

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
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
    gradients of the first `n_gradients` arrays. `settle` may change the arrays that were drawn, to
    keep away from kinks, and tells whether it could: if not, others are drawn.
    """

    function: Callable[..., tuple[Any, Callable[[Any], tuple[Any, ...]]]]
    notation: str
    formula: Callable[..., Any]
    n_gradients: int
    settle: Callable[[list[Any]], bool] = lambda arrays: True

    @property
    def letters(self) -> list[str]:
        return sorted({letter for letter in self.notation if letter.isalpha()})

    def arrays(self, lengths: dict[str, int], rng: np.random.Generator) -> list[Any]:
        shapes = [part.strip("()") for part in self.notation.split("),")]
        axes = [[lengths[letter] for letter in shape if letter.isalpha()] for shape in shapes]
        while True:
            drawn = [np.asarray(rng.normal(size=shape)) for shape in axes]
            if self.settle(drawn):
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


def log(u: Any) -> Any:
    """Return the logarithm, from the library that u is an array of."""
    name = type(u).__module__.partition(".")[0]
    library = {"torch": "torch", "jax": "jax.numpy", "jaxlib": "jax.numpy"}.get(name)
    return sys.modules[library or "autograd.numpy"].log(u)


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


# What keeps the drawn numbers where differences tell something


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
    "leaky_relu of slope 0.3": Case(
        one_gradient(lambda z: leaky_relu(z, 0.3)), "(n,d)", half_of_both(0.3), 1, pushed_from_0
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

"""What the tests hold a differentiable function to, and the table of the functions they hold to it.

`gradient_faults` is the check: `test_gradients.py` finds no fault in the package's functions, and
`test_mistakes.py` finds one in each of a list of wrong ones.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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

    `formula` uses only what NumPy, autograd, PyTorch and JAX share; None where that will not do.
    `backward` returns the gradients of the first `n_gradients` arrays. A function with a kink at 0
    is given entries that keep away from it.
    """

    function: Callable[..., tuple[Any, Callable[[Any], tuple[Any, ...]]]]
    notation: str
    formula: Callable[..., Any] | None
    n_gradients: int
    kink: bool = False

    @property
    def letters(self) -> list[str]:
        return sorted({letter for letter in self.notation if letter.isalpha()})

    def arrays(self, lengths: dict[str, int], rng: np.random.Generator) -> list[Any]:
        shapes = [part.strip("()") for part in self.notation.split("),")]
        axes = [[lengths[letter] for letter in shape if letter.isalpha()] for shape in shapes]
        drawn = [np.asarray(rng.normal(size=shape)) for shape in axes]
        return [array + 0.1 * np.sign(array) for array in drawn] if self.kink else drawn


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


def three_layers(activation: Any) -> Any:
    """Call `network_loss` with arrays, for layers of sizes d, h, d, h."""
    names = [f"{kind}_{layer}" for layer in (1, 2, 3) for kind in ("weights", "bias")]

    def function(*arrays: Any) -> Any:
        parameters = dict(zip(names, arrays[:6], strict=True))
        loss, backward = network_loss(parameters, *arrays[6:], activation)

        def arrays_backward(dloss: Any) -> tuple[Any, ...]:
            gradients = backward(dloss)
            return tuple(gradients[name] for name in names)

        return loss, arrays_backward

    return function


def two_layers(w1: Any, b1: Any, w2: Any, b2: Any, x: Any) -> Any:
    """Call `network` with arrays; its backward gives the gradient of x last, as here."""
    parameters = {"weights_1": w1, "bias_1": b1, "weights_2": w2, "bias_2": b2}
    output, backward = network(parameters, x, sigmoid)

    def arrays_backward(doutput: Any) -> tuple[Any, ...]:
        gradients, dx = backward(doutput)
        return (*(gradients[name] for name in parameters), dx)

    return output, arrays_backward


def hyperbolic_tangent(z: Any) -> Any:
    return 1 - 2 / (1 + math.e ** (2 * z))


def logistic(z: Any) -> Any:
    return 1 / (1 + math.e ** (-z))


def three_layers_by_hand(w1, b1, w2, b2, w3, b3, x, target) -> Any:  # type: ignore[no-untyped-def]
    first = hyperbolic_tangent(x @ w1 + b1)
    second = hyperbolic_tangent(first @ w2 + b2)
    return half_mean_square(second @ w3 + b3, target)


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
    "compose": Case(
        one_gradient(compose([tanh, lambda x: (3 * x, lambda dy: 3 * dy), sigmoid])),
        "(n,d)",
        lambda x: logistic(3 * hyperbolic_tangent(x)),
        1,
    ),
    "identity": Case(one_gradient(identity), "(n,d)", lambda z: 1 * z, 1),
    "relu": Case(one_gradient(relu), "(n,d)", lambda z: (z + abs(z)) / 2, 1, kink=True),
    "leaky_relu": Case(
        one_gradient(leaky_relu), "(n,d)", lambda z: 0.505 * z + 0.495 * abs(z), 1, kink=True
    ),
    "sigmoid": Case(one_gradient(sigmoid), "(n,d)", logistic, 1),
    "tanh": Case(one_gradient(tanh), "(n,d)", hyperbolic_tangent, 1),
    "tanh of a scalar": Case(one_gradient(tanh), "()", hyperbolic_tangent, 1),
    "softplus": Case(one_gradient(softplus), "(n,d)", None, 1),
    "gelu": Case(one_gradient(gelu), "(n,d)", None, 1),
    "network": Case(
        two_layers,
        "(d,h),(h),(h,d),(d),(n,d)",
        lambda w1, b1, w2, b2, x: logistic(x @ w1 + b1) @ w2 + b2,
        5,
    ),
    "network_loss": Case(
        three_layers(tanh),
        "(d,h),(h),(h,d),(d),(d,h),(h),(n,d),(n,h)",
        three_layers_by_hand,
        6,
    ),
    "network_loss with gelu": Case(
        three_layers(gelu), "(d,h),(h),(h,d),(d),(d,h),(h),(n,d),(n,h)", None, 6
    ),
}


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

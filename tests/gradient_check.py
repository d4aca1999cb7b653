"""What the tests hold a differentiable function to, and the table of the functions they hold to it.

`gradient_faults` is the check: `test_gradients.py` finds no fault in the package's functions, and
`test_mistakes.py` finds one in each of a list of wrong ones.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings

from backprop_book import dense, linear_regression, squared_error

TOLERANCE = 1e-9
STEP = 2e-3  # for values of about 1 the differences below then err by some 1e-12

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
    gradients of the first `n_gradients` arrays.
    """

    function: Callable[..., tuple[Any, Callable[[Any], tuple[Any, ...]]]]
    notation: str
    formula: Callable[..., Any]
    n_gradients: int

    @property
    def letters(self) -> list[str]:
        return sorted({letter for letter in self.notation if letter.isalpha()})

    def arrays(self, lengths: dict[str, int], rng: np.random.Generator) -> list[Any]:
        shapes = [part.strip("()") for part in self.notation.split("),")]
        axes = [[lengths[letter] for letter in shape if letter.isalpha()] for shape in shapes]
        return [np.asarray(rng.normal(size=shape)) for shape in axes]


def regress(weights: Any, bias: Any, x: Any, target: Any) -> Any:
    """Call `linear_regression` with arrays, and return its gradients as arrays."""
    loss, backward = linear_regression({"weights": weights, "bias": bias}, x, target)

    def arrays_backward(dloss: Any) -> tuple[Any, ...]:
        gradients = backward(dloss)
        return gradients["weights"], gradients["bias"]

    return loss, arrays_backward


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
        if not abs(told - found) <= TOLERANCE * size:
            yield f"gradient {i} along a direction is {told}, central differences give {found}"

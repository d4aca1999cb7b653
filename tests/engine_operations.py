"""What can be done to a tensor, written once for every library that has NumPy's names.

An operation is a function of a namespace (`numpy`, `autograd.numpy`, `jax.numpy`) and arrays. For
PyTorch, which has names of its own, it is written again where it has to be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Shapes = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Operation:
    """A function of arrays: their axes by letter, what their entries may be, and its names."""

    shapes: tuple[str, ...]
    numpy: Callable[..., Any]
    torch: Callable[..., Any]
    settle: Callable[[Any], Any] = lambda x: x
    autograd: bool = True  # HIPS autograd has no derivative of some, or no second one

    def arrays(self, lengths: dict[str, int], rng: np.random.Generator, dtype: Any = float) -> Any:
        """Draw arrays of these shapes; a digit is a length of its own."""
        shapes = [[int(s) if s.isdigit() else lengths[s] for s in shape] for shape in self.shapes]
        return [self.settle(rng.normal(size=shape)).astype(dtype) for shape in shapes]


def of_one(name: str, torch: str | None = None, settle: Any = lambda x: x) -> Operation:
    """A function of one array, entry by entry."""
    return Operation(
        ("nd",),
        lambda np, x: getattr(np, name)(x),
        lambda torch_, x: getattr(torch_, torch or name)(x),
        settle,
    )


def of_two(numpy: Any, settle: Any = lambda x: x) -> dict[str, Operation]:
    """A function of two arrays, alike or broadcast."""
    pairs = {"alike": ("nd", "nd"), "(n,d) and (d)": ("nd", "d"), "(n,1) and (d)": ("n1", "d")}
    pairs |= {"() and (n,d)": ("", "nd"), "(n,1,d) and (h,1)": ("n1d", "h1")}
    return {told: Operation(shapes, numpy, numpy, settle) for told, shapes in pairs.items()}


def positive(x: Any) -> Any:
    """Entries away from 0, above it."""
    return np.abs(x) + 0.5


def off_0(x: Any) -> Any:
    """Entries of either sign, away from 0."""
    return np.where(x < 0, x - 0.5, x + 0.5)


def above_1(x: Any) -> Any:
    """Entries above -1."""
    return np.abs(x)


ROWS = np.array([1, 0, 1])

ONE = {
    "exp": of_one("exp"),
    "log": of_one("log", settle=positive),
    "sqrt": of_one("sqrt", settle=positive),
    "sin": of_one("sin"),
    "cos": of_one("cos"),
    "tanh": of_one("tanh"),
    "sinh": of_one("sinh"),
    "cosh": of_one("cosh"),
    "arctan": of_one("arctan"),
    "log1p": of_one("log1p", settle=above_1),
    "expm1": of_one("expm1"),
    "square": of_one("square"),
    "negative": Operation(("nd",), lambda np, x: np.negative(x) ** 3, lambda t, x: (-x) ** 3),
    "positive": Operation(
        ("nd",), lambda np, x: np.positive(x) ** 3, lambda t, x: (+x) ** 3, autograd=False
    ),
    "copy": Operation(
        ("nd",), lambda np, x: np.copy(x) ** 3, lambda t, x: t.clone(x) ** 3, autograd=False
    ),
    "reciprocal": of_one("reciprocal", settle=off_0),
    "abs": Operation(("nd",), lambda np, x: np.abs(x) ** 3, lambda t, x: t.abs(x) ** 3, off_0),
    "power 3": Operation(("nd",), lambda np, x: x**3, lambda _, x: x**3),
    "power -1.5": Operation(("nd",), lambda np, x: x**-1.5, lambda _, x: x**-1.5, positive),
    "power of 2": Operation(("nd",), lambda np, x: 2.0**x, lambda _, x: 2.0**x),
    "clip": Operation(
        ("nd",),
        lambda np, x: np.clip(x, -0.5, 0.7) * x,
        lambda torch, x: torch.clip(x, -0.5, 0.7) * x,
    ),
}

TWO = {
    f"{name} of {told}": operation
    for name, operations in {
        "add": of_two(lambda _, a, b: (a + b) ** 2),
        "subtract": of_two(lambda _, a, b: (a - b) ** 3),
        "multiply": of_two(lambda _, a, b: a * b),
        "divide": of_two(lambda _, a, b: a / b, off_0),
        "power": of_two(lambda _, a, b: a**b, positive),
        "maximum": of_two(lambda np, a, b: np.maximum(a, b) * a),
        "minimum": of_two(lambda np, a, b: np.minimum(a, b) * b),
        "logaddexp": of_two(lambda np, a, b: np.logaddexp(a, b)),
    }.items()
    for told, operation in operations.items()
}

REDUCTIONS = {
    "sum of all": Operation(("nd",), lambda np, x: np.sum(x**2), lambda t, x: t.sum(x**2)),
    "sum of an axis": Operation(("nd",), lambda np, x: np.sum(x**2, 0), lambda t, x: (x**2).sum(0)),
    "sum of two axes": Operation(
        ("ndh",), lambda np, x: np.sum(x**3, axis=(0, 2)), lambda t, x: (x**3).sum((0, 2))
    ),
    "sum, axes kept": Operation(
        ("nd",),
        lambda np, x: np.sum(x, axis=1, keepdims=True) * x,
        lambda t, x: x.sum(1, keepdim=True) * x,
    ),
    "mean of an axis": Operation(
        ("nd",), lambda np, x: np.mean(x**2, axis=-1), lambda t, x: (x**2).mean(-1)
    ),
    "mean of all": Operation(("ndh",), lambda np, x: np.mean(x) * x, lambda t, x: x.mean() * x),
    "max of an axis": Operation(
        ("nd",), lambda np, x: np.max(x**3, axis=1), lambda t, x: (x**3).amax(1)
    ),
    "max of all": Operation(("nd",), lambda np, x: np.max(x) ** 2, lambda t, x: x.amax() ** 2),
    "min of an axis": Operation(
        ("nd",),
        lambda np, x: np.min(x**3, axis=0, keepdims=True),
        lambda t, x: (x**3).amin(0, keepdim=True),
    ),
    "amax and amin": Operation(
        ("nd",),
        lambda np, x: np.amax(x**3, axis=1) * np.amin(x, axis=1),
        lambda t, x: (x**3).amax(1) * x.amin(1),
    ),
    "var": Operation(("nd",), lambda np, x: np.var(x, axis=0), lambda t, x: x.var(0, correction=0)),
    "std": Operation(("4d",), lambda np, x: np.std(x, axis=0), lambda t, x: x.std(0, correction=0)),
    "cumsum": Operation(
        ("nd",), lambda np, x: np.cumsum(x**2, axis=1), lambda t, x: (x**2).cumsum(1)
    ),
}

SHAPES = {
    "reshape": Operation(
        ("nd2",), lambda np, x: np.reshape(x**2, (-1, 2)), lambda t, x: (x**2).reshape(-1, 2)
    ),
    "ravel": Operation(("nd",), lambda np, x: np.ravel(x**2), lambda t, x: t.ravel(x**2)),
    "transpose": Operation(
        ("ndh",),
        lambda np, x: np.transpose(x**2, (2, 0, 1)),
        lambda t, x: (x**2).permute(2, 0, 1),
    ),
    "T": Operation(("nd",), lambda np, x: x.T**2, lambda t, x: x.T**2),
    "swapaxes": Operation(
        ("ndh",), lambda np, x: np.swapaxes(x**2, 0, 2), lambda t, x: (x**2).swapaxes(0, 2)
    ),
    "expand_dims": Operation(
        ("nd",), lambda np, x: np.expand_dims(x**2, 1), lambda t, x: (x**2).unsqueeze(1)
    ),
    "squeeze": Operation(
        ("n1d",), lambda np, x: np.squeeze(x**2, 1), lambda t, x: (x**2).squeeze(1)
    ),
    "broadcast_to": Operation(
        ("nd",),
        lambda np, x: np.broadcast_to(x**2, (3, *x.shape)),
        lambda t, x: t.broadcast_to(x**2, (3, *x.shape)),
        autograd=False,
    ),
    "flip": Operation(
        ("nd",),
        lambda np, x: np.flip(x**2, 1),
        lambda t, x: (x**2).flip(1),
        autograd=False,
    ),
    "concatenate": Operation(
        ("nd", "nd", "n1"),
        lambda np, a, b, c: np.concatenate([a, b**2, c * c], axis=1),
        lambda t, a, b, c: t.cat([a, b**2, c * c], dim=1),
    ),
    "stack": Operation(
        ("nd", "nd"),
        lambda np, a, b: np.stack([a, b**2], axis=1),
        lambda t, a, b: t.stack([a, b**2], dim=1),
    ),
}

INDICES = {
    "a number": Operation(("nd",), lambda _, x: x[1] ** 2, lambda _, x: x[1] ** 2),
    "slices": Operation(("4d",), lambda _, x: x[1::2, :1] ** 2, lambda _, x: x[1::2, :1] ** 2),
    "a new axis and dots": Operation(
        ("nd",), lambda _, x: x[None, ..., 0] ** 2, lambda _, x: x[None, ..., 0] ** 2
    ),
    "rows, one of them twice": Operation(
        ("nd",), lambda _, x: x[ROWS] ** 3, lambda t, x: x[t.tensor(ROWS)] ** 3
    ),
    "pairs, one of them twice": Operation(
        ("nd",),
        lambda _, x: x[ROWS, ROWS * 0] ** 3,
        lambda t, x: x[t.tensor(ROWS), t.tensor(ROWS * 0)] ** 3,
    ),
    "a slice and rows": Operation(
        ("nd",), lambda _, x: x[:, ROWS * 0] ** 2, lambda t, x: x[:, t.tensor(ROWS * 0)] ** 2
    ),
}

PRODUCTS = {
    "matrices": Operation(("nd", "dh"), lambda _, a, b: a @ b, lambda _, a, b: a @ b),
    "stacks": Operation(("2nd", "2dh"), lambda _, a, b: a @ b, lambda _, a, b: a @ b),
    "a stack and a matrix": Operation(("3nd", "dh"), lambda _, a, b: a @ b, lambda _, a, b: a @ b),
    "stacks that broadcast": Operation(
        ("21nd", "3dh"), lambda _, a, b: a @ b, lambda _, a, b: a @ b
    ),
    "two vectors": Operation(("d", "d"), lambda _, a, b: a @ b, lambda _, a, b: a @ b),
    "a matrix and a vector": Operation(("nd", "d"), lambda _, a, b: a @ b, lambda _, a, b: a @ b),
    "a vector and a matrix": Operation(("d", "dh"), lambda _, a, b: a @ b, lambda _, a, b: a @ b),
    "a stack and a vector": Operation(("2nd", "d"), lambda _, a, b: a @ b, lambda _, a, b: a @ b),
    "dot": Operation(("nd", "dh"), lambda np, a, b: np.dot(a, b), lambda t, a, b: a @ b),
    "outer": Operation(("n", "d"), lambda np, a, b: np.outer(a, b), lambda t, a, b: t.outer(a, b)),
} | {
    f"einsum {subscripts}": Operation(
        tuple(subscripts.split("->")[0].split(",")),
        lambda np, *arrays, each=subscripts: np.einsum(each, *(a**2 for a in arrays)),
        lambda t, *arrays, each=subscripts: t.einsum(each, *(a**2 for a in arrays)),
    )
    for subscripts in ("nd,dh->nh", "nd->dn", "nd,nd->n", "nd->", "nd,d,nh->h", "nd,h->hd", "n,n->")
}

CHOICES = {
    "where": Operation(
        ("nd", "nd"),
        lambda np, a, b: np.where(a > b, a**2, a * b),
        lambda t, a, b: t.where(a > b, a**2, a * b),
    ),
    "where, one a number": Operation(
        ("nd",),
        lambda np, a: np.where(a > 0, a**2, 0.0),
        lambda t, a: t.where(a > 0, a**2, 0.0),
    ),
    "a mask": Operation(("nd",), lambda np, a: (a > 0) * a**2, lambda t, a: (a > 0) * a**2),
}

OPERATIONS: dict[str, Operation] = {
    f"{group}: {name}": operation
    for group, operations in {
        "one": ONE,
        "two": TWO,
        "reduce": REDUCTIONS,
        "shape": SHAPES,
        "index": INDICES,
        "product": PRODUCTS,
        "choose": CHOICES,
    }.items()
    for name, operation in operations.items()
}

"""A traced function as a circuit of steps, with the derivative of each measured, not derived."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backprop_book.arrays import Array
from backprop_book.checker.tracing import Step

Pull = Callable[[Array], Array]
Edge = tuple[int, int]
"""A step, and which of its parents: where a value is used."""

LARGEST = 400_000
NUDGE = 1e-4


@dataclass
class Circuit:
    """Steps in the order in which they were taken, the leaves first, and which is the output.

    `leaves` and `output` are numbers of steps. `pull(edge)` carries a gradient of a step's value to
    the value of one of its parents.
    """

    steps: list[Step]
    leaves: list[int]
    output: int
    jacobians: dict[Edge, Array] = field(default_factory=dict)

    @property
    def edges(self) -> list[Edge]:
        """Every use of a value, in the order of the steps."""
        return [(s, k) for s, step in enumerate(self.steps) for k in range(len(step.parents))]

    def parent(self, edge: Edge) -> int:
        """Return the number of the step whose value is used."""
        return self.steps[edge[0]].parents[edge[1]]

    def size(self) -> int:
        """Return how many entries all the Jacobians have together."""
        return sum(
            self.steps[s].value.size * self.steps[self.parent((s, k))].value.size
            for s, k in self.edges
        )

    def jacobian(self, edge: Edge) -> Array:
        """Return the derivative of a step's value by that of one parent, (entries, entries)."""
        if edge not in self.jacobians:
            step = self.steps[edge[0]]
            values = [self.steps[p].value for p in step.parents]
            self.jacobians[edge] = measured_jacobian(step, values, edge[1])
        return self.jacobians[edge]

    def slopes(self, edge: Edge) -> Array | None:
        """Return the diagonal of a Jacobian, in the shape of the value; None if there is more."""
        step, parent = self.steps[edge[0]].value, self.steps[self.parent(edge)].value
        if step.shape != parent.shape:
            return None
        jacobian = self.jacobian(edge)
        diagonal = np.diagonal(jacobian)
        if np.abs(jacobian - np.diag(diagonal)).max() > 1e-7 * (1 + np.abs(diagonal).max()):
            return None
        return diagonal.reshape(step.shape)

    def pull(self, edge: Edge, gradient: Array) -> Array:
        """Return what one use of a value adds to its gradient."""
        shape = self.steps[self.parent(edge)].value.shape
        return (gradient.ravel() @ self.jacobian(edge)).reshape(shape)

    def gradients(
        self,
        doutput: Array,
        pulls: Mapping[Edge, Pull] | None = None,
        nodes: Mapping[int, Pull] | None = None,
    ) -> list[Array]:
        """Return the gradient at every step, with some pulls or some steps' gradients replaced."""
        total = [np.zeros_like(step.value) for step in self.steps]
        total[self.output] = np.asarray(doutput, dtype=float).reshape(
            self.steps[self.output].value.shape
        )
        for s in reversed(range(len(self.steps))):
            if nodes and s in nodes:
                total[s] = nodes[s](total[s])
            for k, parent in enumerate(self.steps[s].parents):
                edge = (s, k)
                replaced = pulls.get(edge) if pulls else None
                total[parent] = total[parent] + (
                    self.pull(edge, total[s]) if replaced is None else replaced(total[s])
                )
        return total

    def users(self) -> dict[int, list[Edge]]:
        """Return for each step the edges that use its value."""
        found: dict[int, list[Edge]] = {s: [] for s in range(len(self.steps))}
        for edge in self.edges:
            found[self.parent(edge)].append(edge)
        return found

    def ancestors(self, node: int) -> set[int]:
        """Return the steps that a step's value comes from, itself among them."""
        found, waiting = set(), [node]
        while waiting:
            step = waiting.pop()
            if step not in found:
                found.add(step)
                waiting += self.steps[step].parents
        return found


def measured_jacobian(step: Step, values: list[Array], k: int, **parameters: Any) -> Array:
    """Return the Jacobian of a step by its k-th parent, entry by entry, from four values each.

    The combination of four values is right up to the fourth power of the nudge. The step may be
    taken with other parameters than it was.
    """
    here = np.array(values[k], dtype=float)
    columns = []
    for i in np.ndindex(here.shape):
        h = NUDGE * (1.0 if abs(here[i]) > 0.01 or here[i] == 0 else float(abs(here[i])))
        at = [step.again(*_with(values, k, here, i, t * h), **parameters) for t in (-2, -1, 1, 2)]
        columns.append(four_point_slope(at, h).ravel())
    return np.array(columns).reshape(here.size, -1).T


def four_point_slope(at: Sequence[Array], h: float) -> Array:
    """Return the slope at 0 from values at -2h, -h, h and 2h, entry by entry."""
    return ((at[0] - at[3]) + 8 * (at[2] - at[1])) / (12 * h)


def _with(
    values: list[Array], k: int, here: Array, i: tuple[int, ...], nudge: float
) -> list[Array]:
    moved = here.copy()
    moved[i] += nudge
    return [moved if j == k else value for j, value in enumerate(values)]

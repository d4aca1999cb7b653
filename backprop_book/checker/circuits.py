"""A traced function as a circuit of steps, with the derivative of each measured, not derived."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from backprop_book.arrays import Array
from backprop_book.checker.tracing import Step

Pull = Callable[[Array], Array]
Edge = tuple[int, int]
"""A step, and which of its parents: where a value is used."""

LARGEST = 2_000_000
FEW_ENTRIES = 2
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
    diagonals: dict[Edge, Array | None] = field(default_factory=dict)

    @property
    def edges(self) -> list[Edge]:
        """Every use of a value, in the order of the steps."""
        return [(s, k) for s, step in enumerate(self.steps) for k in range(len(step.parents))]

    def parent(self, edge: Edge) -> int:
        """Return the number of the step whose value is used."""
        return self.steps[edge[0]].parents[edge[1]]

    def size(self) -> int:
        """Return how many entries all the Jacobians have together, the zeros of diagonals aside."""
        return sum(
            self.steps[s].value.size
            * (1 if self.slopes((s, k)) is not None else self.steps[self.parent((s, k))].value.size)
            for s, k in self.edges
        )

    def jacobian(self, edge: Edge) -> Array:
        """Return the derivative of a step's value by that of one parent, (entries, entries)."""
        if edge not in self.jacobians:
            slopes = self.slopes(edge)
            step, values = self._taken(edge)
            self.jacobians[edge] = (
                measured_jacobian(step, values, edge[1])
                if slopes is None
                else np.diag(slopes.ravel())
            )
        return self.jacobians[edge]

    def slopes(self, edge: Edge) -> Array | None:
        """Return the diagonal of a Jacobian, in the shape of the value; None if there is more."""
        if edge not in self.diagonals:
            step, values = self._taken(edge)
            alike = step.value.shape == values[edge[1]].shape
            self.diagonals[edge] = measured_slopes(step, values, edge[1]) if alike else None
        return self.diagonals[edge]

    def _taken(self, edge: Edge) -> tuple[Step, list[Array]]:
        step = self.steps[edge[0]]
        return step, [self.steps[p].value for p in step.parents]

    def pull(self, edge: Edge, gradient: Array) -> Array:
        """Return what one use of a value adds to its gradient."""
        slopes = self.slopes(edge)
        if slopes is not None:
            return gradient * slopes
        shape = self.steps[self.parent(edge)].value.shape
        return (gradient.ravel() @ self.jacobian(edge)).reshape(shape)

    def gradients(self, doutput: Array) -> list[Array]:
        """Return the gradient at every step."""
        total: list[Array] = [np.zeros_like(step.value) for step in self.steps]
        shape = self.steps[self.output].value.shape
        total[self.output] = np.asarray(doutput, dtype=float).reshape(shape)
        for s in reversed(range(len(self.steps))):
            for k, parent in enumerate(self.steps[s].parents):
                total[parent] = total[parent] + self.pull((s, k), total[s])
        return total

    def changed(
        self, totals: Sequence[Array], pulls: Mapping[Edge, Pull], nodes: Mapping[int, Pull]
    ) -> list[Array]:
        """Return the gradients at every step if some pulls or steps' gradients were replaced.

        Only what comes before those is worked out again.
        """
        new, added = list(totals), dict[int, Array]()
        last = max((*(s for s, _ in pulls), *nodes), default=-1)
        for s in reversed(range(last + 1)):
            if s in added:
                new[s] = np.add(totals[s], added[s])
            if s in nodes:
                new[s] = nodes[s](new[s])
            for k, parent in enumerate(self.steps[s].parents):
                edge = (s, k)
                if edge in pulls:
                    more = np.subtract(pulls[edge](new[s]), self.pull(edge, totals[s]))
                elif s in added or s in nodes:
                    more = self.pull(edge, np.subtract(new[s], totals[s]))
                else:
                    continue
                added[parent] = np.add(added.get(parent, 0.0), more)
        return new

    def users(self) -> dict[int, list[Edge]]:
        """Return for each step the edges that use its value."""
        found: dict[int, list[Edge]] = {s: [] for s in range(len(self.steps))}
        for edge in self.edges:
            found[self.parent(edge)].append(edge)
        return found

    def unshared(self) -> "Circuit":
        """Return the circuit with a step of its own for each use of a result; leaves stay shared.

        A backward pass in which every term was derived by itself takes these ways apart.
        """
        new = Circuit([self.steps[leaf] for leaf in self.leaves], list(range(len(self.leaves))), 0)
        numbers = {leaf: i for i, leaf in enumerate(self.leaves)}

        def copied(s: int) -> int:
            if s in numbers:
                return numbers[s]
            parents = tuple(copied(p) for p in self.steps[s].parents)
            new.steps.append(replace(self.steps[s], parents=parents))
            number = len(new.steps) - 1
            for k in range(len(parents)):
                new.diagonals[(number, k)] = self.slopes((s, k))
                if (s, k) in self.jacobians:
                    new.jacobians[(number, k)] = self.jacobians[(s, k)]
            return number

        new.output = copied(self.output)
        return new

    def paths(self) -> list[int]:
        """Return for each step how many steps `unshared` would make of it and its ancestors."""
        counts: list[int] = []
        for step in self.steps:
            counts.append(1 + sum(counts[p] for p in step.parents))
        return counts

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

    The combination of four values is right up to the fourth power of the nudge; where the step is
    straight, one value will do. The step may be taken with other parameters than it was.
    """
    here = np.array(values[k], dtype=float)
    nudges = _nudges(here)

    def at(move: Array) -> Array:
        return step.again(*_replaced(values, k, here + move), **parameters)

    entries = [(_alone(nudges, i), nudges[i]) for i in np.ndindex(here.shape)]
    if len(entries) > FEW_ENTRIES and _is_straight(at, nudges):
        start = at(np.zeros_like(here))
        columns = [(at(move) - start).ravel() / nudge for move, nudge in entries]
    else:
        columns = [_change(at, move).ravel() / nudge for move, nudge in entries]
    return np.array(columns).reshape(here.size, -1).T


def measured_slopes(step: Step, values: list[Array], k: int) -> Array | None:
    """Return the slopes of a step entry by entry, or None if an entry moves more than its own.

    All are moved at once; moved by random parts of that they would tell if there were more.
    """
    here = np.array(values[k], dtype=float)
    nudges = _nudges(here)

    def at(move: Array) -> Array:
        return step.again(*_replaced(values, k, here + move))

    change, parts = _change(at, nudges), _parts(nudges)
    off = np.abs(_change(at, parts * nudges) - parts * change)
    return change / nudges if off.max() <= 1e-9 * np.abs(change).max() else None


def _nudges(here: Array) -> Array:
    size = np.abs(here)
    usual = (size > 0.01) | (here == 0)
    return np.asarray(NUDGE * np.where(usual, np.maximum(1.0, NUDGE * size), size))


def _change(at: Callable[[Array], Array], move: Array) -> Array:
    return four_point_slope([at(t * move) for t in (-2, -1, 1, 2)], 1.0)


def four_point_slope(at: Sequence[Array], h: float) -> Array:
    """Return the slope at 0 from values at -2h, -h, h and 2h, entry by entry."""
    return ((at[0] - at[3]) + 8 * (at[2] - at[1])) / (12 * h)


def _is_straight(at: Callable[[Array], Array], nudges: Array) -> bool:
    """Tell whether there is no bend along a random line through here."""
    move = _parts(nudges) * nudges
    one, here, other = at(-move), at(np.zeros_like(move)), at(move)
    return bool(np.abs(one - 2 * here + other).max() <= 1e-9 * np.abs(other - one).max())


def _parts(nudges: Array) -> Array:
    return np.random.default_rng(0).uniform(-1.0, 1.0, size=nudges.shape)


def _alone(nudges: Array, i: tuple[int, ...]) -> Array:
    kept = np.zeros_like(nudges)
    kept[i] = nudges[i]
    return kept


def _replaced(values: list[Array], k: int, value: Array) -> list[Array]:
    return [value if j == k else other for j, other in enumerate(values)]

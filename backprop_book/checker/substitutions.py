"""Mistakes where a backward pass uses another value than the forward had: rules for `diagnose`.

The value of a step is replaced in every derivative that depends on it, and nowhere else.
"""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np

from backprop_book.arrays import Array
from backprop_book.checker.circuits import Edge, Pull
from backprop_book.checker.curves import Curve, formula_in_output
from backprop_book.checker.mistakes import (
    Case,
    Change,
    Suspect,
    always,
    at_values,
    mask_edges,
    times,
)
from backprop_book.losses import softmax

FEW = 4
MANY = 40
"""How many uses of a value, and how many steps, are too many to try everything."""


def with_values(case: Case, values: dict[int, Array]) -> Change:
    """Return the change if backward found other values at some steps."""
    values = _passed_on(case, values)
    pulls: dict[Edge, Pull] = {}
    for s, step in enumerate(case.circuit.steps):
        if s in values and len(step.parents) == 1:
            pulls |= _by_output(case, s, values[s])
        if set(step.parents) & values.keys() and not case.is_straight(s):
            own = [values.get(p, case.value(p)) for p in step.parents]
            pulls |= {(s, k): at_values(case, (s, k), own) for k in range(len(step.parents))}
    return Change(pulls)


def _passed_on(case: Case, values: dict[int, Array]) -> dict[int, Array]:
    """Return values along with those of steps that pick their entries, perhaps with a factor."""
    values = dict(values)
    for s, step in enumerate(case.circuit.steps):
        if len(step.parents) == 1 and step.parents[0] in values and s not in values:
            one_by_one = np.count_nonzero(case.circuit.jacobian((s, 0)), axis=1).max(initial=0) <= 1
            if one_by_one and case.is_straight(s):
                values[s] = step.again(values[step.parents[0]])
    return values


def _by_output(case: Case, s: int, value: Array) -> dict[Edge, Pull]:
    """Return the pull of a function entry by entry whose slope is a formula in its output."""
    parent = case.circuit.steps[s].parents[0]
    if case.circuit.slopes((s, 0)) is None:
        return {}
    formula = formula_in_output(case, Curve(parent, s, (s,)))
    if formula is None or abs(formula[0]) + abs(formula[1]) < 1e-7:
        return {}
    return {(s, 0): times(np.polyval(formula, value))}


def rounded_values(case: Case) -> Iterator[Suspect]:
    """Yield a value used as whole numbers."""
    few = len(case.circuit.steps) <= MANY
    for node in range(len(case.circuit.steps)) if few else case.circuit.leaves:
        for how in (np.rint, np.trunc, np.floor):
            gradients = with_values(case, {node: how(case.value(node))})
            yield Suspect("integer", f"{case.place(node)} as whole numbers", gradients, 1.2)


def transposed_values(case: Case) -> Iterator[Suspect]:
    """Yield a square matrix used transposed, wherever it is used."""
    for node in range(len(case.circuit.steps)):
        shape = case.value(node).shape
        if len(shape) >= 2 and shape[-1] == shape[-2] > 1:
            flipped = np.swapaxes(case.value(node), -1, -2)
            yield Suspect("transposed", case.place(node), with_values(case, {node: flipped}), 0.8)


def updated_values(case: Case) -> Iterator[Suspect]:
    """Yield weights moved against their gradient before they are used; by how much is open."""
    leaves = [leaf for leaf in case.circuit.leaves if np.any(case.totals[leaf])]
    right = {leaf: case.totals[leaf] for leaf in leaves}
    pairs = zip(case.circuit.leaves, case.wrong, strict=True)
    given = {leaf: wrong for leaf, wrong in pairs if _fits(case, leaf, wrong)}
    moves = [{n: g} for gradients in (right, given) for n, g in gradients.items()]
    moves += [gradients for gradients in (right, given) if len(gradients) > 1]
    moves += [move for leaf in leaves for move in _partial_moves(case, leaf)]
    moves += [{n: g} for leaf, g in right.items() for n in _made_of(case, leaf)]
    for move in moves:
        names = ", ".join(case.place(leaf) for leaf in move)
        words = f"{names}, moved against the gradient before use"
        users = {s for s, _ in _after_update(case, move, None)(0.0).pulls}
        for only in (None, *(sorted(users) if 1 < len(users) <= FEW else ())):
            family = _after_update(case, move, only)
            yield Suspect("updated-weights", words, case.right, 1.0, family=family)
    for leaf in leaves:
        if len(case.users[leaf]) > 1:
            words = f"{case.place(leaf)}, moved at every turn of a loop"
            family = _after_each_turn(case, leaf)
            yield Suspect("updated-weights", words, case.right, 1.1, family=family)


def _fits(case: Case, leaf: int, gradient: Any) -> bool:
    return gradient is not None and gradient.shape == case.value(leaf).shape


def _made_of(case: Case, leaf: int) -> list[int]:
    """Return the steps next to a leaf, of its shape, as a mask makes one of weights."""
    found: list[int] = []
    for node, step in enumerate(case.circuit.steps):
        alike = step.value.shape == case.value(leaf).shape
        if alike and len(step.parents) == 1 and step.parents[0] in (leaf, *found):
            found.append(node)
    return found


def _partial_moves(case: Case, leaf: int) -> Iterator[dict[int, Array]]:
    """Yield the parts of a leaf's gradient that its uses contribute, where there are several."""
    uses = case.users[leaf]
    for edge in uses if 1 < len(uses) <= FEW else []:
        yield {leaf: case.circuit.pull(edge, case.totals[edge[0]])}


def _after_update(
    case: Case, move: dict[int, Array], only: int | None
) -> Callable[[float], Change]:
    """Return what backward makes of moved values, in all the steps that use them or in one."""

    def gradients(rate: float) -> Change:
        change = with_values(case, {n: case.value(n) - rate * g for n, g in move.items()})
        kept = {edge: pull for edge, pull in change.pulls.items() if only in (None, edge[0])}
        return Change(kept)

    return gradients


def _after_each_turn(case: Case, leaf: int) -> Callable[[float], Change]:
    """Return what backward makes of weights that each use moves before it hands its share on."""

    def gradients(rate: float) -> Change:
        value = case.value(leaf).copy()
        pulls = {}
        for s, own in case.users[leaf]:
            for k in range(len(case.circuit.steps[s].parents)):
                if k != own:
                    pulls[(s, k)] = _moving_first(case, (s, own), k, value, rate)
        return Change(pulls)

    return gradients


def _moving_first(case: Case, use: Edge, k: int, value: Array, rate: float) -> Pull:
    """Return the pull of a step by its k-th parent that changes another's value, in place, first.

    The steps are gone through from the last to the first, as by a backward pass.
    """
    s, own = use

    def pull(gradient: Array) -> Array:
        value[...] -= rate * case.circuit.pull(use, gradient)
        parents = case.circuit.steps[s].parents
        values = [value if j == own else case.value(p) for j, p in enumerate(parents)]
        return at_values(case, (s, k), values)(gradient)

    return pull


def one_part_for_all(case: Case) -> Iterator[Suspect]:
    """Yield the first or last part of a value, or of a gradient, used for all of them."""
    few = len(case.circuit.steps) <= MANY
    for node in range(len(case.circuit.steps)) if few else case.circuit.leaves:
        value = case.value(node)
        for axis in range(min(value.ndim, 2)):
            for part in {0, value.shape[axis] - 1} if value.shape[axis] > 1 else ():
                where = f"part {part} of {case.place(node)}, used for all"
                gradients = with_values(case, {node: _repeated(value, axis, part)})
                yield Suspect("one-example", where, gradients, 1.0)
                repeat = _repeating(axis, part)
                yield Suspect("one-example", where, Change(nodes={node: repeat}), 1.1)
                if node in case.circuit.leaves:
                    yield Suspect("overwritten", where, Change(nodes={node: repeat}), 1.2)


def _repeated(value: Array, axis: int, part: int) -> Array:
    one = np.take(value, [part], axis=axis)
    return np.broadcast_to(one, value.shape).copy()


def _repeating(axis: int, part: int) -> Pull:
    return lambda gradient: _repeated(gradient, axis, part)


def exchanged_values(case: Case) -> Iterator[Suspect]:
    """Yield a value taken for another of its shape, or two of them for each other."""
    masked = {case.circuit.parent(edge): edge[0] for edge in mask_edges(case)}
    for first, second in combinations(range(len(case.circuit.steps)), 2):
        one, other = case.value(first), case.value(second)
        if one.shape != other.shape or one.size < 2 or len(case.circuit.steps) > MANY:
            continue
        places = f"{case.place(first)} and {case.place(second)}"
        both = with_values(case, {first: other, second: one})
        yield Suspect("swapped", places, both, 1.2)
        linked = first in masked and masked[first] <= second
        kind, cost = ("dropout", 0.9) if linked else ("activation-misplaced", 1.3)
        for node, value in ((first, other), (second, one)):
            words = f"of {places} the wrong one is used"
            yield Suspect(kind, words, with_values(case, {node: value}), cost)
            yield Suspect("swapped", words, with_values(case, {node: value}), cost + 0.3)


def softmaxed_values(case: Case) -> Iterator[Suspect]:
    """Yield probabilities put through softmax again."""
    for node, step in enumerate(case.circuit.steps):
        p = step.value
        if p.ndim and p.shape[-1] > 1 and np.all(p >= 0) and np.allclose(p.sum(axis=-1), 1):
            gradients = with_values(case, {node: softmax(p, -1)[0]})
            yield Suspect("softmax-twice", case.place(node), gradients, 0.6)


def exchanged_gradients(case: Case) -> Iterator[Suspect]:
    """Yield the gradients of two steps of one shape exchanged on their way."""
    n = len(case.circuit.steps)
    for first, second in combinations(range(n), 2):
        one, other = case.totals[first], case.totals[second]
        if one.shape != other.shape or one.size < 2 or first in case.circuit.ancestors(second):
            continue
        gradients = Change(nodes={first: always(other), second: always(one)})
        yield Suspect("swapped", f"{case.place(first)} and {case.place(second)}", gradients, 1.1)

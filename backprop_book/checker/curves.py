"""Mistakes about functions applied entry by entry, and about axes: more rules for `diagnose`."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from backprop_book.arrays import Array
from backprop_book.checker.circuits import Edge, Pull, four_point_slope, measured_jacobian
from backprop_book.checker.mistakes import Case, Change, Suspect, by, times, unchanged

GRID = np.linspace(-3.0, 3.0, 25)
GREATEST = {"max", "amax", "min", "amin"}
NEARBY = {"what comes in", "end", "end, 0"}


@dataclass(frozen=True)
class Curve:
    """A part of a circuit that makes `end` of `start`, entry by entry, and of nothing else."""

    start: int
    end: int
    between: tuple[int, ...]


def curves(case: Case) -> list[Curve]:
    """Return the parts of a circuit that work entry by entry, from the shortest to the longest."""
    found = []
    users = case.users
    for start in range(len(case.circuit.steps)):
        region = {start}
        for s, step in enumerate(case.circuit.steps[start + 1 :], start=start + 1):
            if step.parents and all(p in region for p in step.parents) and _entrywise(case, s):
                region.add(s)
                inside = case.circuit.ancestors(s) & region - {start}
                if all({u for u, _ in users[n]} <= inside for n in inside - {s}):
                    found.append(Curve(start, s, tuple(sorted(inside))))
    return found


def _entrywise(case: Case, s: int) -> bool:
    return all(
        case.circuit.slopes((s, k)) is not None for k in range(len(case.circuit.steps[s].parents))
    )


def at_other_values(case: Case, curve: Curve, value: Array) -> Array | None:
    """Return what a curve makes of other values; None if they do not fit."""
    values: dict[int, Array] = {curve.start: value}
    try:
        for s in curve.between:
            step = case.circuit.steps[s]
            values[s] = step.again(*(values[p] for p in step.parents))
    except Exception:  # the user's steps may refuse other values in any way
        return None
    return values[curve.end]


def slopes_at(case: Case, curve: Curve, value: Array) -> Array | None:
    """Return the derivative of a curve at other values, entry by entry."""
    h = 1e-4
    with np.errstate(all="ignore"):
        at = [at_other_values(case, curve, value + t * h) for t in (-2, -1, 1, 2)]
    known = [a for a in at if a is not None and a.shape == value.shape]
    if len(known) < len(at):
        return None
    slopes = four_point_slope(known, h)
    return slopes if np.all(np.isfinite(slopes)) else None


def activations(case: Case) -> Iterator[Suspect]:
    """Yield a derivative left out, or taken at another value than it should be."""
    groups: dict[Any, list[Curve]] = {}
    for curve in curves(case):
        slopes = slopes_at(case, curve, case.value(curve.start))
        if slopes is None or (np.ptp(slopes) < 1e-9 and abs(slopes.flat[0] - 1) < 1e-9):
            continue
        names = tuple(case.circuit.steps[s].name for s in curve.between)
        groups.setdefault(names, []).append(curve)
        yield _missing(case, curve, slopes)
        for rounding in (np.rint, np.trunc, np.floor):
            words = f"in the derivative of {case.place(curve.end)}"
            yield Suspect("integer", words, _with_slopes(case, curve, times(rounding(slopes))), 1.1)
    for group in groups.values():
        known = {how for curve in group for how in _addresses(case, curve)}
        for curve in group:
            yield from _misplaced(case, curve, known)


def choices(case: Case) -> Iterator[Suspect]:
    """Yield one side of a choice taken everywhere, or the greatest of other entries."""
    for s, step in enumerate(case.circuit.steps):
        if step.name == "where":
            for kept in range(len(step.parents)):
                yield _one_side(case, s, kept)
        if step.name in GREATEST and isinstance(step.parameters.get("axis"), int | tuple):
            yield from _other_greatest(case, s)


def _one_side(case: Case, s: int, kept: int) -> Suspect:
    """Return the suspect in which the value of one parent is taken for the whole of a choice."""
    edges = [(s, k) for k in range(len(case.circuit.steps[s].parents))]
    pulls = {edge: case.nothing(edge) for edge in edges} | {edges[kept]: unchanged}
    words = f"of {case.place(s)}, as if it were {case.place(case.circuit.parent(edges[kept]))}"
    return Suspect("activation-missing", words, Change(pulls), 0.8)


def _other_greatest(case: Case, s: int) -> Iterator[Suspect]:
    """Yield a maximum's gradient given to all it was chosen from, or to the greatest elsewhere."""
    step = case.circuit.steps[s]
    x = case.value(step.parents[0])
    own = step.parameters["axis"]
    own = tuple(a % x.ndim for a in (own if isinstance(own, tuple) else (own,)))
    words = case.place(s)
    spread = _handed_to(case, s, own, np.ones_like(x))
    yield Suspect("activation-missing", words, Change({(s, 0): spread}), 0.8)
    extreme = np.max if step.name in ("max", "amax") else np.min
    for axes in {*_sets_of_axes(x.ndim)} - {own}:
        chosen = x == extreme(x, axis=axes, keepdims=True)
        pull = _handed_to(case, s, own, chosen.astype(float))
        yield Suspect("wrong-axis", f"{words}, along axis {axes}", Change({(s, 0): pull}), 0.9)


def _handed_to(case: Case, s: int, axes: tuple[int, ...], mask: Array) -> Pull:
    lengths = [1 if axis in axes else n for axis, n in enumerate(mask.shape)]
    return lambda gradient: gradient.reshape(lengths) * mask


def _sets_of_axes(n: int) -> list[tuple[int, ...]]:
    return [axes for size in range(1, n + 1) for axes in combinations(range(n), size)]


def _missing(case: Case, curve: Curve, slopes: Array) -> Suspect:
    cost = (2.0 if np.ptp(slopes) < 1e-6 else 0.6) + 0.02 * len(curve.between)
    gradients = _with_slopes(case, curve, unchanged)
    return Suspect("activation-missing", f"of {case.place(curve.end)}", gradients, cost)


def _misplaced(case: Case, curve: Curve, known: set[str]) -> Iterator[Suspect]:
    """Yield the slopes of a curve, and its formula in the output, at other values than its own."""
    formula = formula_in_output(case, curve)
    for how, place, value in _other_values(case, curve, known):
        words = f"of {case.place(curve.end)}, taken at {place}"
        cost = 0.9 if how in NEARBY else 1.1
        pulls = {"": _sloped(case, curve, value)}
        if formula is not None:
            pulls["the formula in the output, "] = _by_formula(formula, value)
        for manner, pull in pulls.items():
            gradients = _with_slopes(case, curve, pull)
            yield Suspect(
                "activation-misplaced", words, gradients, cost, how=f"{manner}{how}{len(pulls)}"
            )


def _other_values(
    case: Case, curve: Curve, known: set[str]
) -> Iterator[tuple[str, str, Array | None]]:
    """Yield values a slope may be taken at: how they are found, where; None for what comes in.

    Where a value is known to others like the curve, and has no like here, it is 0: the state before
    the first one.
    """
    shape, addresses = case.value(curve.start).shape, _addresses(case, curve)
    yield "what comes in", "the gradient that comes in", None
    named = {node: how for how, node in addresses.items()}
    for node, step in enumerate(case.circuit.steps):
        if step.value.shape == shape:
            yield named.get(node, str(node)), case.place(node), step.value
    for how in known - addresses.keys():
        yield how, "0", np.zeros(shape)


def _addresses(case: Case, curve: Curve) -> dict[str, int]:
    """Return the steps near a curve that have its shape, by the way there: up or down, and which.

    At two ends of a loop the same way leads to the values of the same role.
    """
    shape, steps = case.value(curve.start).shape, case.circuit.steps
    ways = {"start": curve.start, "end": curve.end}
    found = dict(ways)
    for _ in range(3):
        further: dict[str, int] = {}
        for way, node in ways.items():
            if not way.startswith("end"):
                further |= {f"{way}, {k}": p for k, p in enumerate(steps[node].parents)}
            if not way.startswith("start"):
                further |= {f"{way}, {j}": s for j, (s, _) in enumerate(case.users[node])}
        ways = further
        found |= {way: node for way, node in ways.items() if node not in found.values()}
    return {way: node for way, node in found.items() if case.value(node).shape == shape}


def _sloped(case: Case, curve: Curve, value: Array | None) -> Pull:
    def pull(gradient: Array) -> Array:
        slopes = slopes_at(case, curve, gradient if value is None else value)
        if slopes is None:
            raise ValueError("the function does not take these values")
        return gradient * slopes

    return pull


def _by_formula(formula: Array, value: Array | None) -> Pull:
    return lambda gradient: gradient * np.polyval(formula, gradient if value is None else value)


def formula_in_output(case: Case, curve: Curve) -> Array | None:
    """Return the polynomial of degree 2 that gives a curve's slope from its output, if one does."""
    if curve not in case.formulas:
        case.formulas[curve] = _fitted_formula(case, curve)
    return case.formulas[curve]


def _fitted_formula(case: Case, curve: Curve) -> Array | None:
    shape = case.value(curve.start).shape
    outputs, slopes = [], []
    for t in GRID:
        value = np.full(shape, t)
        output, slope = at_other_values(case, curve, value), slopes_at(case, curve, value)
        if output is None or slope is None or np.ptp(output) > 1e-12:
            return None
        outputs.append(output.flat[0])
        slopes.append(slope.flat[0])
    if not np.all(np.isfinite([outputs, slopes])) or len(np.unique(np.round(outputs, 9))) < 4:
        return None
    formula = np.polyfit(outputs, slopes, 2)
    off = np.abs(np.polyval(formula, outputs) - slopes).max()
    return formula if off < 1e-7 * max(1, np.abs(slopes).max()) else None


def _with_slopes(case: Case, curve: Curve, pull: Pull) -> Change:
    """Return the change of what is passed on between the two ends of a curve."""
    edges = [(s, k) for s in curve.between for k in range(len(case.circuit.steps[s].parents))]
    pulls = {edge: case.nothing(edge) for edge in edges}
    *inner, last = _path(case, curve)
    return Change(pulls | dict.fromkeys(inner, unchanged) | {last: pull})


def _path(case: Case, curve: Curve) -> list[Edge]:
    """Return edges that lead from the end of a curve to its start."""
    path, node = [], curve.end
    while node != curve.start:
        path.append((node, 0))
        node = case.circuit.parent(path[-1])
    return path


def other_axes(case: Case) -> Iterator[Suspect]:
    """Yield a gradient added up along other axes than the value was spread along, or spread so."""
    for edge in case.circuit.edges:
        y, r = case.value(edge[0]), case.value(case.circuit.parent(edge))
        yield from _retaken(case, edge)
        if 0 < r.size < y.size and y.ndim > 1:
            yield from _summed_elsewhere(case, edge)
        elif 0 < y.size < r.size and r.ndim > 1:
            yield from _spread_elsewhere(case, edge)


def _retaken(case: Case, edge: Edge) -> Iterator[Suspect]:
    """Yield the pull of a step that was taken along another axis."""
    step = case.circuit.steps[edge[0]]
    axis = step.parameters.get("axis")
    values = [case.value(p) for p in step.parents]
    n_axes = values[edge[1]].ndim
    for other in range(n_axes) if isinstance(axis, int) else ():
        if isinstance(axis, int) and other == axis % n_axes:
            continue
        try:
            matrix = measured_jacobian(step, values, edge[1], axis=other)
        except Exception:  # a step may not take that axis, and says so in any way
            continue
        if matrix.shape == case.circuit.jacobian(edge).shape:
            where = f"{case.place(edge[0])}, along axis {other}"
            yield Suspect("wrong-axis", where, Change({edge: by(case, edge, matrix)}), 0.8)


def _summed_elsewhere(case: Case, edge: Edge) -> Iterator[Suspect]:
    y, r = case.value(edge[0]), case.value(case.circuit.parent(edge))
    matrix = case.circuit.jacobian(edge)
    if (np.abs(matrix) > 1e-12).sum(axis=1).max() > 1:
        return
    slope = matrix.sum(axis=1).reshape(y.shape)
    for axis in range(y.ndim):
        where = f"{case.place(case.circuit.parent(edge))}: summed along axis {axis}"
        if y.size // y.shape[axis] == r.size:
            pull = _summed(slope, axis, r.shape)
            yield Suspect("wrong-axis", where, Change({edge: pull}), 0.9)
        yield from _statistic_along(case, edge, slope, axis)


def _summed(slope: Array, axis: int, shape: tuple[int, ...]) -> Pull:
    return lambda gradient: (gradient * slope).sum(axis=axis).reshape(shape)


def _spread_elsewhere(case: Case, edge: Edge) -> Iterator[Suspect]:
    """Yield a reduction's gradient handed out along another axis."""
    y, x = case.value(edge[0]), case.value(case.circuit.parent(edge))
    handed = case.circuit.jacobian(edge).sum(axis=0).reshape(x.shape)
    for axis in range(x.ndim):
        if x.size // x.shape[axis] == y.size:
            where = f"{case.place(case.circuit.parent(edge))}: spread along axis {axis}"
            pull = _spread(handed, axis)
            yield Suspect("wrong-axis", where, Change({edge: pull}), 0.9)


def _spread(handed: Array, axis: int) -> Pull:
    lengths = list(handed.shape)
    lengths[axis] = 1
    return lambda gradient: gradient.reshape(lengths) * handed


def _statistic_along(case: Case, edge: Edge, slope: Array, axis: int) -> Iterator[Suspect]:
    """Yield a statistic's share summed, and handed out to what it was made of, along an axis."""
    circuit, node = case.circuit, case.circuit.parent(edge)
    spread = case.value(node)
    while circuit.steps[node].parents:
        step = circuit.steps[node]
        source = step.parents[0]
        handed = circuit.jacobian((node, 0)).sum(axis=0)
        if case.value(source).size == slope.size:
            handed = handed.reshape(slope.shape)
            break
        if len(step.parents) > 1 or case.value(source).size != step.value.size:
            return
        slope = slope * _broadcast(handed.reshape(step.value.shape), spread, slope)
        node = source
    else:
        return
    words = f"{case.place(case.circuit.parent(edge))}: its share summed along axis {axis}"
    own = slope.size // spread.size
    for factor in {1.0, own / slope.shape[axis]}:
        gradients = _with_detour(case, edge, source, slope, handed * factor, axis)
        yield Suspect("wrong-axis", words, gradients, 0.9)


def _broadcast(value: Array, spread: Array, whole: Array) -> Array:
    """Return a statistic's factor in a shape that goes along with what the statistic is used in."""
    try:
        return np.broadcast_to(value.reshape(spread.shape), whole.shape)
    except ValueError:
        return np.ones_like(whole)


def _with_detour(
    case: Case, edge: Edge, source: int, slope: Array, handed: Array, axis: int
) -> Change:
    """Return the leaves' gradients if one statistic's share took another way back to its source."""
    share = (case.totals[edge[0]] * slope).sum(axis=axis, keepdims=True) * handed
    shape = case.value(source).shape
    dropped = {edge: case.nothing(edge)}
    added: dict[int, Pull] = {source: lambda total: total + share.reshape(shape)}
    return Change(dropped, added)

"""Mistakes about functions applied entry by entry, and about axes: more rules for `diagnose`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop_book.arrays import Array
from backprop_book.checker.circuits import Edge, Pull, four_point_slope, measured_jacobian
from backprop_book.checker.mistakes import Case, Gradients, Suspect, by, times, unchanged

GRID = np.linspace(-3.0, 3.0, 25)


@dataclass(frozen=True)
class Curve:
    """A part of a circuit that makes `end` of `start`, entry by entry, and of nothing else."""

    start: int
    end: int
    between: tuple[int, ...]


def curves(case: Case) -> list[Curve]:
    """Return the parts of a circuit that work entry by entry, from the shortest to the longest."""
    found = []
    users = case.circuit.users()
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
    groups: dict[Any, list[tuple[Curve, Array]]] = {}
    for curve in curves(case):
        slopes = slopes_at(case, curve, case.value(curve.start))
        if slopes is None or (np.ptp(slopes) < 1e-9 and abs(slopes.flat[0] - 1) < 1e-9):
            continue
        names = tuple(case.circuit.steps[s].name for s in curve.between)
        groups.setdefault(names, []).append((curve, slopes))
    for group in groups.values():
        for curve, slopes in group:
            yield from _missing(case, [curve], slopes)
            yield from _misplaced(case, curve)
            for how in (np.rint, np.trunc, np.floor):
                gradients = _with_slopes(case, [curve], [how(slopes)])
                yield Suspect(
                    "integer", f"in the derivative of {case.place(curve.end)}", gradients, 1.1
                )
        if len(group) > 1:
            yield from _missing(case, [curve for curve, _ in group], group[0][1])
            yield from _shifted(case, [curve for curve, _ in group])


def _shifted(case: Case, chosen: list[Curve]) -> Iterator[Suspect]:
    """Yield a recurring function's derivative taken at its input, its output or the one before."""
    formula = formula_in_output(case, chosen[0])
    starts = [case.value(curve.start) for curve in chosen]
    ends = [case.value(curve.end) for curve in chosen]
    before = [np.zeros_like(ends[0]), *ends[:-1]]
    words = f"of {case.place(chosen[-1].end)} and of others like it"
    tries: list[list[Array | None]] = []
    for values in (ends, before):
        tries.append([slopes_at(case, c, v) for c, v in zip(chosen, values, strict=True)])
    if formula is not None:
        tries += [[np.polyval(formula, v) for v in values] for values in (starts, before)]
    for slopes in tries:
        fitting = [
            s for s, v in zip(slopes, ends, strict=True) if s is not None and s.shape == v.shape
        ]
        if len(fitting) == len(ends):
            gradients = _with_slopes(case, chosen, fitting)
            yield Suspect("activation-misplaced", words, gradients, 0.8)


def _missing(case: Case, chosen: list[Curve], slopes: Array) -> Iterator[Suspect]:
    straight = np.ptp(slopes) < 1e-6
    names = [case.place(curve.end) for curve in chosen]
    ones = [np.ones_like(case.value(curve.start)) for curve in chosen]
    gradients = _with_slopes(case, chosen, ones)
    cost = (2.0 if straight else 0.6) + 0.02 * len(chosen[0].between)
    yield Suspect("activation-missing", f"of {' and of '.join(names)}", gradients, cost)


def _misplaced(case: Case, curve: Curve) -> Iterator[Suspect]:
    shape = case.value(curve.start).shape
    by_output = formula_in_output(case, curve)
    for node, step in enumerate(case.circuit.steps):
        if step.value.shape != shape:
            continue
        words = f"of {case.place(curve.end)}, taken at {case.place(node)}"
        cost = 0.9 if node in (curve.start, curve.end, curve.end + 1) else 1.1
        if node != curve.start:
            other = slopes_at(case, curve, step.value)
            if other is not None:
                gradients = _with_slopes(case, [curve], [other])
                yield Suspect("activation-misplaced", words, gradients, cost)
        if by_output is not None and node != curve.end:
            with_formula = np.polyval(by_output, step.value)
            gradients = _with_slopes(case, [curve], [with_formula])
            words = (
                f"of {case.place(curve.end)}, its formula in the output fed with {case.place(node)}"
            )
            yield Suspect("activation-misplaced", words, gradients, cost)


def formula_in_output(case: Case, curve: Curve) -> Array | None:
    """Return the polynomial of degree 2 that gives a curve's slope from its output, if one does."""
    shape = case.value(curve.start).shape
    outputs, slopes = [], []
    for t in GRID:
        value = np.full(shape, t)
        output, slope = at_other_values(case, curve, value), slopes_at(case, curve, value)
        if output is None or slope is None or np.ptp(output) > 1e-12:
            return None
        outputs.append(output.flat[0])
        slopes.append(slope.flat[0])
    if not np.all(np.isfinite([outputs, slopes])) or np.ptp(outputs) < 1e-9:
        return None
    formula = np.polyfit(outputs, slopes, 2)
    off = np.abs(np.polyval(formula, outputs) - slopes).max()
    return formula if off < 1e-7 * max(1, np.abs(slopes).max()) else None


def _with_slopes(case: Case, chosen: list[Curve], slopes: list[Array]) -> Gradients:
    """Return the leaves' gradients with other slopes between the two ends of some curves."""
    pulls: dict[Edge, Pull] = {}
    for curve, slope in zip(chosen, slopes, strict=True):
        for s in curve.between:
            for k in range(len(case.circuit.steps[s].parents)):
                pulls[(s, k)] = case.nothing((s, k))
        *inner, last = _path(case, curve)
        pulls |= dict.fromkeys(inner, unchanged)
        pulls[last] = times(slope)
    return case.with_pulls(pulls)


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
            yield Suspect("wrong-axis", where, case.with_pulls({edge: by(case, edge, matrix)}), 0.8)


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
            yield Suspect("wrong-axis", where, case.with_pulls({edge: pull}), 0.9)
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
            yield Suspect("wrong-axis", where, case.with_pulls({edge: pull}), 0.9)


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
) -> Gradients:
    """Return the leaves' gradients if one statistic's share took another way back to its source."""
    share = (case.totals[edge[0]] * slope).sum(axis=axis, keepdims=True) * handed
    shape = case.value(source).shape
    dropped = {edge: case.nothing(edge)}
    added: dict[int, Pull] = {source: lambda total: total + share.reshape(shape)}
    return case.of_leaves(case.circuit.gradients(case.doutput, pulls=dropped, nodes=added))

"""The mistakes that people make in a backward pass, each made on purpose in a traced function.

A rule takes a `Case` and yields suspects: gradients as they would be if the mistake had been made
at some place. Whatever suspect equals the gradient in hand is what `diagnose` names. The rules know
steps (a product, a sum along an axis, a function entry by entry), and no layers.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice
from typing import Any

import numpy as np

from backprop_book.arrays import Array
from backprop_book.checker.circuits import Circuit, Edge, Pull, measured_jacobian
from backprop_book.checker.tracing import Step

Gradients = Sequence[Array]
MANY_PATHS = 150


@dataclass(frozen=True)
class Change:
    """A mistake made on purpose: other pulls at some uses of values, other gradients at steps."""

    pulls: Mapping[Edge, Pull] = field(default_factory=dict)
    nodes: Mapping[int, Pull] = field(default_factory=dict)

    @property
    def sites(self) -> tuple[Edge, ...]:
        """Where it is made: uses of values, and steps as (step, -1)."""
        return (*self.pulls, *((node, -1) for node in self.nodes))


@dataclass(frozen=True)
class Suspect:
    """What the gradients of the leaves would be if a mistake had been made.

    `gradients` are those, or the change that gives them; with a `slope` they are these plus any
    multiple of it, with a `family` what it gives for any number. `cost` is how far fetched the
    mistake is, to choose among suspects that give the same. `how` it is made, in words that hold at
    any place, tells which mistakes are the same one where a loop repeats it.
    """

    kind: str
    words: str
    gradients: Gradients | Change
    cost: float = 1.0
    slope: Gradients | None = None
    family: Callable[[float], Gradients | Change] | None = None
    how: str = ""


@dataclass
class Case:
    """A circuit with the gradient of its output, and what it should give."""

    circuit: Circuit
    names: list[str]
    doutput: Array
    wrong: list[Any]
    right: Gradients = field(default_factory=list)
    totals: Gradients = field(default_factory=list)
    users: dict[int, list[Edge]] = field(default_factory=dict)
    sources: list[set[int]] = field(default_factory=list)
    straight: dict[int, bool] = field(default_factory=dict)
    formulas: dict[Any, Array | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Work out the right gradients."""
        self.totals = self.circuit.gradients(self.doutput)
        self.right = self.of_leaves(self.totals)
        self.users = self.circuit.users()
        for node in range(len(self.circuit.steps)):
            nodes = self.circuit.ancestors(node)
            self.sources.append({i for i, n in enumerate(self.circuit.leaves) if n in nodes})

    def of_leaves(self, totals: Gradients) -> Gradients:
        """Return the gradients of the leaves among those of all steps."""
        return [totals[leaf] for leaf in self.circuit.leaves]

    def changed(self, change: Change) -> Gradients:
        """Return the leaves' gradients if a change were made."""
        return self.of_leaves(self.circuit.changed(self.totals, change.pulls, change.nodes))

    def reached(self, change: Change) -> set[int]:
        """Return the numbers of the leaves whose gradients a change may change."""
        starts = {n if k < 0 else self.circuit.parent((n, k)) for n, k in change.sites}
        return set().union(*(self.sources[start] for start in starts))

    def through(self, edges: Iterable[Edge]) -> Gradients:
        """Return the part of the leaves' gradients that passes through some uses of values."""
        dropped = self.changed(Change({edge: self.nothing(edge) for edge in edges}))
        return [full - rest for full, rest in zip(self.right, dropped, strict=True)]

    def is_straight(self, node: int) -> bool:
        """Tell whether a step is linear in all its parents together."""
        if node not in self.straight:
            step = self.circuit.steps[node]
            values = [self.value(p) for p in step.parents]
            zero, double, minus = (step.again(*(f * v for v in values)) for f in (0, 2, -1))
            sums = (double + zero, 2 * step.value), (minus + step.value, 2 * zero)
            self.straight[node] = all(bool(np.allclose(*each)) for each in sums)
        return self.straight[node]

    def unshared(self) -> "Case | None":
        """Return the case with a step for each use of a result; None if there were too many."""
        paths = self.circuit.paths()[self.circuit.output]
        if len(self.circuit.steps) >= paths or paths > MANY_PATHS:
            return None
        return Case(self.circuit.unshared(), self.names, self.doutput, self.wrong)

    def nothing(self, edge: Edge) -> Pull:
        """Return the pull of a use that is forgotten."""
        shape = self.value(self.circuit.parent(edge)).shape
        return lambda gradient: np.zeros(shape)

    def value(self, node: int) -> Array:
        """Return the value of a step."""
        return self.circuit.steps[node].value

    def place(self, node: int) -> str:
        """Say which step one is, for a reader of the function."""
        step = self.circuit.steps[node]
        if node in self.circuit.leaves:
            return self.names[self.circuit.leaves.index(node)]
        return f"the result of {step.name}, of shape {step.value.shape}"

    def batch_sizes(self) -> set[int]:
        """Return the lengths that a batch may have, or a mean may be over."""
        shapes = [step.value.shape for step in self.circuit.steps]
        lengths = {n for shape in shapes for n in shape[:1]}
        return {*lengths, *(self.value(node).size for node in self.circuit.leaves)} - {1}

    def other_lengths(self) -> set[int]:
        """Return the lengths of all other axes, which a mean may be over too."""
        return {n for step in self.circuit.steps for n in step.value.shape[1:]} - {1}


Rule = Callable[[Case], Iterator[Suspect]]


def scaled_everywhere(case: Case) -> Iterator[Suspect]:
    """Yield a constant factor on all of it, on one leaf, on one step, or on one use of a value."""
    yield _scaled(case, case.right, "all of it", 0.5)
    for i, name in enumerate(case.names):
        alone = [g if i == j else np.zeros_like(g) for j, g in enumerate(case.right)]
        yield _scaled(case, alone, f"the gradient of {name}", 0.6)
    users = case.users
    for node, uses in users.items():
        if uses and node not in case.circuit.leaves:
            part = case.through(uses)
            yield _scaled(case, part, f"the gradient that reaches {case.place(node)}", 1.0)
    for node, uses in users.items():
        for edge in uses if len(uses) > 1 else []:
            words = (
                f"the part of it that comes back to {case.place(node)} from {case.place(edge[0])}"
            )
            yield _scaled(case, case.through([edge]), words, 1.2)
    for edge in case.circuit.edges:
        words = f"what {case.place(edge[0])} passes on to {case.place(case.circuit.parent(edge))}"
        if len(case.circuit.steps[edge[0]].parents) > 1:
            yield _scaled(case, case.through([edge]), words, 1.3)


def _scaled(case: Case, part: Gradients, words: str, cost: float, kind: str = "factor") -> Suspect:
    """Return the suspect in which a part of the gradients has another factor than 1."""
    rest = [g - p for g, p in zip(case.right, part, strict=True)]
    return Suspect(kind, words, rest, cost, part)


def penalties(case: Case) -> Iterator[Suspect]:
    """Yield a penalty's gradient forgotten, doubled or halved: a scalar added to the loss."""
    edges = penalty_edges(case)
    for chosen in [[edge] for edge in edges] + ([edges] if len(edges) > 1 else []):
        where = " and ".join(case.place(case.circuit.parent(edge)) for edge in chosen)
        yield _scaled(case, case.through(chosen), f"the penalty, {where}", 0.3, "regulariser")


def shares_of_penalties(case: Case) -> Iterator[Suspect]:
    """Yield a penalty's gradient forgotten, or scaled, where it meets another at one step."""
    for edge in penalty_edges(case):
        others = case.circuit.changed(case.totals, {edge: case.nothing(edge)}, {})
        for node in sorted(case.circuit.ancestors(case.circuit.parent(edge))):
            share = case.totals[node] - others[node]
            if node not in case.circuit.leaves and np.any(share) and np.any(others[node]):
                part = case.changed(Change(nodes={node: less(share)}))
                part = [full - rest for full, rest in zip(case.right, part, strict=True)]
                words = f"the penalty, in what reaches {case.place(node)}"
                yield _scaled(case, part, words, 0.7, "regulariser")


def summands(case: Case) -> Iterator[Suspect]:
    """Yield one of the scalars that a loss is the sum of forgotten, doubled or halved."""
    for s, step in enumerate(case.circuit.steps):
        if step.value.size == 1 and len(step.parents) > 1 and step.name in ("add", "subtract"):
            for k in range(len(step.parents)):
                words = f"the summand {case.place(step.parents[k])}"
                yield _scaled(case, case.through([(s, k)]), words, 1.2, "regulariser")


def uncalled_for(case: Case) -> Iterator[Suspect]:
    """Yield the gradient of a penalty that the forward does not have, or not on this leaf."""
    for i, leaf in enumerate(case.circuit.leaves):
        for value in (case.value(leaf), np.sign(case.value(leaf))):
            extra = [value if i == j else np.zeros_like(g) for j, g in enumerate(case.right)]
            words = f"a penalty on {case.names[i]} that the function does not have"
            yield Suspect("regulariser", words, case.right, 1.0, extra)


def penalty_edges(case: Case) -> list[Edge]:
    """Return the uses of scalars that are added to another one which depends on more leaves."""
    circuit, found = case.circuit, []
    leaves = set(circuit.leaves)
    for s, step in enumerate(circuit.steps):
        if step.value.size != 1 or len(step.parents) < 2 or step.name not in ("add", "subtract"):
            continue
        sources = [circuit.ancestors(p) & leaves for p in step.parents]
        for k, own in enumerate(sources):
            others = set().union(*(o for j, o in enumerate(sources) if j != k))
            if own < others:
                found.append((s, k))
    return found


def statistics(case: Case) -> Iterator[Suspect]:
    """Yield means, variances and norms treated as constants: all, those of one step, or one use."""
    uses = statistic_edges(case)
    sizes = sorted(range(1, len(uses) + 1), key=lambda n: (1 < n < len(uses), -n))
    groups = (c for n in sizes for c in combinations(uses, n))
    for chosen in islice(groups, 64):
        nodes = sorted({case.circuit.parent(edge) for edge in chosen})
        where = " and ".join(case.place(node) for node in nodes)
        gradients = Change({edge: case.nothing(edge) for edge in chosen})
        yield Suspect("statistics", where, gradients, 0.8)


def statistic_edges(case: Case) -> list[Edge]:
    """Return the uses of a result of a reduction beside a larger array that it was made of."""
    circuit, found = case.circuit, []
    for edge in circuit.edges:
        node, user = circuit.parent(edge), circuit.steps[edge[0]]
        shape = user.value.shape
        spread = shape != case.value(node).shape and shape in map(np.shape, values_of(case, user))
        if spread and _is_reduced(case, node):
            found.append(edge)
    return found


def values_of(case: Case, step: Step) -> list[Array]:
    """Return the values that a step was made of."""
    return [case.value(p) for p in step.parents]


def _is_reduced(case: Case, node: int) -> bool:
    """Tell whether a step's value is a reduction, or follows entry by entry from one."""
    step = case.circuit.steps[node]
    while step.parents:
        sizes = [case.value(p).size for p in step.parents]
        if step.value.size < max(sizes) and step.name != "getitem":
            return True
        if len(step.parents) > 1 or step.value.size != sizes[0]:
            return False
        step = case.circuit.steps[step.parents[0]]
    return False


def forgotten(case: Case) -> Iterator[Suspect]:
    """Yield one use of a value forgotten, one kept alone, or the last or first for each entry."""
    for node, uses in case.users.items():
        if len(uses) > 1:
            yield from _one_use_lost(case, case.place(node), uses)
            yield from _one_use_kept(case, case.place(node), uses)
    for edge in (e for e in case.circuit.edges if case.circuit.slopes(e) is None):
        for order, which in ((-1, "last"), (0, "first")):
            matrix = _one_row_for_each_column(case.circuit.jacobian(edge), order)
            if matrix is not None:
                gradients = Change({edge: by(case, edge, matrix)})
                words = _alone(case.place(case.circuit.parent(edge)), which)
                yield Suspect("overwritten", words, gradients, 0.8)


def _alone(place: str, which: str) -> str:
    return f"{place}: of several uses of an entry the {which} one alone counts"


def _one_use_lost(case: Case, place: str, uses: list[Edge]) -> Iterator[Suspect]:
    for edge in uses:
        step = case.place(edge[0])
        dropped = Change({edge: case.nothing(edge)})
        yield Suspect("overwritten", f"{place}: its use in {step} is lost", dropped, 0.9)
        if _picks_one_of_each_row(case, edge):
            yield Suspect("one-hot-missing", f"{step}, of {place}", dropped, 0.92)
        words = f"{place}: its use in {step} is taken for a constant"
        yield Suspect("detached", words, dropped, 0.95)


def _picks_one_of_each_row(case: Case, edge: Edge) -> bool:
    """Tell whether a use takes one entry of each row, as a label does."""
    picked, rows = case.value(edge[0]), case.value(case.circuit.parent(edge))
    if case.circuit.steps[edge[0]].name != "getitem" or rows.ndim != 2:
        return False
    counts = np.count_nonzero(case.circuit.jacobian(edge), axis=0).reshape(rows.shape)
    return bool(picked.shape == rows.shape[:1] and np.all(counts.sum(axis=1) == 1))


def _one_use_kept(case: Case, place: str, uses: list[Edge]) -> Iterator[Suspect]:
    for edge in uses:
        kept = Change({e: case.nothing(e) for e in uses if e != edge})
        words = f"{place}: its use in {case.place(edge[0])} alone counts"
        yield Suspect("overwritten", words, kept, 1.0)
        if 2 < len(uses) in case.batch_sizes():
            words = f"{place}: one of {len(uses)} uses alone counts"
            yield Suspect("one-example", words, kept, 1.1)
    for order, which in ((-1, "last"), (0, "first")):
        for pulls in _one_use_for_each_entry(case, uses, order):
            yield Suspect("overwritten", _alone(place, which), Change(pulls), 0.9)


def _one_use_for_each_entry(case: Case, uses: list[Edge], order: int) -> Iterator[dict[Edge, Pull]]:
    """Yield pulls where one use of each entry counts: with all it gives, its last or its first."""
    touched = np.array([np.abs(case.circuit.jacobian(edge)).max(axis=0) > 0 for edge in uses])
    ranks = np.where(touched, np.arange(len(uses))[:, None], -1 if order else len(uses))
    chosen = ranks.max(axis=0) if order else ranks.min(axis=0)
    for row in (None, -1, 0):
        pulls = {}
        for j, edge in enumerate(uses):
            matrix = case.circuit.jacobian(edge)
            single = None if row is None else _one_row_for_each_column(matrix, row)
            pulls[edge] = by(case, edge, (matrix if single is None else single) * (chosen == j))
        yield pulls


def _one_row_for_each_column(jacobian: Array, order: int) -> Array | None:
    """Return a matrix that keeps the last (or first) nonzero of each column; None if it has one."""
    nonzero = jacobian != 0
    if jacobian.size == 0 or nonzero.sum(axis=0).max() < 2:
        return None
    kept = np.zeros_like(jacobian)
    for column in np.flatnonzero(nonzero.any(axis=0)):
        row = np.flatnonzero(nonzero[:, column])[order]
        kept[row, column] = jacobian[row, column]
    return kept


def by(case: Case, edge: Edge, matrix: Array) -> Pull:
    """Return the pull that multiplies by another Jacobian."""
    shape = case.value(case.circuit.parent(edge)).shape
    return lambda gradient: (np.ravel(gradient) @ matrix).reshape(shape)


def at_values(case: Case, edge: Edge, values: list[Array]) -> Pull:
    """Return the pull of a step that is taken at other values of its parents."""

    def pull(gradient: Array) -> Array:
        matrix = measured_jacobian(case.circuit.steps[edge[0]], values, edge[1])
        return by(case, edge, matrix)(gradient)

    return pull


def one_example(case: Case) -> Iterator[Suspect]:
    """Yield a gradient to which one row (or column, or layer) of an array alone contributed."""
    for edge in case.circuit.edges:
        parent = case.circuit.parent(edge)
        cost = 1.0 if parent in case.circuit.leaves else 1.4
        for words, alone in _parts_alone(case.value(edge[0])):
            pulls = {edge: _of_part(case, edge, alone)}
            where = f"{case.place(parent)}: {words} alone counts"
            yield Suspect("one-example", where, Change(pulls), cost)
    for node in range(len(case.circuit.steps)):
        for words, alone in _parts_alone(case.value(node)):
            where = f"{words} alone counts, at {case.place(node)}"
            yield Suspect("one-example", where, Change(nodes={node: alone}), 1.2)


def _parts_alone(value: Array) -> Iterator[tuple[str, Pull]]:
    """Yield functions that keep the first or last part of a gradient along one axis."""
    for axis in range(min(value.ndim, 3)):
        for part in {0, value.shape[axis] - 1} if value.shape[axis] > 1 else ():
            words = f"row {part}" if axis == 0 else f"part {part} along axis {axis}"
            yield words, _part_alone(axis, part)


def _of_part(case: Case, edge: Edge, alone: Pull) -> Pull:
    return lambda gradient: case.circuit.pull(edge, alone(gradient))


def _part_alone(axis: int, part: int) -> Pull:
    def alone(gradient: Array) -> Array:
        kept = np.zeros_like(gradient)
        index = (slice(None),) * axis + (part,)
        kept[index] = gradient[index]
        return kept

    return alone


def transposed(case: Case) -> Iterator[Suspect]:
    """Yield gradients of square matrices transposed, or the other factor of a product."""
    for node, step in enumerate(case.circuit.steps):
        if _is_square(step.value):
            words = f"the gradient of {case.place(node)}"
            yield Suspect("transposed", words, Change(nodes={node: _flipped}), 0.7)
    for edge in case.circuit.edges:
        if _is_square(case.value(edge[0])):
            words = f"what {case.place(edge[0])} passes on"
            gradients = Change({edge: _first(case, edge, _flipped)})
            yield Suspect("transposed", words, gradients, 0.8)
    for edge, other, values in _factors(case):
        if _is_square(values[other]):
            flipped = _flipped(values[other])
            yield _other_factor(case, edge, other, values, flipped, "transposed", "", 0.7)


def _is_square(value: Array) -> bool:
    return value.ndim >= 2 and bool(value.shape[-1] == value.shape[-2] > 1)


def _flipped(matrices: Array) -> Array:
    return np.swapaxes(matrices, -1, -2)


def _factors(case: Case) -> Iterator[tuple[Edge, int, list[Array]]]:
    """Yield the uses of a value beside another one, the other's number, and all the values."""
    for s, step in enumerate(case.circuit.steps):
        values = [case.value(p) for p in step.parents]
        for k in range(len(step.parents)):
            for j in range(len(step.parents)):
                if j != k:
                    yield (s, k), j, values


def _replaced(values: list[Array], j: int, value: Array) -> list[Array]:
    return [value if i == j else v for i, v in enumerate(values)]


def _other_factor(
    case: Case,
    edge: Edge,
    j: int,
    values: list[Array],
    value: Array,
    kind: str,
    how: str,
    cost: float,
) -> Suspect:
    step = case.circuit.steps[edge[0]]
    gradients = Change({edge: at_values(case, edge, _replaced(values, j, value))})
    parent, other = case.circuit.parent(edge), step.parents[j]
    words = f"{case.place(other)}, where the gradient of {case.place(parent)} is taken with it{how}"
    return Suspect(kind, words, gradients, cost)


def swapped(case: Case) -> Iterator[Suspect]:
    """Yield the gradients of the two factors of a product exchanged."""
    for s, step in enumerate(case.circuit.steps):
        for k, j in combinations(range(len(step.parents)), 2):
            if case.value(step.parents[k]).shape == case.value(step.parents[j]).shape:
                yield _exchanged(case, (s, k), (s, j))
                yield from _roles(case, (s, k), (s, j))
            elif len(step.parents) == 2 and not case.is_straight(s):
                yield from _own_factors(case, s)


def exchanged_leaves(case: Case) -> Iterator[Suspect]:
    """Yield the gradients of leaves, all those that are another's: two exchanged, or more."""
    pairs = {i: j for i in range(len(case.names)) for j in _others_of(case, i)[:1]}
    words = ", ".join(f"{case.names[i]} has that of {case.names[j]}" for i, j in pairs.items())
    if pairs:
        gradients = [case.right[pairs.get(i, i)] for i in range(len(case.names))]
        mutual = all(pairs.get(j) == i for i, j in pairs.items())
        yield Suspect("swapped", words, gradients, 0.5 if mutual else 0.8)


def _others_of(case: Case, leaf: int) -> list[int]:
    """Return the leaves whose right gradient a leaf was given in the place of its own."""
    wrong = case.wrong[leaf]
    if wrong is None or _alike(wrong, case.right[leaf]):
        return []
    return [j for j, right in enumerate(case.right) if j != leaf and _alike(wrong, right)]


def _alike(a: Array, b: Array) -> bool:
    close = a.shape == b.shape and np.allclose(a, b, rtol=1e-6, atol=1e-9 * np.abs(b).max())
    return bool(close)


def _own_factors(case: Case, s: int) -> Iterator[Suspect]:
    """Yield a product whose factors, of two shapes, have themselves in their gradients."""
    values = [case.value(p) for p in case.circuit.steps[s].parents]
    try:
        shape = np.broadcast_shapes(*(value.shape for value in values))
    except ValueError:
        return
    pulls = {}
    for k, own in enumerate(values):
        others = _replaced([np.broadcast_to(own, shape)] * 2, k, own)
        pulls[(s, k)] = at_values(case, (s, k), others)
    words = f"the two factors of {case.place(s)}"
    for chosen in (pulls, *({edge: pull} for edge, pull in pulls.items())):
        yield Suspect("swapped", words, Change(chosen), 1.0)


def _exchanged(case: Case, one: Edge, other: Edge) -> Suspect:
    pulls = {one: lambda g: case.circuit.pull(other, g), other: lambda g: case.circuit.pull(one, g)}
    places = [case.place(case.circuit.parent(edge)) for edge in (one, other)]
    return Suspect("swapped", f"{places[0]} and {places[1]}", Change(pulls), 0.9)


def _pulling(case: Case, edge: Edge) -> Pull:
    return lambda gradient: case.circuit.pull(edge, gradient)


def _roles(case: Case, one: Edge, other: Edge) -> Iterator[Suspect]:
    for mine, its in ((one, other), (other, one)):
        gradients = Change({mine: _pulling(case, its)})
        words = f"{case.place(case.circuit.parent(mine))} in the role of the other"
        yield Suspect("swapped", words, gradients, 1.1)


def rounded(case: Case) -> Iterator[Suspect]:
    """Yield integer arithmetic: a gradient, a slope or a factor without what follows the point."""
    hows: list[Callable[..., Any]] = [np.trunc, np.floor, np.rint]
    if case.doutput.size == 1:
        hows += [_apart_from(float(case.doutput.flat[0]), how) for how in hows]
    for how in hows:
        for node in range(len(case.circuit.steps)):
            words = f"at the gradient of {case.place(node)}"
            yield Suspect("integer", words, Change(nodes={node: how}), 1.2)
        for edge in case.circuit.edges:
            words = f"at what {case.place(edge[0])} passes on"
            matrix = how(case.circuit.jacobian(edge))
            yield Suspect("integer", words, Change({edge: by(case, edge, matrix)}), 1.3)
            before = _first(case, edge, how)
            yield Suspect("integer", words, Change({edge: before}), 1.2)
            pull = _then(case, edge, how)
            yield Suspect("integer", words, Change({edge: pull}), 1.2)
        for edge, j, values in _factors(case):
            yield _other_factor(
                case, edge, j, values, how(values[j]), "integer", " as whole numbers", 1.2
            )


def _apart_from(factor: float, how: Callable[..., Any]) -> Callable[..., Any]:
    return lambda gradient: factor * how(gradient / factor)


def _first(case: Case, edge: Edge, how: Callable[[Array], Array]) -> Pull:
    return lambda gradient: case.circuit.pull(edge, how(gradient))


def _then(case: Case, edge: Edge, how: Callable[[Array], Array]) -> Pull:
    return lambda gradient: how(case.circuit.pull(edge, gradient))


def upstream(case: Case) -> Iterator[Suspect]:
    """Yield the gradient that was passed in ignored, as if it were 1, everywhere or at a step."""
    ones = np.ones_like(case.doutput, dtype=float)
    gradients = case.of_leaves(case.circuit.gradients(ones))
    yield Suspect("upstream", "doutput", gradients, 0.4)
    for node in range(len(case.circuit.steps)):
        change = Change(nodes={node: np.ones_like})
        yield Suspect("upstream", f"what reaches {case.place(node)}", change, 1.2)
    yield from _ignored_on_a_way(case)
    for edge in case.circuit.edges:
        pull = _pulled_from_ones(case, edge)
        words = (
            f"in what {case.place(edge[0])} passes on to {case.place(case.circuit.parent(edge))}"
        )
        yield Suspect("upstream", words, Change({edge: pull}), 1.1)


def _ignored_on_a_way(case: Case) -> Iterator[Suspect]:
    """Yield the part of the gradients that passes through one use as it is for a gradient of 1."""
    ones = Case(case.circuit, case.names, np.ones_like(case.doutput, dtype=float), case.wrong)
    for edge in case.circuit.edges:
        parent = case.circuit.parent(edge)
        if len(case.users[parent]) > 1:
            share = case.circuit.pull(edge, ones.totals[edge[0]])
            words = f"in what comes back to {case.place(parent)} from {case.place(edge[0])}"
            yield Suspect("upstream", words, Change({edge: always(share)}), 1.0)


def _pulled_from_ones(case: Case, edge: Edge) -> Pull:
    return lambda gradient: case.circuit.pull(edge, np.ones_like(gradient))


def masks(case: Case) -> Iterator[Suspect]:
    """Yield a constant mask, its scale or both forgotten."""
    for edge in mask_edges(case):
        slopes = case.circuit.jacobian(edge).diagonal().reshape(case.value(edge[0]).shape)
        scale, mask = float(np.abs(slopes).max()), np.where(np.abs(slopes) < 1e-9, 0.0, 1.0)
        parent = case.circuit.parent(edge)
        gate = np.array_equal(mask, case.value(parent) > 0)
        kind, cost = ("activation-missing", 1.0) if gate else ("dropout", 0.5)
        scales: dict[Edge, Pull] = dict.fromkeys(_scale_edges(case, edge), unchanged)
        for how, pull, others in (
            ("mask and scale", unchanged, scales),
            ("mask", times(np.broadcast_to(scale, slopes.shape)), {}),
            ("scale", times(mask), scales),
        ):
            pulls = {**others, edge: pull}
            words = f"the {how} on {case.place(parent)}"
            yield Suspect(kind, words, Change(pulls), cost)


def unchanged(gradient: Array) -> Array:
    """Pass a gradient on as it is."""
    return gradient


def mask_edges(case: Case) -> list[Edge]:
    """Return the uses of values that are multiplied by 0 here and by one other number there."""
    found = []
    for edge in case.circuit.edges:
        slopes = case.circuit.slopes(edge)
        if slopes is None or not np.any(np.abs(slopes) < 1e-9) or not _is_linear(case, edge):
            continue
        sizes = np.abs(slopes[np.abs(slopes) > 1e-9])
        if sizes.size and np.ptp(sizes) < 1e-6:
            found.append(edge)
    return found


def _scale_edges(case: Case, mask: Edge) -> list[Edge]:
    """Return the uses near a mask that multiply by one number: up to two steps before and after."""
    users, parents = case.users, case.circuit.steps
    after = list(users[mask[0]])
    after += [edge for use in after for edge in users[use[0]]]
    node = case.circuit.parent(mask)
    before = [(node, k) for k in range(len(parents[node].parents))]
    before += [(p, k) for p in parents[node].parents for k in range(len(parents[p].parents))]
    found = []
    for edge in [*before, *after]:
        slopes = case.circuit.slopes(edge)
        if slopes is not None and np.ptp(slopes) < 1e-7 and abs(slopes.flat[0] - 1) > 1e-6:
            found.append(edge)
    return found


def always(gradient: Array) -> Pull:
    """Return the pull that gives the same whatever comes."""
    return lambda _: gradient


def less(share: Array) -> Pull:
    """Return the pull that takes something off."""
    return lambda gradient: gradient - share


def times(factor: Array) -> Pull:
    """Return the pull that multiplies a gradient, entry by entry."""
    return lambda gradient: gradient * factor


def _is_linear(case: Case, edge: Edge) -> bool:
    step = case.circuit.steps[edge[0]]
    values = [case.value(p) for p in step.parents]
    mirrored = step.again(*_replaced(values, edge[1], -values[edge[1]]))
    return bool(np.allclose(mirrored, -step.value))

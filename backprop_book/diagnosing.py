"""What is wrong with a gradient: the mistake by name, and where to look."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backprop_book.arrays import Array
from backprop_book.checker import curves, mistakes, normalising, substitutions
from backprop_book.checker.circuits import LARGEST, Circuit, Edge
from backprop_book.checker.mistakes import Case, Change, Gradients, Suspect
from backprop_book.checker.probing import Probe, probe
from backprop_book.checker.recurring import Recurrences
from backprop_book.checker.slopes import quick_slope
from backprop_book.checker.tracing import Step, trace
from backprop_book.checking import GradientCheck, report

RULES: tuple[mistakes.Rule, ...] = (
    mistakes.scaled_everywhere,
    mistakes.penalties,
    mistakes.shares_of_penalties,
    mistakes.summands,
    mistakes.uncalled_for,
    mistakes.statistics,
    mistakes.forgotten,
    mistakes.one_example,
    mistakes.transposed,
    mistakes.exchanged_leaves,
    mistakes.swapped,
    mistakes.upstream,
    mistakes.masks,
    curves.activations,
    curves.choices,
    curves.other_axes,
    normalising.softmaxes,
    normalising.labels,
    substitutions.updated_values,
    substitutions.transposed_values,
    substitutions.softmaxed_values,
    substitutions.exchanged_gradients,
)

LAST_RESORTS: tuple[mistakes.Rule, ...] = (
    substitutions.one_part_for_all,
    normalising.normalised,
    mistakes.rounded,
    substitutions.rounded_values,
    substitutions.exchanged_values,
)
"""Rules that take long, and are asked only if the others find nothing that is near at hand."""

FIRST_RULES: tuple[mistakes.Rule, ...] = (mistakes.scaled_everywhere, mistakes.exchanged_leaves)
"""The rules for inputs of more than MANY_ENTRIES, where the others would take too long."""

MANY_ENTRIES = 2000
MANY_STEPS = 400
DIRECTIONS = 5
SAMPLE = 200
CHECKED_EACH = 300
NEAR = 0.95

WORDS = {
    "sign": "the sign is wrong: look for target - prediction, or a minus that got lost",
    "factor": "a constant factor is wrong: look for the 2 of a square, or a half counted twice",
    "batch": "a mean is taken for a sum, or the other way round, or N is divided by twice",
    "transposed": "a matrix is used as it is where it should be transposed, or the other way round",
    "swapped": "two gradients, or the two factors of a product, are exchanged",
    "activation-missing": "the derivative of a function is left out: the gradient passes as it is",
    "activation-misplaced": "a derivative is taken at the wrong value",
    "not-summed": "the gradient is not summed over an axis along which the input was spread",
    "one-example": "one example alone is counted",
    "overwritten": "a value is used several times, and one use overwrites another: add them up",
    "updated-weights": "weights are used after their update: take all gradients first, then update",
    "softmax-twice": "softmax is applied to what is softmax already, or not at all",
    "one-hot-missing": "the one-hot label is not subtracted: p instead of p - y",
    "wrong-axis": "a sum or a softmax is taken along the wrong axis",
    "regulariser": "a penalty's gradient is forgotten, counted twice, or has a wrong factor",
    "detached": "a branch is cut off, as if it were a constant",
    "dropout": "the mask of dropout, or its scale, is forgotten",
    "statistics": "a mean, variance or norm is treated as a constant; it depends on the input too",
    "integer": "whole numbers are computed with where fractions are needed: //, int or bool",
    "precision": "digits are lost: float32 or float16 somewhere, or a difference for a derivative",
    "upstream": "the gradient that backward is given is ignored, as if it were 1",
}
"""What each kind of mistake is, and what to look for."""


@dataclass(frozen=True)
class Finding:
    """A mistake by its kind, in words, and where it is.

    >>> print(Finding("sign", "the sign is wrong", "the gradient of x"))
    the sign is wrong [sign]
      where: the gradient of x
    """

    kind: str
    words: str
    where: str

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.words} [{self.kind}]" + (f"\n  where: {self.where}" if self.where else "")


@dataclass(frozen=True)
class Diagnosis:
    """The likely mistakes in a gradient, the likeliest first, and what its error looks like.

    `passed` tells whether the gradient is right; then there are no mistakes. `structure` describes
    the error of each input where no mistake is named, and `problems` are those of `check_gradient`.
    Printed it says all of this in words.

    >>> Diagnosis(passed=True, mistakes=(), structure=(), problems=())
    the gradient is right: there is nothing to diagnose
    """

    passed: bool
    mistakes: tuple[Finding, ...]
    structure: tuple[str, ...]
    problems: tuple[str, ...]

    def __str__(self) -> str:
        """Say what is likely wrong, in words."""
        if self.passed:
            return "the gradient is right: there is nothing to diagnose"
        lines = [f"! {problem}" for problem in self.problems]
        if self.mistakes:
            first, *others = self.mistakes
            lines += [f"likely: {first}", *(f"or else: {other}" for other in others)]
        else:
            lines.append("no mistake that is known here gives this gradient; its error looks so:")
        return "\n".join([*lines, *self.structure])

    __repr__ = __str__


def diagnose(
    function: Callable[..., Any],
    *inputs: Any,
    backward: Callable[..., Any] | None = None,
    wrt: int | str | Sequence[int | str] | None = None,
    rng: np.random.Generator | None = None,
) -> Diagnosis:
    """Name the likely mistake in a wrong gradient, and say where to look for it.

    It is called as `check_gradient` is. The function is run once on arrays that record what is done
    with them, the derivative of each step is measured, and then one mistake after another is made
    on purpose in the backward pass of these steps: a sign, a factor, a use of a value forgotten, a
    derivative left out or taken elsewhere, a matrix not transposed, an axis not summed, and so on;
    at one place, at all that are alike, as in a loop, and in one of several terms alone. A mistake
    that gives the gradient in hand is named; where several do, the two likeliest. Where
    none does, the structure of the error is shown: which inputs, which rows and columns, which
    ratio. A function whose steps cannot be recorded (no NumPy, or too many entries) is taken as one
    step. Of inputs with more than 2,000 entries a sample is looked at, for a factor and for two
    that are exchanged. Small inputs, of unequal lengths, tell most.

    Raises as `check_gradient` does.

    >>> def square(x):
    ...     return x**2, lambda doutput: doutput * x
    >>> diagnose(square, np.array([3.0, 5.0, 8.0]))
    likely: a constant factor is wrong: look for the 2 of a square, or a half counted twice [factor]
      where: all of it is 1/2 times what it should be
    """
    rng = np.random.default_rng(0) if rng is None else rng
    found = probe(function, inputs, backward, wrt, rng)
    checked = _checked(found, rng)
    if checked.passed or not checked.inputs:
        return Diagnosis(checked.passed, (), (), checked.problems)
    with np.errstate(all="ignore"):
        case = _case(found)
        named = _named(found, case)
    structure = () if named else tuple(_structure(case))
    return Diagnosis(False, tuple(named), structure, checked.problems)


def _checked(found: Probe, rng: np.random.Generator) -> GradientCheck:
    """Return the check of each entry, but of many entries along a few directions if that will do.

    To measure each of many wrong entries with care would take minutes.
    """
    many = sum(leaf.size for leaf in found.leaves) > CHECKED_EACH and not found.spoiled
    sampled = report(found, DIRECTIONS, rng) if many else None
    return report(found, None, rng) if sampled is None or sampled.passed else sampled


def _has_many(found: Probe) -> bool:
    return sum(leaf.size for leaf in found.leaves) > MANY_ENTRIES


def _case(found: Probe) -> Case:
    """Return the function as a circuit: as it was traced, or as one step if that fails."""
    for live in (True, False):
        case = _traced(found, live)
        if case is not None:
            return case
    single = _one_step(found)
    if single.size() > LARGEST:
        return _weighed(found)
    return Case(single, found.names, np.asarray(found.doutput), _raw(found))


def _traced(found: Probe, live: bool) -> Case | None:
    """Return the function as it was traced, or None where that cannot be or is not right."""
    traced = trace(found.function, found.inputs, found.wanted, live)
    circuit = Circuit(*traced) if traced is not None else None
    if circuit is None or circuit.size() > LARGEST or len(circuit.steps) > MANY_STEPS:
        return None
    case = Case(circuit, found.names, np.asarray(found.doutput), _raw(found))
    return case if _agrees(found, case) else None


def _agrees(found: Probe, case: Case) -> bool:
    """Tell whether a circuit's gradient is the slope of the function along a random direction."""
    rng = np.random.default_rng(2)
    for _ in range(2):
        direction = [rng.normal(size=leaf.shape) for leaf in found.leaves]
        measured, _ = quick_slope(found.along(direction), 1.0)
        claimed = sum(float((g * d).sum()) for g, d in zip(case.right, direction, strict=True))
        if abs(measured - claimed) > 1e-4 * (1 + abs(measured)):
            return False
    return True


def _one_step(found: Probe) -> Circuit:
    def call(*leaves: Any) -> Any:
        output, _ = found.function(*found.with_leaves(leaves))
        return output

    return _single(found.leaves, np.array(found.output, dtype=float), call)


def _single(values: list[Array], output: Array, call: Callable[..., Any]) -> Circuit:
    leaves = [Step("input", (), np.array(value, dtype=float)) for value in values]
    numbers = tuple(range(len(leaves)))
    step = Step("the function", numbers, output, call)
    return Circuit([*leaves, step], list(numbers), len(leaves))


def _weighed(found: Probe) -> Case:
    """Return the function as one step from some of its entries to a single number.

    For inputs too large for a Jacobian; inputs of one shape are looked at in the same places.
    """
    whole = found.leaves
    picked = [np.linspace(0, leaf.size - 1, min(leaf.size, SAMPLE)).astype(int) for leaf in whole]

    def call(*parts: Array) -> Array:
        leaves = [leaf.copy() for leaf in whole]
        for leaf, places, part in zip(leaves, picked, parts, strict=True):
            leaf.flat[places] = part
        return np.array(found.value(leaves))

    parts = [leaf.flat[places] for leaf, places in zip(whole, picked, strict=True)]
    wrong = [
        g.flat[places] if g is not None and g.shape == leaf.shape else None
        for g, leaf, places in zip(_raw(found), whole, picked, strict=True)
    ]
    names = [f"{name} (some of its entries)" for name in found.names]
    circuit = _single(parts, np.array(found.value(whole)), call)
    return Case(circuit, names, np.array(1.0), wrong)


def _raw(found: Probe) -> list[Array | None]:
    """Return the gradients as they came, whatever their shapes; None for what is no array."""
    raw = []
    for gradient in found.returned:
        array = None if gradient is None else np.asarray(gradient)
        usable = array is not None and array.dtype.kind in "fiub" and np.isfinite(array).all()
        raw.append(array.astype(float) if array is not None and usable else None)
    return raw


def _named(found: Probe, case: Case) -> list[Finding]:
    shapes = _shapes_alone(found) if _has_many(found) else _shape_suspects(case)
    suspects = [*shapes, *_matching(found, case)]
    best: dict[str, tuple[float, Finding]] = {}
    for cost, finding in sorted(suspects, key=lambda each: each[0]):
        best.setdefault(finding.kind, (cost, finding))
    ranked = sorted(best.values(), key=lambda each: each[0])
    return [finding for _, finding in ranked[:2]]


def _shapes_alone(found: Probe) -> Iterator[tuple[float, Finding]]:
    """Yield what the shapes of the gradients say of large inputs, whose values take too long."""
    for name, wrong, leaf in zip(found.names, _raw(found), found.leaves, strict=True):
        if wrong is not None and wrong.shape != leaf.shape:
            kind = "transposed" if wrong.shape == leaf.shape[::-1] else "not-summed"
            where = f"the gradient of {name} has shape {wrong.shape}, and should have {leaf.shape}"
            yield 0.5, Finding(kind, WORDS[kind], where)


def _shape_suspects(case: Case) -> Iterator[tuple[float, Finding]]:
    """Yield what the shape of a gradient says that does not fit its input."""
    for i, (name, wrong, right) in enumerate(zip(case.names, case.wrong, case.right, strict=True)):
        if wrong is None or wrong.shape == right.shape:
            continue
        if wrong.shape == right.shape[::-1] and _close(wrong.T, right):
            yield 0.1, Finding("transposed", WORDS["transposed"], f"the gradient of {name}")
        for j, other in enumerate(case.right):
            if j != i and wrong.shape == other.shape and _close(wrong, other):
                where = f"{name} has the gradient of {case.names[j]}"
                yield 0.2, Finding("swapped", WORDS["swapped"], where)
        if wrong.size == right.size and _close(wrong.reshape(right.shape), right):
            where = f"the gradient of {name} has shape {wrong.shape}, and should have {right.shape}"
            yield 0.4, Finding("not-summed", WORDS["not-summed"], where)
        for axes in _axes(wrong.ndim):
            summed = wrong.sum(axis=axes)
            if summed.size == right.size and _close(summed.reshape(right.shape), right):
                where = f"the gradient of {name}, over axis {', '.join(map(str, axes))}"
                yield 0.3, Finding("not-summed", WORDS["not-summed"], where)
        yield from _other_axis(case, i, wrong)
        if wrong.ndim > right.ndim or wrong.size > right.size:
            where = f"the gradient of {name} has shape {wrong.shape}, and should have {right.shape}"
            yield 5.0, Finding("not-summed", WORDS["not-summed"], where)


def _other_axis(case: Case, leaf: int, wrong: Array) -> Iterator[tuple[float, Finding]]:
    for edge in _spreading(case, case.circuit.leaves[leaf]):
        gradient = _entry_by_entry(case, edge)
        for axes in _axes(gradient.ndim):
            summed = gradient.sum(axis=axes)
            if summed.size == wrong.size and _close(summed.reshape(wrong.shape), wrong):
                over = ", ".join(map(str, axes))
                where = f"the gradient of {case.names[leaf]}, summed over axis {over}"
                yield 0.35, Finding("wrong-axis", WORDS["wrong-axis"], where)


def _spreading(case: Case, node: int) -> Iterator[Edge]:
    """Yield the uses of a value, and of what it became by another shape alone."""
    for s, k in case.users[node]:
        yield s, k
        if len(case.circuit.steps[s].parents) == 1 and case.value(s).size == case.value(node).size:
            yield from _spreading(case, s)


def _entry_by_entry(case: Case, edge: tuple[int, int]) -> Array:
    """Return what each entry of a step has to pass on, before anything is summed."""
    matrix = case.circuit.jacobian(edge)
    gradient = case.totals[edge[0]]
    if (np.abs(matrix) > 1e-12).sum(axis=1).max() > 1:
        return gradient
    slopes: Array = matrix.sum(axis=1).reshape(gradient.shape)
    return gradient * slopes


def _axes(n: int) -> list[tuple[int, ...]]:
    single: list[tuple[int, ...]] = [(i,) for i in range(n)]
    return single + [(i, j) for i in range(n) for j in range(i + 1, n)]


def _close(a: Array, b: Array) -> bool:
    return bool(np.allclose(a, b, rtol=1e-6, atol=1e-9 * max(1e-30, np.abs(b).max())))


def _matching(found: Probe, case: Case) -> Iterator[tuple[float, Finding]]:
    """Yield, with their costs, the suspects that give the gradient in hand."""
    usable = [
        i for i, w in enumerate(case.wrong) if w is not None and w.shape == case.right[i].shape
    ]
    off = [i for i in usable if not _equal(case.wrong[i], case.right[i], case.right[i])]
    if not off and len(usable) == len(case.wrong):
        yield 1.0, Finding("precision", WORDS["precision"], "")
    elif off and not any(np.any(case.wrong[i]) for i in off):
        names = ", ".join(case.names[i] for i in off)
        yield 0.1, Finding("detached", WORDS["detached"], f"the gradient of {names} is 0")
        yield 0.2, Finding("integer", WORDS["integer"], f"the gradient of {names} may be cut to 0")
    elif off:
        yield from _answers(found, case, off, usable)


def _answers(
    found: Probe, case: Case, off: list[int], usable: list[int]
) -> Iterator[tuple[float, Finding]]:
    """Yield what the rules find, until they have found something that is near at hand."""
    kinds: dict[str, float] = {}
    for version, rule in _questions(found, case):
        if rule in LAST_RESORTS and (len(kinds) > 1 or min(kinds.values(), default=1) < NEAR):
            break
        if version is not case and kinds:
            break
        for suspect in _suspects(rule, version, off):
            extra, factor = _fit(version, suspect, off, usable)
            for cost, finding in _reading(version, suspect, extra, factor):
                kinds[finding.kind] = min(cost, kinds.get(finding.kind, cost))
                yield cost, finding
    yield from _lost_digits(found, case, off, bool(kinds))


def _questions(found: Probe, case: Case) -> Iterator[tuple[Case, mistakes.Rule]]:
    """Yield what to ask: each rule of the circuit, and of the one in which no result is shared."""
    if _has_many(found):
        yield from ((case, rule) for rule in FIRST_RULES)
        return
    yield from ((case, rule) for rule in (*RULES, *LAST_RESORTS))
    apart = case.unshared()
    if apart is not None:
        yield from ((apart, rule) for rule in (*RULES, *LAST_RESORTS))


def _suspects(rule: mistakes.Rule, case: Case, off: list[int]) -> Iterator[Suspect]:
    """Yield a rule's suspects, each alone, then those alike together, as far as they may match."""
    recurrences = Recurrences(case)
    for suspect in _safely(rule, case):
        recurrences.note(suspect)
        if _may_match(case, suspect, off):
            yield suspect
    yield from (suspect for suspect in recurrences.joined() if _may_match(case, suspect, off))


def _may_match(case: Case, suspect: Suspect, off: list[int]) -> bool:
    """Tell whether a change reaches all the leaves whose gradients are wrong."""
    change = suspect.gradients if suspect.family is None else suspect.family(0.0)
    return not isinstance(change, Change) or case.reached(change) >= set(off)


def _safely(rule: mistakes.Rule, case: Case) -> Iterator[Suspect]:
    """Yield a rule's suspects as far as it gets: the user's steps may refuse values."""
    try:
        yield from rule(case)
    except Exception:  # the user's steps may refuse other values, in any way
        return


def _fit(
    case: Case, suspect: Suspect, off: list[int], usable: list[int]
) -> tuple[float | None, float | None]:
    """Return what a suspect costs beside its own, and its factor; None if it does not match."""
    factor = None
    gradients = _worked_out(case, suspect.gradients)
    if not gradients:
        return None, None
    if suspect.family is not None:
        family = suspect.family
        factor = _rate(case, lambda rate: _worked_out(case, family(rate)), off)
        if factor is None:
            return None, None
        gradients = _worked_out(case, suspect.family(factor))
    if suspect.slope is not None:
        factor = _factor(case, suspect, off)
        if factor is None:
            return None, None
        gradients = [g + factor * s for g, s in zip(gradients, suspect.slope, strict=True)]
    if not _all_equal(case, gradients, off):
        return None, None
    return (0.0 if _all_equal(case, gradients, usable) else 0.35), factor


def _worked_out(case: Case, gradients: Gradients | Change) -> Gradients:
    """Return the gradients that a change gives; none if the user's steps refuse its values."""
    if not isinstance(gradients, Change):
        return gradients
    try:
        return case.changed(gradients)
    except Exception:  # the user's steps may refuse other values, in any way
        return []


def _rate(case: Case, family: Callable[[float], Gradients], leaves: list[int]) -> float | None:
    """Return the number for which a family comes closest, by a few steps of Gauss and Newton."""
    rate, nudge = 0.0, 1e-5
    wrong = np.concatenate([np.ravel(case.wrong[i]) for i in leaves])
    for _ in range(4):
        here, there = (_stacked(family(r), leaves) for r in (rate, rate + nudge))
        if here is None or there is None:
            return None
        slope = (there - here) / nudge
        length = float(slope @ slope)
        if not length > 1e-18:
            return None
        rate += float(slope @ (wrong - here)) / length
    return rate if 1e-6 < rate < 10 else None


def _stacked(gradients: Gradients, leaves: list[int]) -> Array | None:
    return np.concatenate([np.ravel(gradients[i]) for i in leaves]) if gradients else None


def _factor(case: Case, suspect: Suspect, leaves: list[int]) -> float | None:
    """Return how many times its slope a suspect needs to come closest to the gradient in hand."""
    slopes: Any = suspect.slope
    slope = np.concatenate([np.ravel(slopes[i]) for i in leaves])
    own: Any = suspect.gradients
    rest = np.concatenate([np.ravel(case.wrong[i] - own[i]) for i in leaves])
    length = float(slope @ slope)
    factor = float(slope @ rest) / length if length else 0.0
    known = slope.size > 1 or any(abs(factor - f) < 1e-6 for f in (-1.0, 0.0, 0.5, 2.0))
    return factor if length and known else None


def _all_equal(case: Case, gradients: Gradients, leaves: list[int]) -> bool:
    return all(_equal(case.wrong[i], gradients[i], case.right[i]) for i in leaves)


def _equal(wrong: Array | None, suspect: Array, right: Array) -> bool:
    """Tell whether a suspect is the gradient in hand, much closer to it than the right one is."""
    if wrong is None or wrong.shape != suspect.shape:
        return False
    size = max(np.abs(right).max(), np.abs(wrong).max(), 1e-300)
    distance = np.abs(wrong - right).max()
    allowed = 1e-7 * size if suspect is right else max(2e-3 * distance, 2e-8 * size)
    return bool(np.abs(wrong - suspect).max() <= min(allowed, 1e-5 * size))


def _reading(
    case: Case, suspect: Suspect, extra: float | None, factor: float | None
) -> Iterator[tuple[float, Finding]]:
    """Yield a suspect, if it matches, under the names that its factor gives it."""
    if extra is None:
        return
    cost = suspect.cost + extra
    if factor is None or suspect.family is not None:
        yield cost, _finding(suspect)
        return
    words = f"{suspect.words} is {_ratio(factor)} what it should be"
    if suspect.kind == "regulariser":
        yield cost, replace(_finding(suspect), where=words)
        if abs(factor + 1) < 1e-6:
            yield cost, Finding("sign", WORDS["sign"], words)
        return
    for kind, more in _kinds_of_factor(case, factor):
        yield cost + more, Finding(kind, WORDS[kind], words)


def _kinds_of_factor(case: Case, factor: float) -> Iterator[tuple[str, float]]:
    if abs(factor) < 1e-7:
        yield "detached", 0.0
        return
    if abs(factor + 1) < 1e-6:
        yield "sign", 0.0
        return
    if case.doutput.size == 1 and abs(factor * float(case.doutput.flat[0]) - 1) < 1e-6:
        yield "upstream", 0.0
        return
    size = abs(factor)
    yield from (("batch", more) for more in _costs_of_lengths(case, size)[:1])
    round_numbers = [2, 3, 4, 0.5, 1 / 3, 0.25, 1.5, 2 / 3]
    known = any(abs(size - n) < 1e-6 * n for n in round_numbers)
    yield "factor", (0.1 if known else 0.5) + (0.2 if factor < 0 else 0.0)
    if factor < 0:
        yield "sign", 0.6


def _costs_of_lengths(case: Case, size: float) -> list[float]:
    """Return what it costs to take a factor for a length, its square, or that of another axis."""
    costs = []
    for cost, lengths, power in (
        (0.0, case.batch_sizes(), 1.0),
        (0.3, case.batch_sizes(), 0.5),
        (0.55, case.other_lengths(), 1.0),
    ):
        if any(abs(p - n) < 1e-6 * n for p in (size**power, size**-power) for n in lengths):
            costs.append(cost)
    return costs


def _ratio(factor: float) -> str:
    if abs(factor) < 1e-7:
        return "0 times"
    for n in range(1, 65):
        top = factor * n
        if abs(top - round(top)) < 1e-6 * max(1, abs(top)) and abs(round(top)) <= 64:
            return f"{round(top)}/{n} times" if n > 1 else f"{round(top)} times"
    return f"{factor:.4g} times"


def _finding(suspect: Suspect) -> Finding:
    return Finding(suspect.kind, WORDS[suspect.kind], suspect.words)


def _lost_digits(
    found: Probe, case: Case, off: list[int], matched: bool
) -> Iterator[tuple[float, Finding]]:
    names = ", ".join(case.names[i] for i in off)
    finding = Finding("precision", WORDS["precision"], f"the gradient of {names}")
    dtypes = [getattr(g, "dtype", None) for g in found.returned]
    if any(dtypes[i] in (np.float32, np.float16) for i in off):
        yield 0.2, finding
    errors = [np.abs(case.wrong[i] - case.right[i]).max() for i in off]
    sizes = [max(np.abs(case.right[i]).max(), 1e-300) for i in off]
    if max(e / s for e, s in zip(errors, sizes, strict=True)) < 1e-2:
        yield (1.5 if matched else 1.0), finding
    if any(getattr(dtypes[i], "kind", "") in "iub" for i in off):
        where = f"the gradient of {names} is of whole numbers"
        yield 0.2, Finding("integer", WORDS["integer"], where)
    if all(
        np.array_equal(case.wrong[i], np.rint(case.wrong[i])) and np.any(case.wrong[i]) for i in off
    ):
        where = f"the gradient of {names} is of whole numbers"
        yield 1.2, Finding("integer", WORDS["integer"], where)


def _structure(case: Case) -> Iterator[str]:
    """Yield what the error of each input looks like: which entries, which rows, which ratio."""
    for name, wrong, right in zip(case.names, case.wrong, case.right, strict=True):
        if wrong is None or wrong.shape != right.shape:
            continue
        size = max(np.abs(right).max(), np.abs(wrong).max(), 1e-300)
        off = np.abs(wrong - right) > 1e-6 * size
        if not off.any():
            yield f"{name}: right"
            continue
        told = f"{name}: {off.sum()} of {off.size} entries are wrong"
        if off.ndim == 2 and not off.all():
            rows, columns = np.flatnonzero(off.any(axis=1)), np.flatnonzero(off.any(axis=0))
            told += f", in rows {rows.tolist()} and columns {columns.tolist()}"
        cosine = float(
            (wrong * right).sum() / max(np.linalg.norm(wrong) * np.linalg.norm(right), 1e-300)
        )
        compared = off & (np.abs(right) > 1e-9 * size)
        ratios = wrong[compared] / right[compared]
        told += f"; cosine to the right one {cosine:.3f}"
        if ratios.size:
            told += f"; ratios to it from {ratios.min():.4g} to {ratios.max():.4g}"
        yield told

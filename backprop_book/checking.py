"""Is a gradient right? The check, what it reports, and its use in a test."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop_book.arrays import Array
from backprop_book.checker.probing import Probe, probe
from backprop_book.checker.slopes import (
    EPSILON,
    Curve,
    Slope,
    careful_slope,
    kink,
    quick_slope,
    surest_slope,
)
from backprop_book.numerical import arrays_in, random_direction
from backprop_book.rules import count, optional

TOLERANCE = 1e-6
DIGITS = 1e-9
MOST_ENTRIES = 3000

RIGHT, WRONG, KINK, UNCLEAR, MISSING = "right", "wrong", "kink", "unclear", "missing"


@dataclass(frozen=True)
class Entry:
    """One entry of a gradient, or one direction: what backward says, what was measured.

    >>> entry = Entry(where=(0,), backward=2.0, measured=2.5, uncertainty=1e-9, verdict="wrong")
    >>> entry.absolute_error
    0.5
    """

    where: tuple[int, ...] | None
    backward: float
    measured: float
    uncertainty: float
    verdict: str

    def relative_error(self, scale: float) -> float:
        """Return the error over the larger of both values, or over a thousandth of a scale.

        >>> Entry((0,), 2.0, 2.5, 1e-9, "wrong").relative_error(1.0)
        0.2
        """
        size = max(abs(self.backward), abs(self.measured), 1e-3 * scale)
        return self.absolute_error / size if size else 0.0

    @property
    def absolute_error(self) -> float:
        """The distance between the two values."""
        return abs(self.backward - self.measured)


@dataclass(frozen=True)
class InputCheck:
    """How the gradient of one input compares with what was measured.

    `where`, `backward` and `measured` are those of the entry with the largest relative error, which
    both errors are told of: among the wrong ones if the verdict is "wrong". `n_kinks` entries lie
    at a kink. The verdict is "right", "wrong", "kink" (right but for kinks), "unclear" (the
    function is too rough to measure) or "missing" (no gradient that fits).

    >>> found = check_gradient(lambda x: (x**2, lambda doutput: x * doutput), np.array([3.0, 0.0]))
    >>> [InputCheck("x", (2,), "wrong").verdict == row.verdict for row in found.inputs]
    [True]
    >>> found.inputs[0].name, found.inputs[0].where, found.inputs[0].n_wrong
    ('x', (0,), 1)
    """

    name: str
    shape: tuple[int, ...]
    verdict: str
    relative_error: float = float("nan")
    absolute_error: float = float("nan")
    where: tuple[int, ...] | None = None
    backward: float = float("nan")
    measured: float = float("nan")
    n_kinks: int = 0
    n_wrong: int = 0


@dataclass(frozen=True)
class GradientCheck:
    """What a check of a gradient found: a row for each input, and problems of other kinds.

    It is true if the gradient is right, and printed it is a table.

    >>> bool(GradientCheck(inputs=(), problems=("backward changes the gradient that it is given",)))
    False
    """

    inputs: tuple[InputCheck, ...]
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every input is right, kinks aside, and nothing else is wrong."""
        return not self.problems and all(row.verdict in (RIGHT, KINK) for row in self.inputs)

    def __bool__(self) -> bool:
        """Whether the gradient is right, so that a test can assert it."""
        return self.passed

    def __str__(self) -> str:
        """The table, under a line that says how the check ended."""
        told = "the gradient is right" if self.passed else "the check does not pass"
        if any(row.verdict in (WRONG, MISSING) for row in self.inputs):
            told = "THE GRADIENT IS WRONG"
        return "\n".join([told, *_table(self.inputs), *(f"! {p}" for p in self.problems)])

    __repr__ = __str__


def check_gradient(
    function: Callable[..., Any],
    *inputs: Any,
    backward: Callable[..., Any] | None = None,
    wrt: int | str | Sequence[int | str] | None = None,
    directions: int | None = None,
    rng: np.random.Generator | None = None,
) -> GradientCheck:
    """Compare the gradients that a function's backward returns with measured ones.

    `function(*inputs)` returns (output, backward), as every function of this package does; or it
    returns an output alone, and `backward(doutput, *inputs)` is given beside it. The output is one
    array of float64, or a number. Inputs are arrays of float64, dicts of such arrays, or anything
    else, which is passed on as it is. `backward` returns a gradient for each input of floats (None
    or nothing for the others), or for those that `wrt` names or numbers.

    The output is weighed with a random gradient from `rng` (by default the same every time), and
    each entry of each input is moved to both sides. An entry that then seems wrong is measured
    again with a dozen steps, and is wrong if it is off by more than a millionth. An entry where the
    slopes to the left and to the right differ is at a kink and has no derivative. It passes, unless
    it is larger than the two together: several kinks may meet in it, each with its own convention,
    so that what backward returns need not lie between the two slopes.
    With `directions=k` every input is moved along k random directions instead: the cost no longer
    grows with the number of entries, and the risk that an error goes unseen is told at
    `directional_derivatives`.

    Other problems are found too: an output that changes from call to call, inputs changed in
    place, gradients that are missing, too many, of the wrong shape or not finite, a backward that
    cannot be called twice, and a gradient that has fewer digits than float64.

    Raises TypeError for inputs of float32, whose rounding would drown the differences, for what
    does not return as told above, ValueError for empty arrays or a `wrt` that names no input. What
    the function itself raises is not caught.

    >>> def square(x):
    ...     return x**2, lambda doutput: doutput * x
    >>> check_gradient(square, np.array([3.0, 5.0]))
    THE GRADIENT IS WRONG
    input  shape  verdict  relative error  at   backward  measured
    x      (2,)   wrong    5.0e-01         [0]  0.377191  0.754381
    """
    optional(count)("directions", directions, {})
    rng = np.random.default_rng(0) if rng is None else rng
    return report(probe(function, inputs, backward, wrt, rng), directions, rng)


def assert_gradient(
    function: Callable[..., Any],
    *inputs: Any,
    backward: Callable[..., Any] | None = None,
    wrt: int | str | Sequence[int | str] | None = None,
    directions: int | None = None,
    rng: np.random.Generator | None = None,
) -> None:
    """Raise AssertionError, with the table and a diagnosis, unless a gradient is right.

    For a test of one's own; the arguments are those of `check_gradient`, and so are the other
    errors that it raises.

    >>> try:
    ...     assert_gradient(lambda x: (x**2, lambda doutput: 2 * doutput), np.array([3.0, 5.0]))
    ... except AssertionError as error:
    ...     print(str(error).splitlines()[0])
    THE GRADIENT IS WRONG
    """
    options: dict[str, Any] = {"backward": backward, "wrt": wrt, "rng": rng}
    found = check_gradient(function, *inputs, directions=directions, **options)
    if not found:
        raise AssertionError(f"{found}\n\n{diagnosis(function, *inputs, **options)}")


def diagnosis(function: Callable[..., Any], *inputs: Any, **options: Any) -> str:
    """Return what `diagnose` says of a wrong gradient, or why it can say nothing.

    A gradient that was found wrong stays so whatever happens when its mistake is looked for. Of
    more than 3,000 entries little could be said, and it is not begun.

    >>> print(diagnosis(lambda x: (x**2, lambda doutput: -2 * x * doutput), np.array([3.0, 5.0])))
    likely: the sign is wrong: look for target - prediction, or a minus that got lost [sign]
      where: all of it is -1 times what it should be
    """
    from backprop_book.diagnosing import diagnose

    n_entries = sum(np.size(a) for a in arrays_in(inputs) if np.asarray(a).dtype.kind == "f")
    if n_entries > MOST_ENTRIES:
        return f"no diagnosis: {n_entries:,} entries are many; small inputs do, and tell more"
    try:
        return str(diagnose(function, *inputs, **options))
    except Exception as error:  # a function may refuse, in any way, what a search tries on it
        return f"no diagnosis: {type(error).__name__}: {error}"


def report(found: Probe, directions: int | None, rng: np.random.Generator) -> GradientCheck:
    """Return the check of what a probe brought back.

    >>> rng = np.random.default_rng(0)
    >>> function = lambda x: (3 * x, lambda doutput: 3 * doutput)
    >>> report(probe(function, (np.ones((2, 3)),), None, None, rng), None, rng)
    the gradient is right
    input  shape  verdict  relative error  at  backward  measured
    x      (2,3)  right    < 1e-6
    """
    problems = list(found.problems)
    if found.spoiled:
        return GradientCheck((), tuple(problems))
    with np.errstate(over="ignore"):
        rows = [_row(found, leaf, directions, rng) for leaf in range(len(found.names))]
        if all(row.verdict == RIGHT for row in rows):
            problems += _lost_digits(found)
    return GradientCheck(tuple(rows), tuple(problems))


def _unmeasured(name: str, leaf: Array) -> InputCheck:
    return InputCheck(name, leaf.shape, MISSING)


def _row(found: Probe, leaf: int, directions: int | None, rng: np.random.Generator) -> InputCheck:
    name, array, gradient = found.names[leaf], found.leaves[leaf], found.gradients[leaf]
    if gradient is None:
        return _unmeasured(name, array)
    if directions is None:
        judged = _entries(found, leaf, gradient)
    else:
        judged = [_direction(found, leaf, gradient, rng) for _ in range(directions)]
    return _summary(name, array.shape, judged)


def _summary(name: str, shape: tuple[int, ...], judged: list[Entry]) -> InputCheck:
    """Return the row of an input: its worst verdict, and the worst entry that has it."""
    scale = max(max(abs(entry.backward), abs(entry.measured)) for entry in judged)
    verdicts = [entry.verdict for entry in judged]
    verdict = next(v for v in (WRONG, UNCLEAR, KINK, RIGHT) if v in verdicts)
    kept = [entry for entry in judged if entry.verdict == verdict]
    worst = max(kept, key=lambda entry: entry.relative_error(scale))
    return InputCheck(
        name=name,
        shape=shape,
        verdict=verdict,
        relative_error=worst.relative_error(scale),
        absolute_error=worst.absolute_error,
        where=worst.where,
        backward=worst.backward,
        measured=worst.measured,
        n_kinks=verdicts.count(KINK),
        n_wrong=verdicts.count(WRONG),
    )


def _entries(found: Probe, leaf: int, gradient: Array) -> list[Entry]:
    array = found.leaves[leaf]
    sizes = np.maximum(1, np.abs(array))
    measured = np.zeros_like(array)
    rounding = np.zeros_like(array)
    for i in np.ndindex(array.shape):
        measured[i], rounding[i] = quick_slope(found.at(leaf, i), float(sizes[i]))
    scale = _scale(found, float(np.abs(gradient).max()))
    entries = []
    for i in np.ndindex(array.shape):
        quick = Entry(i, float(gradient[i]), float(measured[i]), float(rounding[i]), RIGHT)
        right = quick.absolute_error <= _tolerance(quick, scale, 1e-4)
        lengths = (float(sizes[i]), float(abs(array[i])))
        entries.append(quick if right else _again(quick, found.at(leaf, i), lengths, scale))
    return entries


def _direction(found: Probe, leaf: int, gradient: Array, rng: np.random.Generator) -> Entry:
    array = found.leaves[leaf]
    (direction,) = random_direction([array], rng)
    curve = found.along([direction if i == leaf else 0.0 for i in range(len(found.names))])
    size = max(1.0, float(np.linalg.norm(array) / np.sqrt(array.size)))
    measured, rounding = quick_slope(curve, size)
    quick = Entry(None, float(np.sum(gradient * direction)), measured, rounding, RIGHT)
    scale = _scale(found, float(np.sqrt(np.mean(gradient**2))))
    if quick.absolute_error <= _tolerance(quick, scale, 1e-4):
        return quick
    return _again(quick, curve, (size, _reach([array], [direction])), scale)


def _scale(found: Probe, slope: float) -> float:
    """Return the size of the slopes that count: at least what rounding makes of a slope of 0."""
    return max(slope, 1e5 * EPSILON * float(np.sum(np.abs(found.output * found.doutput))))


def _reach(leaves: Sequence[Array], direction: Sequence[Array]) -> float:
    """Return how far one can go along a direction until an entry is 0, those at 0 aside."""
    lengths = [np.abs(x / d)[x != 0] for x, d in zip(leaves, direction, strict=True)]
    return min((float(each.min()) for each in lengths if each.size), default=0.0)


def _again(quick: Entry, curve: Curve, sizes: Sequence[float], scale: float) -> Entry:
    """Measure an entry that seems wrong with care, by steps for some sizes, and judge it.

    It is right if it is so by the steps for one of the sizes: others may reach over a kink nearby.
    """
    slopes = _slopes(curve, sizes)
    tries = [Entry(quick.where, quick.backward, *slope, RIGHT) for slope in slopes]
    for careful in tries:
        if careful.absolute_error <= _tolerance(careful, scale, 1e-2):
            return careful
    careful, corner = tries[0], kink(curve, sizes[0], scale)
    measured, error = slopes[0]
    verdict = WRONG
    if corner and abs(quick.backward) <= sum(map(abs, corner)) + _tolerance(careful, scale, 1e-2):
        verdict = KINK
    elif not error <= 0.01 * max(abs(measured), scale):
        verdict = UNCLEAR
    return Entry(quick.where, quick.backward, measured, error, verdict)


def _slopes(curve: Curve, sizes: Sequence[float]) -> list[Slope]:
    """Return the surest slope by steps for some sizes, the first or small ones, and any others.

    Others are those that contradict it, as they do near a kink.
    """
    tried = [size for size in sizes if size == sizes[0] or 0 < size < 0.05]
    slopes = [surest_slope(curve, size) for size in tried]
    best, *others = sorted(slopes, key=lambda slope: slope.error)
    return [best, *(each for each in others if abs(each.value - best.value) > each.error)]


def _off(claimed: float, least: float, slopes: Sequence[Slope]) -> bool:
    """Tell whether a claimed slope is none of the measured ones, by more than they may be off."""
    return all(abs(claimed - value) > least + 10 * error for value, error in slopes)


def _tolerance(entry: Entry, scale: float, most: float) -> float:
    """Return how far the two may be apart: a millionth, and what the measuring may be off by.

    The latter counts up to a part `most` of the values: what is no better known is not right yet.
    """
    size = max(abs(entry.backward), abs(entry.measured))
    if not math.isfinite(size):
        return 0.0
    unsure = min(10 * entry.uncertainty, most * max(size, scale))
    return TOLERANCE * size + 1e-3 * TOLERANCE * scale + unsure


def _lost_digits(found: Probe) -> list[str]:
    """Return a problem if the gradient has fewer digits than float64, as float32 leaves it."""
    rng = np.random.default_rng(1)
    gradients = [g for g in found.gradients if g is not None]
    size = np.sqrt(np.mean(np.concatenate([np.ravel(g) for g in gradients]) ** 2))
    for _ in range(5):
        direction = random_direction(found.leaves, rng)
        claimed = float(sum((g * d).sum() for g, d in zip(gradients, direction, strict=True)))
        curve, least = found.along(direction), DIGITS * float(size)
        if not _off(claimed, least, [careful_slope(curve, 1.0)]):
            continue
        if _off(claimed, least, _slopes(curve, (1.0, _reach(found.leaves, direction)))):
            return [
                "the gradient is right to a few digits only: something in backward is rounded, as "
                "by float32 or a one-sided difference, or a small part of it is wrong"
            ]
    return []


def _table(rows: Sequence[InputCheck]) -> list[str]:
    if not rows:
        return []
    head = ["input", "shape", "verdict", "relative error", "at", "backward", "measured"]
    cells = [head, *map(_cells, rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]


def _cells(row: InputCheck) -> list[str]:
    """Return what the table says of an input; where a right one is off is rounding: not told."""
    kinks = f"{row.n_kinks} kink" + "s" * (row.n_kinks != 1)
    verdict = f"right, {kinks}" if row.verdict == KINK else row.verdict
    start = [row.name, str(row.shape).replace(" ", ""), verdict]
    if row.verdict in (RIGHT, KINK):
        return [*start, f"< {TOLERANCE:.0e}".replace("e-0", "e-"), "", "", ""]
    if row.verdict == MISSING:
        return [*start, "", "", "", ""]
    where = "" if row.where is None else str(list(row.where)).replace(" ", "")
    told = [f"{row.backward:.6g}", f"{row.measured:.6g}"]
    return [*start, f"{row.relative_error:.1e}", where, *told]

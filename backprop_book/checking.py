"""Is a gradient right? The check, what it reports, and its use in a test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop_book.arrays import Array
from backprop_book.numerical import random_direction
from backprop_book.probing import Probe, probe
from backprop_book.rules import count, generator, optional
from backprop_book.slopes import Curve, careful_slope, kink, quick_slope

TOLERANCE = 1e-6
DIGITS = 1e-8

RIGHT, WRONG, KINK, UNCLEAR, MISSING = "right", "wrong", "kink", "unclear", "missing"


@dataclass(frozen=True)
class Entry:
    """One entry of a gradient, or one direction: what backward says, what was measured."""

    where: tuple[int, ...] | None
    backward: float
    measured: float
    uncertainty: float
    verdict: str

    def relative_error(self, scale: float) -> float:
        """Return the error over the larger of both values, or over a thousandth of a scale."""
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
    slopes to the left and to the right differ is at a kink, and passes if it lies between them.
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
    x      (2,)   wrong    5.0e-01         [0]  0.37719   0.754381
    """
    optional(count)("directions", directions, {})
    optional(generator)("rng", rng, {})
    rng = np.random.default_rng(0) if rng is None else rng
    return report(probe(function, inputs, backward, wrt, rng), directions, rng)


def assert_gradient(function: Callable[..., Any], *inputs: Any, **options: Any) -> None:
    """Raise AssertionError, with the table and a diagnosis, unless a gradient is right.

    For a test of one's own; the arguments are those of `check_gradient`, and so are the errors.

    >>> assert_gradient(lambda x: (x**2, lambda doutput: 2 * x * doutput), np.array([3.0]))
    """
    from backprop_book.diagnosing import diagnose

    found = check_gradient(function, *inputs, **options)
    if not found:
        options.pop("directions", None)
        raise AssertionError(f"{found}\n\n{diagnose(function, *inputs, **options)}")


def report(found: Probe, directions: int | None, rng: np.random.Generator) -> GradientCheck:
    """Return the check of what a probe brought back."""
    problems = list(found.problems)
    spoiled = [p for p in problems if "in place" in p or "another output" in p or "the output" in p]
    if spoiled:
        return GradientCheck((), tuple(problems))
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
    judged = (
        _entries(found, leaf, gradient)
        if directions is None
        else [_direction(found, leaf, gradient, rng) for _ in range(directions)]
    )
    scale = max(max(abs(entry.backward), abs(entry.measured)) for entry in judged)
    verdicts = [entry.verdict for entry in judged]
    verdict = next(v for v in (WRONG, UNCLEAR, KINK, RIGHT) if v in verdicts)
    kept = [e for e in judged if e.verdict == (WRONG if verdict == WRONG else e.verdict)]
    worst = max(
        (e for e in kept if e.verdict != KINK or verdict == KINK),
        key=lambda entry: entry.relative_error(scale),
    )
    return InputCheck(
        name,
        array.shape,
        verdict,
        worst.relative_error(scale),
        worst.absolute_error,
        worst.where,
        worst.backward,
        worst.measured,
        verdicts.count(KINK),
        verdicts.count(WRONG),
    )


def _entries(found: Probe, leaf: int, gradient: Array) -> list[Entry]:
    array = found.leaves[leaf]
    sizes = np.maximum(1, np.abs(array))
    measured = np.zeros_like(array)
    rounding = np.zeros_like(array)
    for i in np.ndindex(array.shape):
        measured[i], rounding[i] = quick_slope(found.at(leaf, i), float(sizes[i]))
    scale = float(np.nanmax(np.abs([measured, gradient])))
    entries = []
    for i in np.ndindex(array.shape):
        quick = Entry(i, float(gradient[i]), float(measured[i]), float(rounding[i]), RIGHT)
        right = quick.absolute_error <= _tolerance(quick, scale)
        entries.append(quick if right else _again(quick, found.at(leaf, i), float(sizes[i]), scale))
    return entries


def _direction(found: Probe, leaf: int, gradient: Array, rng: np.random.Generator) -> Entry:
    (direction,) = random_direction([found.leaves[leaf]], rng)
    curve = found.along([direction if i == leaf else 0.0 for i in range(len(found.names))])
    measured, rounding = quick_slope(curve, 1.0)
    quick = Entry(None, float(np.sum(gradient * direction)), measured, rounding, RIGHT)
    scale = float(np.linalg.norm(gradient) / np.sqrt(gradient.size))
    if quick.absolute_error <= _tolerance(quick, scale):
        return quick
    return _again(quick, curve, 1.0, scale)


def _again(quick: Entry, curve: Curve, size: float, scale: float) -> Entry:
    """Measure an entry that seems wrong with care, and judge it."""
    with np.errstate(all="ignore"):
        measured, error = careful_slope(curve, size)
        corner = kink(curve, size, scale)
    careful = Entry(quick.where, quick.backward, measured, error, RIGHT)
    tolerance = _tolerance(careful, scale)
    verdict = WRONG
    if corner and min(corner) - tolerance <= quick.backward <= max(corner) + tolerance:
        verdict = KINK
    elif careful.absolute_error <= tolerance:
        verdict = RIGHT
    elif not corner and not error <= 0.01 * max(abs(measured), scale):
        verdict = UNCLEAR
    return Entry(quick.where, quick.backward, measured, error, verdict)


def _tolerance(entry: Entry, scale: float) -> float:
    size = max(abs(entry.backward), abs(entry.measured))
    return TOLERANCE * size + 1e-3 * TOLERANCE * scale + 10 * entry.uncertainty


def _lost_digits(found: Probe) -> list[str]:
    """Return a problem if the gradient has fewer digits than float64, as float32 leaves it."""
    rng = np.random.default_rng(1)
    gradients = [g for g in found.gradients if g is not None]
    size = np.sqrt(sum((g**2).sum() for g in gradients) / sum(g.size for g in gradients))
    for _ in range(3):
        direction = random_direction(found.leaves, rng)
        claimed = sum((g * d).sum() for g, d in zip(gradients, direction, strict=True))
        measured, error = careful_slope(found.along(direction), 1.0)
        if abs(claimed - measured) > DIGITS * size + 10 * error:
            return [
                "the gradient has fewer digits than float64: something in backward is rounded, "
                "as float32 or a one-sided difference would do"
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

"""The diagnosis: it names the mistake that was made, and where it knows none it shows the error."""

import math

import numpy as np
import pytest

from backprop_book import diagnose, relu, tanh
from backprop_book.diagnosing import WORDS, Diagnosis, Finding

RNG = np.random.default_rng(5)
X, W, B = RNG.normal(size=(5, 3)), RNG.normal(size=(3, 4)), RNG.normal(size=4)
Z = RNG.normal(size=(5, 4))
LABELS = np.array([0, 3, 1, 1, 2])


def rng(seed=0):
    return np.random.default_rng(seed)


def kinds(function, *inputs, **options):
    found = diagnose(function, *inputs, **options)
    assert not found.passed
    return [mistake.kind for mistake in found.mistakes]


def softmax(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# One classic mistake of each kind


def negated(prediction, target):
    difference = prediction - target
    return np.sum(difference**2), lambda d: (-2 * d * difference, -2 * d * difference)


def without_the_two(prediction):
    return np.sum(prediction**2), lambda d: d * prediction


def divided_twice(z, labels):
    p, rows = softmax(z), np.arange(len(z))

    def backward(d):
        dz = p.copy()
        dz[rows, labels] -= 1
        return d * dz / len(z) ** 2

    return -np.mean(np.log(p[rows, labels])), backward


def untransposed(x, weights):
    return x @ weights, lambda dy: (dy @ weights, x.T @ dy)


def exchanged(a, b):
    return a * b, lambda d: (d * a, d * b)


def without_the_slope(x, weights):
    return np.tanh(x @ weights), lambda dy: (dy @ weights.T, x.T @ dy)


def slope_of_the_output(z):
    a = np.tanh(z)
    return a, lambda da: da * (1 - np.tanh(a) ** 2)


def bias_of_every_row(x, bias):
    return np.sin(x) * 2 + bias, lambda dy: (2 * dy * np.cos(x), dy)


def first_row_alone(x, bias):
    return x + bias, lambda dy: (dy, dy[0])


def last_use_wins(x):
    return np.sin(x) * np.exp(x), lambda d: d * np.sin(x) * np.exp(x)


def after_the_update(x, first, second):
    h = x @ first

    def backward(dy):
        dsecond = h.T @ dy
        updated = second - 0.1 * dsecond
        return dy @ second.T @ first.T, x.T @ (dy @ updated.T), dsecond

    return h @ second, backward


def softmax_of_softmax(z, labels):
    p, rows = softmax(z), np.arange(len(z))

    def backward(d):
        dz = softmax(p)
        dz[rows, labels] -= 1
        return d * dz / len(z)

    return -np.mean(np.log(p[rows, labels])), backward


def without_the_label(z, labels):
    p, rows = softmax(z), np.arange(len(z))
    return -np.mean(np.log(p[rows, labels])), lambda d: d * p / len(z)


def down_the_columns(z):
    p = softmax(z)

    def backward(dp):
        return p * (dp - np.sum(dp * p, axis=0))

    return p, backward


def without_the_penalty(x, weights):
    y = x @ weights

    def backward(d):
        return d * 2 * y @ weights.T, d * 2 * x.T @ y

    return np.sum(y**2) + 0.3 * np.sum(weights**2), backward


def one_branch(x):
    return x**2 + np.sin(x), lambda d: 2 * x * d


def without_the_mask(x, keep):
    return np.exp(x) * keep / 0.8, lambda dy: dy * np.exp(x)


def constant_statistics(x):
    deviation = np.sqrt(x.var(axis=0) + 1e-5)
    return (x - x.mean(axis=0)) / deviation, lambda dy: dy / deviation


def whole_slopes(x):
    return 0.5 * x**3, lambda d: d * (1.5 * x**2).astype(int)


def half_precision(x):
    return np.sin(x), lambda d: np.float16(d * np.cos(x))


def as_if_one(x):
    return np.exp(x), lambda d: np.exp(x)


CLASSICS = {
    "sign": (negated, Z, Z + 1),
    "factor": (without_the_two, X),
    "batch": (divided_twice, Z, LABELS),
    "transposed": (untransposed, X, W[:, :3]),
    "swapped": (exchanged, X, np.exp(X)),
    "activation-missing": (without_the_slope, X, W),
    "activation-misplaced": (slope_of_the_output, Z),
    "not-summed": (bias_of_every_row, Z, B),
    "one-example": (first_row_alone, Z, B),
    "overwritten": (last_use_wins, X),
    "updated-weights": (after_the_update, X, W, RNG.normal(size=(4, 2))),
    "softmax-twice": (softmax_of_softmax, Z, LABELS),
    "one-hot-missing": (without_the_label, Z, LABELS),
    "wrong-axis": (down_the_columns, Z),
    "regulariser": (without_the_penalty, X, W),
    "detached": (one_branch, X),
    "dropout": (without_the_mask, Z, (RNG.random(Z.shape) < 0.8).astype(int)),
    "statistics": (constant_statistics, X),
    "integer": (whole_slopes, 2 * X),
    "precision": (half_precision, X),
    "upstream": (as_if_one, X),
}


@pytest.mark.parametrize("kind", WORDS)
def test_a_classic_mistake_is_named(kind):
    function, *inputs = CLASSICS[kind]
    found = diagnose(function, *inputs)
    assert not found.passed
    assert kind in [mistake.kind for mistake in found.mistakes[:2]], str(found)
    assert len(found.mistakes) <= 2
    assert all(WORDS[mistake.kind] == mistake.words for mistake in found.mistakes)
    assert WORDS[kind] in str(found)
    assert found.structure == ()


def test_where_a_mistake_is():
    _, (mistake, *_) = kinds(negated, Z, Z + 1), diagnose(negated, Z, Z + 1).mistakes
    assert "prediction" in mistake.where
    (mistake, *_) = diagnose(untransposed, X, W[:, :3]).mistakes
    assert "x" in mistake.where


def test_another_draw_gives_the_same_name():
    for seed in range(4):
        assert "sign" in kinds(negated, Z, Z + 1, rng=rng(seed))


# Right gradients


@pytest.mark.parametrize(
    ("function", "inputs", "options"),
    [
        (tanh, (X,), {}),
        (relu, (np.zeros(3),), {}),
        (np.exp, (X,), {"backward": lambda d, x: d * np.exp(x)}),
        (lambda p: (p["w"] * 2, lambda d: {"w": 2 * d}), ({"w": W},), {}),
        (lambda x, y: (x * y, lambda d: d * y), (X, X), {"wrt": "x"}),
    ],
    ids=["tanh", "a kink", "backward beside it", "a dict", "one input"],
)
def test_a_right_gradient_has_no_mistake(function, inputs, options):
    found = diagnose(function, *inputs, **options)
    assert found == Diagnosis(True, (), (), ())
    assert str(found) == "the gradient is right: there is nothing to diagnose"


# A mistake that recurs, and one that is made in one term alone


def recurrence(wrong):
    """Make h = tanh(h @ w + x) for each x, with what `wrong` makes of dz, h, a, w and dw in dh."""

    def function(xs, w):
        hs = [np.zeros((len(xs[0]), len(w)))]
        for x in xs:
            hs.append(np.tanh(hs[-1] @ w + x))

        def backward(dh):
            dw, dxs = np.zeros_like(w), np.zeros_like(xs)
            for t in reversed(range(len(xs))):
                slope, back = wrong(hs[t], hs[t + 1], w, dw, dh)
                dz = dh * slope
                dw += hs[t].T @ dz
                dxs[t], dh = dz, dz @ back(dw)
            return dxs, dw

        return hs[-1], backward

    return function


RECURRING = {
    "activation-missing": lambda h, a, w, dw, dh: (1, lambda dw: w.T),
    "activation-misplaced": lambda h, a, w, dw, dh: (1 - h**2, lambda dw: w.T),
    "transposed": lambda h, a, w, dw, dh: (1 - a**2, lambda dw: w),
    "updated-weights": lambda h, a, w, dw, dh: (1 - a**2, lambda dw: (w - 0.2 * dw).T),
    "upstream": lambda h, a, w, dw, dh: ((1 - a**2) / dh, lambda dw: w.T),
}


@pytest.mark.parametrize("kind", RECURRING)
def test_a_mistake_at_every_turn_of_a_loop(kind):
    xs, w = rng(1).normal(size=(3, 4, 3)), 0.6 * rng(2).normal(size=(3, 3))
    assert kind in kinds(recurrence(RECURRING[kind]), xs, w)


def test_the_slope_at_the_gradient_that_comes_in():
    def function(x, w):
        a = np.tanh(x @ w)

        def backward(da):
            dz = da * (1 - da**2)
            return dz @ w.T, x.T @ dz

        return a, backward

    assert "activation-misplaced" in kinds(function, X, W)


def code(wrong):
    """Make a decoded sample plus its divergence, whose two parts were derived apart."""

    def function(mean, log_var, noise):
        std = np.exp(log_var / 2)
        loss = np.sum(np.sin(mean + std * noise)) + 0.5 * np.sum(mean**2 + std**2 - log_var)

        def backward(d):
            dz = d * np.cos(mean + std * noise)
            first, second = wrong(dz * noise * std / 2, d * 0.5 * (std**2 - 1), dz * noise / 2, std)
            return dz + d * mean, first + second, dz * std

        return loss, backward

    return function


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("activation-missing", lambda first, second, bare, std: (bare, second)),
        ("activation-misplaced", lambda first, second, bare, std: (bare * np.exp(std / 2), second)),
        ("sign", lambda first, second, bare, std: (first, -second)),
        ("regulariser", lambda first, second, bare, std: (first, 0 * second)),
        ("overwritten", lambda first, second, bare, std: (0 * first, second)),
    ],
)
def test_a_mistake_in_one_of_two_terms(kind, wrong):
    assert kind in kinds(code(wrong), Z, Z / 2 + 0.1, Z + 0.4)


# Masks and choices, which are made of the inputs


def test_a_mask_of_another_value():
    def function(x, w):
        z = x @ w
        return np.where(z > 0, z, 0.0), lambda dy: (dy * (x > 0) @ w.T, x.T @ (dy * (x > 0)))

    assert "activation-misplaced" in kinds(function, X, SQUARE)


def test_one_side_of_a_choice_for_both():
    def function(x):
        size = np.abs(x)
        return np.where(size < 1, x**2 / 2, size - 0.5), lambda dy: dy * x

    assert "activation-missing" in kinds(function, X)


@pytest.mark.parametrize(
    ("kind", "chosen"),
    [
        ("activation-missing", lambda x: np.ones(x.shape)),
        ("wrong-axis", lambda x: x == x.max(axis=0)),
    ],
)
def test_the_greatest_of_others(kind, chosen):
    def function(x):
        return x.max(axis=1), lambda dy: dy[:, None] * chosen(x)

    assert kind in kinds(function, X)


# More of the same kinds


def test_three_gradients_in_a_circle():
    def function(a, b, c):
        return a * b * c, lambda d: (d * a * b, d * b * c, d * a * c)

    assert "swapped" in kinds(function, X, np.exp(X), X + 3)


def test_a_factor_of_another_shape_taken_for_itself():
    def function(a, b):
        return a * b, lambda d: (d * a, (d * b).sum(axis=0))

    assert "swapped" in kinds(function, Z, B)


def test_axes_that_another_shape_is_spread_along():
    def function(a, b):
        gap = a[:, None, :] - b[None, :, :]

        def backward(d):
            return (2 * d * gap).sum(axis=0), -(2 * d * gap).sum(axis=1)

        return gap**2, backward

    assert "wrong-axis" in kinds(function, X, X[:4])


def test_weights_that_a_mask_is_on():
    mask = rng(3).integers(0, 2, size=W.shape)

    def function(x, w):
        kept = w * mask

        def backward(dy):
            dw = x.T @ dy * mask
            return dy @ (kept - 0.2 * dw).T, dw

        return x @ kept, backward

    assert "updated-weights" in kinds(function, X, W)


@pytest.mark.parametrize(
    ("kind", "pulled"),
    [
        ("activation-missing", lambda dy, z, u, size: dy),
        ("activation-misplaced", lambda dy, z, u, size: (dy - inner(dy, u) * z) / size),
        ("one-example", lambda dy, z, u, size: (dy - inner(dy, u) * u) / size[0]),
        ("wrong-axis", lambda dy, z, u, size: (dy - inner(dy, u) * u) / np.linalg.norm(z, axis=0)),
    ],
)
def test_rows_made_of_length_one(kind, pulled):
    def function(z):
        size = np.linalg.norm(z, axis=1, keepdims=True)
        return z / size, lambda dy: pulled(dy, z, z / size, size)

    assert kind in kinds(function, Z)


def inner(a, b):
    return np.sum(a * b, axis=1, keepdims=True)


# Functions whose steps cannot be recorded


def untraced(slope, transpose=False):
    """Make tanh(x @ weights) in loops over plain numbers, and its gradient changed by `slope`."""

    def function(x, weights):
        rows = [
            [math.tanh(sum(float(a) * float(b) for a, b in zip(row, column, strict=True)))
             for column in weights.T.tolist()]
            for row in x.tolist()
        ]  # fmt: skip
        y = np.array(rows)

        def backward(dy):
            dz = dy * (1 - y**2)
            return slope(dz @ weights.T), x.T @ dz

        return y, backward

    return function


SQUARE = RNG.normal(size=(3, 3))


@pytest.mark.parametrize(
    ("kind", "slope"),
    [
        ("sign", lambda dx: -dx),
        ("factor", lambda dx: 3 * dx),
        ("transposed", lambda dx: dx.T),
        ("precision", lambda dx: dx.astype(np.float16)),
    ],
)
def test_without_a_record_of_the_steps(kind, slope):
    assert kind in kinds(untraced(slope), X, W)


def test_a_square_gradient_that_is_transposed_without_a_record():
    assert "transposed" in kinds(untraced(lambda dx: dx.T), SQUARE, W)


# Where nothing fits


def odd_entries(x):
    def backward(d):
        dx = d * np.cos(x)
        dx[1, 2] += 0.123
        dx[3, 0] *= 1.7
        return dx

    return np.sin(x), backward


def test_where_nothing_fits_the_error_is_shown():
    found = diagnose(odd_entries, X)
    assert not found.passed
    assert found.mistakes == ()
    (line,) = found.structure
    assert line.startswith("x: 2 of 15 entries are wrong, in rows [1, 3] and columns [0, 2]")
    assert "cosine to the right one 0." in line
    assert "ratios to it from " in line
    assert str(found).startswith("no mistake that is known here gives this gradient")
    assert str(found).endswith(line)


def test_the_inputs_that_are_right_are_told_too():
    def function(x, y):
        z, backward = odd_entries(x)
        return z + y, lambda d: (backward(d), d)

    *_, line = diagnose(function, X, X).structure
    assert line == "y: right"


# Problems


PROBLEMS = {
    "too few": (lambda dx, dw: dx, "backward returned 1 gradient"),
    "too many": (lambda dx, dw: (dx, dw, dw), "backward returned 3 gradients"),
    "None": (lambda dx, dw: (dx, None), "backward returned None for weights"),
    "None alone": (lambda dx, dw: None, "backward returned 1 gradient"),
    "NaN": (lambda dx, dw: (dx, dw * np.nan), "the gradient of weights has entries"),
    "strings": (lambda dx, dw: ("dx", dw), "the gradient of x is a str"),
    "a dict": (lambda dx, dw: {"x": dx, "w": dw}, "backward returned 1 gradient"),
    "another shape": (lambda dx, dw: (dx[:2], dw), "the gradient of x has shape (2, 3)"),
    "no axes": (lambda dx, dw: (dx.sum(), dw), "the gradient of x has shape ()"),
}


@pytest.mark.parametrize(("change", "problem"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_gradients_that_do_not_fit(change, problem):
    def function(x, weights):
        return x @ weights, lambda dy: change(dy @ weights.T, x.T @ dy)

    found = diagnose(function, X, W)
    assert not found.passed
    assert found.problems[0].startswith(problem)
    assert f"! {found.problems[0]}" in str(found)


def test_a_function_that_spoils_its_inputs():
    def function(x):
        x += 1
        return x, lambda d: d

    found = diagnose(function, X)
    assert (found.passed, found.mistakes) == (False, ())
    assert "in place" in str(found)


class TestWhatATraceMayMeet:
    """A function may refuse the arrays that record, or do with them what cannot be recorded."""

    @staticmethod
    def halved(x, y):
        return y, lambda d: -d * np.cos(x)

    def test_a_check_of_types(self):
        def function(x):
            if type(x) is not np.ndarray:
                raise TypeError("plain arrays only")
            return self.halved(x, np.sin(x))

        assert "sign" in kinds(function, X)

    def test_values_that_are_refused(self):
        def function(x):
            if not np.all(np.abs(x) < 5):
                raise ValueError("out of range")
            return self.halved(x, np.sin(x))

        assert "sign" in kinds(function, X)

    def test_an_error_that_is_no_exception_of_numpy(self):
        class Refused(Exception):
            pass

        def function(x):
            if not isinstance(x, np.ndarray) or type(x) is not np.ndarray:
                raise Refused
            return self.halved(x, np.sin(x))

        assert "sign" in kinds(function, X)

    def test_numpy_is_left_as_it_was(self):
        before = {name: getattr(np, name) for name in ("zeros", "ones", "empty", "full", "array")}
        diagnose(negated, Z, Z + 1)
        with pytest.raises(RuntimeError):
            diagnose(lambda x: (_ for _ in ()).throw(RuntimeError("in the function")), X)
        assert before == {name: getattr(np, name) for name in before}


def test_inputs_too_large_to_record_are_taken_as_one_step(monkeypatch):
    """What is done to a whole gradient is named all the same."""
    monkeypatch.setattr("backprop_book.diagnosing.LARGEST", 10)
    assert "sign" in kinds(negated, Z, Z + 1)


class TestLargeInputs:
    """The work does not grow with the number of wrong entries, nor with that of all of them."""

    def function(self, x, weights, change=lambda dx, dw: (2 * dx, dw)):
        self.calls = getattr(self, "calls", 0) + 1
        y = np.tanh(x @ weights)

        def backward(dy):
            dz = dy * (1 - y**2)
            return change(dz @ weights.T, x.T @ dz)

        return y, backward

    def inputs(self):
        return rng(1).normal(size=(100, 100)), 0.1 * rng(2).normal(size=(100, 50))

    def test_a_factor_is_named_after_few_calls(self):
        found = diagnose(lambda x, w: self.function(x, w), *self.inputs())
        assert "factor" in [mistake.kind for mistake in found.mistakes]
        assert "some of its entries" in str(found)
        assert self.calls < 4000

    def test_a_right_one_passes(self):
        right = lambda x, w: self.function(x, w, lambda dx, dw: (dx, dw))  # noqa: E731
        assert diagnose(right, *self.inputs()).passed

    def test_a_shape_speaks_for_itself(self):
        turned = lambda x, w: self.function(x, w, lambda dx, dw: (dx, dw.T))  # noqa: E731
        found = diagnose(turned, *self.inputs())
        assert [mistake.kind for mistake in found.mistakes] == ["transposed"]


def test_nothing_that_is_passed_in_is_changed():
    z, labels = Z.copy(), LABELS.copy()
    diagnose(without_the_label, z, labels)
    np.testing.assert_array_equal(z, Z)
    np.testing.assert_array_equal(labels, LABELS)


def test_the_errors_of_the_function_come_through():
    def function(x):
        raise KeyError("mask")

    with pytest.raises(KeyError, match="mask"):
        diagnose(function, X)


def test_what_a_diagnosis_prints():
    first, second = Finding("sign", "the sign", "of x"), Finding("factor", "a factor", "")
    found = Diagnosis(False, (first, second), (), ("a problem",))
    assert str(found).splitlines() == [
        "! a problem",
        "likely: the sign [sign]",
        "  where: of x",
        "or else: a factor [factor]",
    ]
    assert repr(found) == str(found)


# The whole collection, a part of it


def test_a_sample_of_the_collection():
    """`python -m benchmarks.diagnosis` prints how it is with all of it."""
    from benchmarks.diagnosis.__main__ import judge, wrong_tasks

    results = [judge(task) for task in wrong_tasks(1)[::25]]
    assert len(results) > 20
    assert [result[:4] for result in results if not result[5]] == []
    missed = [result[:5] for result in results if result[2] not in result[4][:2]]
    assert len(missed) <= 0.1 * len(results), missed

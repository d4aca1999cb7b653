"""The error of a difference over its step: what the figure shows against the package's slopes."""

import numpy as np
import pytest
from playing import Played

from backprop_book import numerical_gradient, one_sided_gradient

PAGE = "part-3/11-is-my-gradient-right/"
HEAD = "eˣ / (sin³ x + cos³ x) near 1.5"
EXACT = {  # operations that are rounded alike everywhere
    "x³ near 1": (1.0, lambda x: x * x * x, lambda x: 3 * x * x),
    "x² near 1": (1.0, lambda x: x * x, lambda x: 2 * x),
    "√x near a million": (1e6, np.sqrt, lambda x: 0.5 / np.sqrt(x)),
}


@pytest.fixture(scope="module")
def played(browser, address):
    page = browser.new_page(reduced_motion="reduce")
    yield Played(page, address + PAGE, "difference-error")
    page.close()


def head(x):
    return np.exp(x) / (np.sin(x) * np.sin(x) * np.sin(x) + np.cos(x) * np.cos(x) * np.cos(x))


def head_slope(x):
    s, c = np.sin(x), np.cos(x)
    below = s**3 + c**3
    return np.exp(x) * (below - 3 * s**2 * c + 3 * c**2 * s) / below**2


def worst(gradient, f, slope, at, dtype, h):
    points = (at * (1 + np.arange(40) / 1000)).astype(dtype)
    right = slope(points.astype(np.float64))
    measured = [gradient(f, point.reshape(()), h=dtype(h)) for point in points]
    return abs(np.array(measured, dtype=np.float64) / right - 1).max()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", EXACT)
def test_every_digit_of_the_errors_is_the_packages(played, name, dtype):
    at, f, slope = EXACT[name]
    played.choose("function", name)
    played.choose("precision", dtype.__name__)
    for i in (0, 20, 44):
        played.move("step", i)
        h = played.number("step h")
        for gradient, label in [
            (one_sided_gradient, "one-sided"),
            (numerical_gradient, "two-sided"),
        ]:
            expected = worst(gradient, f, slope, at, dtype, h)
            np.testing.assert_allclose(played.number(f"{label} error"), expected, rtol=1e-9)
    assert played.faults == []


def test_the_function_of_the_chapter_has_its_truncation_error(played):
    played.choose("function", HEAD)
    played.choose("precision", "float64")
    for i in (0, 5):
        played.move("step", i)
        h = played.number("step h")
        for gradient, label in [
            (one_sided_gradient, "one-sided"),
            (numerical_gradient, "two-sided"),
        ]:
            expected = worst(gradient, head, head_slope, 1.5, np.float64, h)
            np.testing.assert_allclose(played.number(f"{label} error"), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "precision", "i", "said"),
    [
        (HEAD, "float64", 0, "Truncation, in both"),
        (HEAD, "float64", 48, "one-sided error is truncation still"),
        (HEAD, "float64", 80, "Rounding, in both"),
        (HEAD, "float32", 80, "The step is lost"),
        ("x² near 1", "float64", 8, "has no truncation error at all"),
    ],
)
def test_it_says_which_error_rules(played, name, precision, i, said):
    played.choose("function", name)
    played.choose("precision", precision)
    played.move("step", i)
    assert said in played.remark


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_best_steps_are_the_roots_of_epsilon(played, precision):
    played.choose("function", "x³ near 1")
    played.choose("precision", precision)
    epsilon = float(np.finfo(precision).eps)
    for label, root in [("one-sided", 2), ("two-sided", 3)]:
        best = played.number(f"best {label} step") / epsilon ** (1 / root)
        assert 0.2 < best < 5

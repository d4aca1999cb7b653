"""An activation and its slope: what the figure shows against the package's numbers."""

import numpy as np
import pytest
from playing import Played

from backprop_book import gelu, identity, leaky_relu, relu, sigmoid, softplus, tanh

NAMES = {
    "sigmoid": sigmoid,
    "tanh": tanh,
    "ReLU": relu,
    "leaky ReLU": leaky_relu,
    "softplus": softplus,
    "GELU": gelu,
    "identity": identity,
}
GRID = np.arange(-600, 601) / 100


@pytest.fixture(scope="module")
def played(browser, address):
    page = browser.new_page(reduced_motion="reduce")
    played = Played(page, address + "part-2/08-activations/", "activations")
    yield played
    assert played.faults == []
    page.close()


def unsaturated(function):
    """Return the first and the last z at which a hundredth of a gradient or more passes."""
    passing = GRID[np.abs(function(GRID)[1](np.ones(GRID.size))) >= 0.01]
    low = passing[0] if passing[0] > GRID[0] else -np.inf
    high = passing[-1] if passing[-1] < GRID[-1] else np.inf
    return low, high


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_are_the_packages(played, name):
    function = NAMES[name]
    played.choose("activation", name)
    low, high = unsaturated(function)
    for z in [-5.5, -3, -0.75, 0, 0.6, 4]:
        played.move("pre-activation z", z)
        a, backward = function(np.array(float(z)))
        slope = float(backward(1.0))
        expected = {
            "activation a": float(a),
            "slope": slope,
            "slope to the tenth": slope**10,
            "saturated below z =": low,
            "saturated above z =": high,
        }
        assert played.numbers() == pytest.approx(expected, rel=1e-9, abs=0)


@pytest.mark.parametrize(
    ("name", "z", "said"),
    [
        ("sigmoid", 0, "0.250 of the gradient passes, 9.5e\N{MINUS SIGN}7 of it through ten"),
        ("sigmoid", 5, "Saturated: only 0.00665"),
        ("ReLU", 0, "Shut: nothing"),
        ("ReLU", 1, "All of the gradient passes"),
        ("GELU", -1, "The slope is negative: 0.0833"),
        ("GELU", 1.4, "1.13 of the gradient passes: it grows"),
    ],
)
def test_the_remark_says_what_becomes_of_a_gradient(played, name, z, said):
    played.choose("activation", name)
    played.move("pre-activation z", z)
    assert said in played.remark


def test_z_can_be_dragged(played):
    canvas = played.figure.locator(".canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    played.choose("activation", "identity")
    played.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    played.page.mouse.down()
    played.page.mouse.up()
    middle = played.number("activation a")
    played.page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    played.page.mouse.down()
    played.page.mouse.up()
    assert played.number("activation a") < middle

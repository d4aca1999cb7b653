"""The error parabola: what the figure shows against the package's numbers."""

import numpy as np
import pytest
from playing import Played

from backprop_book import lights, sgd_step, squared_error

BEST = 0.7
N_STEPS = 20


def opened(browser, url):
    page = browser.new_page(reduced_motion="reduce")
    yield Played(page, url, "error-parabola")
    page.close()


@pytest.fixture(scope="module")
def parabola(browser, address):
    yield from opened(browser, address + "part-1/02-derivatives-and-the-missing-2/")


@pytest.fixture(scope="module")
def along_steepest(browser, address):
    yield from opened(browser, address + "part-1/05-how-big-a-step/")


def scaled_loss(weight, curvature):
    """Half the curvature times the squared error is half the square of a scaled error."""
    root = np.sqrt(curvature)
    loss, backward = squared_error(np.full((1, 1), root * weight), np.full((1, 1), root * BEST))
    return loss, root * backward(1.0)[0].item()


@pytest.mark.parametrize(
    ("weight", "rate", "curvature", "said"),
    [
        (0.2, 0.3, 1.0, "creeps"),
        (0.2, 1.0, 1.0, "lands"),
        (1.5, 1.5, 1.0, "overshoots"),
        (0.3, 2.0, 1.0, "never comes closer"),
        (0.65, 1.3, 2.0, "diverges"),
    ],
)
def test_the_steps_are_the_packages(parabola, weight, rate, curvature, said):
    for label, value in [("weight", weight), ("learning rate", rate), ("curvature", curvature)]:
        parabola.move(label, value)
    loss, slope = scaled_loss(weight, curvature)
    path = {"w": np.array(weight)}
    ends = []
    for _ in range(N_STEPS):
        path = sgd_step(path, {"w": np.array(scaled_loss(path["w"], curvature)[1])}, rate)
        ends.append(path["w"])
    expected = {
        "slope": slope,
        "next weight": ends[0],
        "1 \N{MINUS SIGN} rate · curvature": (ends[0] - BEST) / (weight - BEST),
        "2 / curvature": 2 / curvature,
        "loss": loss,
        f"loss after {N_STEPS} steps": scaled_loss(ends[-1], curvature)[0],
    }
    assert parabola.numbers() == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert said in parabola.remark
    assert parabola.faults == []


def test_the_weight_and_the_rate_can_be_dragged(parabola):
    for picture, label in [("with the steps", "weight"), ("rates that", "learning rate")]:
        canvas = parabola.figure.locator(f'.canvas[aria-label*="{picture}"]')
        canvas.scroll_into_view_if_needed()
        before = parabola.figure.get_by_label(label, exact=True).input_value()
        box = canvas.bounding_box()
        parabola.page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 3)
        parabola.page.mouse.down()
        parabola.page.mouse.up()
        assert parabola.figure.get_by_label(label, exact=True).input_value() != before
    weight = float(parabola.figure.get_by_label("weight", exact=True).input_value())
    curvature = float(parabola.figure.get_by_label("curvature", exact=True).input_value())
    slope = scaled_loss(weight, curvature)[1]
    assert parabola.number("slope") == pytest.approx(slope, abs=0.01 * curvature)


def test_the_view_follows_what_diverges(along_steepest):
    along_steepest.move("learning rate", 1.9)
    inside = along_steepest.figure.locator(".canvas").last.evaluate(
        """canvas => {
          const { x, y, width, height } = canvas.querySelector("svg").viewBox.baseVal;
          return [...canvas.querySelectorAll(".step")].map(({ cx, cy }) => [
            cx.baseVal.value - x, cy.baseVal.value - y]).filter(([u, v]) =>
            0 < u && u < width && 0 < v && v < height).length }"""
    )
    assert inside >= 4  # the start, and three steps that nearly double the error each


def test_it_begins_along_the_steepest_direction_of_the_lights(browser, address, along_steepest):
    X, _ = lights()
    values, vectors = np.linalg.eigh(X.T @ X / len(X))
    amount = vectors[:, -1] @ (np.array([0.5, 0.48, -0.7]) - [0.0, 1.0, 0.0])
    curvature, weight = (
        float(along_steepest.figure.get_attribute(f"data-{name}"))
        for name in ("curvature", "weight")
    )
    assert curvature == round(values[-1], 4)
    assert abs(weight) == round(abs(amount), 4)
    assert along_steepest.number("2 / curvature") == pytest.approx(2 / curvature, rel=1e-9)
    loss = 0.5 * curvature * weight**2
    assert along_steepest.number("loss") == pytest.approx(loss, rel=1e-9)

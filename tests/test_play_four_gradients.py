"""Four gradients train side by side: what the figure shows against the package's network."""

import re

import numpy as np
import pytest
from playing import ROOT, Played

from backprop_book import (
    cross_entropy,
    digits,
    initialize,
    network,
    numerical_gradient,
    relu,
    sgd_step,
    sigmoid,
    tanh,
)

PAGE = "part-3/13-museum/"
RACES = {
    "sigmoid, learning rate 0.5": (sigmoid, 0.5),
    "tanh, learning rate 0.5": (tanh, 0.5),
    "ReLU, learning rate 0.6": (relu, 0.6),
}


@pytest.fixture(scope="module")
def played(browser, address):
    page = browser.new_page(reduced_motion="reduce")
    yield Played(page, address + PAGE, "four-gradients")
    page.close()


@pytest.fixture(scope="module")
def images():
    x, labels, *_ = digits()
    return x[::3], labels[::3]


def wrong_digits_loss(p, images, activation, rate, name):
    """Return the loss and its gradients, with the mistake of that name."""
    x, labels = images

    def slope_left_out(z):
        return activation(z)[0], lambda da: da

    is_left_out = name in ("slope left out", "gate always open")
    logits, backward = network(p, x, slope_left_out if is_left_out else activation)
    loss, loss_backward = cross_entropy(logits, labels)
    dlogits = loss_backward(1.0)
    if name == "half a Jacobian":
        dlogits = dlogits * np.eye(10)[labels]
    gradients, _ = backward(dlogits)
    first = gradients
    if name == "weights from the future":
        updated = p | {"weights_2": p["weights_2"] - rate * gradients["weights_2"]}
        first, _ = network(updated, x, activation)[1](dlogits)
    sign = -1 if name == "first layer climbs" else 1
    return loss, gradients | {key: sign * first[key] for key in ("weights_1", "bias_1")}


def start():
    """Return the first weights, and a direction of length 1 from the same generator."""
    rng = np.random.default_rng(0)
    parameters = initialize([64, 32, 10], rng)
    direction = {key: rng.uniform(-1, 1, size=array.shape) for key, array in parameters.items()}
    length = np.sqrt(sum((array**2).sum() for array in direction.values()))
    return parameters, {key: array / length for key, array in direction.items()}


def read_table(played):
    """Return {letter: (name, loss, claimed slope, relative error)}, and the measured slope."""
    rows = played.figure.locator(".runs tbody tr").evaluate_all(
        "rows => rows.map(row => [row.querySelector('th').textContent,"
        " ...[...row.querySelectorAll('data')].map(it => Number(it.value))])"
    )
    *runs, (_, measured) = rows
    return {told[0]: (told[3:], *numbers) for told, *numbers in runs}, measured


@pytest.mark.parametrize("race", RACES)
def test_losses_and_slopes_are_the_packages(played, images, race):
    activation, rate = RACES[race]
    played.choose("network", race)
    played.press("Train")
    played.press("Check all four")
    runs, measured = read_table(played)
    first, direction = start()

    def loss_at(step):
        p = {key: array + step * direction[key] for key, array in first.items()}
        return wrong_digits_loss(p, images, activation, rate, "right")[0]

    step = np.finfo(float).eps ** (1 / 3)
    referee = 10 * np.finfo(float).eps * loss_at(0) / (2 * step)  # what rounding leaves of a slope
    expected = numerical_gradient(loss_at, np.array(0.0))
    np.testing.assert_allclose(measured, expected, rtol=0, atol=referee)
    for name, loss, claimed, error in runs.values():
        p = first
        gradients = wrong_digits_loss(p, images, activation, rate, name)[1]
        expected = sum((gradients[key] * direction[key]).sum() for key in p)
        np.testing.assert_allclose(claimed, expected, rtol=1e-9)
        for _ in range(10):
            p = sgd_step(p, wrong_digits_loss(p, images, activation, rate, name)[1], rate)
        expected = wrong_digits_loss(p, images, activation, rate, name)[0]
        np.testing.assert_allclose(loss, expected, rtol=1e-9)
        assert (error < 1e-6) == (name == "right")
    assert played.faults == []


def test_a_pick_is_told_apart_and_nothing_before(played):
    played.choose("network", "ReLU, learning rate 0.6")
    played.choose("network", "sigmoid, learning rate 0.5")
    assert "right" not in played.figure.locator(".runs").inner_text()
    played.press("C")
    assert "C it is, and no curve told you" in played.remark
    played.press("Train")
    played.press("B")
    assert "B is wrong: slope left out. Yet its loss is the lower one" in played.remark
    assert re.search(r"after 10 updates, 2\.21 against 2\.27", played.remark)
    played.press("A")
    assert "Its curve gives it away" in played.remark
    played.press("C")
    assert "But B and D, wrong, did better in 10 updates" in played.remark
    for _ in range(4):
        played.press("Train")
    losses = {name: loss for name, loss, *_ in read_table(played)[0].values()}
    assert f"{losses['right']:.3f} {losses['slope left out']:.3f}" == "2.043 1.217"  # the chapter's


def test_the_images_are_the_packages(images):
    text = (ROOT / "docs/assets/explorables/digits.js").read_text(encoding="utf-8")
    pixels, labels = re.findall(r'"([^"]+)"', text)
    x = np.array([ord(letter) - ord("a") for letter in pixels]) / 16
    np.testing.assert_array_equal(x.reshape(-1, 64), images[0])
    np.testing.assert_array_equal([int(digit) for digit in labels], images[1])

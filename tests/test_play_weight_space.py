"""Three paths over the plane of two weights: what the figure shows against the package."""

import numpy as np
import pytest
from playing import Played

from backprop_book import iterate_minibatches, linear_regression, noisy_plane, sgd_step

N, N_EPOCHS = 64, 10
RATES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 1.5]


@pytest.fixture(scope="module")
def plane(browser, address):
    page = browser.new_page(reduced_motion="reduce")
    played = Played(page, address + "part-1/04-stochastic-mini-batch-full-batch/", "weight-space")
    yield played
    assert played.faults == []
    page.close()


def points(noise):
    X, y = noisy_plane(N)
    return X, y if noise == "as in the chapter" else X @ np.array([[3.0], [-2.0]]) + 1


def loss_and_gradient(weights, x, target):
    parameters = {"weights": weights["weights"], "bias": np.ones(1)}
    loss, backward = linear_regression(parameters, x, target)
    return loss, {"weights": backward(1.0)["weights"]}


def heights(noise, batch_size, rate, seed=0):
    """Return the loss above the floor at the start and after each update."""
    X, y = points(noise)
    lowest = np.linalg.lstsq(X, y - 1)[0]
    floor, _ = loss_and_gradient({"weights": lowest}, X, y)
    rng = np.random.RandomState(seed)
    weights = {"weights": np.zeros((2, 1))}
    losses = [loss_and_gradient(weights, X, y)[0]]
    for _ in range(N_EPOCHS):
        order = np.argsort(rng.random_sample(N))
        for batch in iterate_minibatches(X[order], y[order], batch_size):
            weights = sgd_step(weights, loss_and_gradient(weights, *batch)[1], rate)
            losses.append(loss_and_gradient(weights, X, y)[0])
    return np.array(losses) - floor


def row(plane, i):
    cells = plane.figure.locator("tbody tr").nth(i).locator("data")
    return [float(value) for value in cells.evaluate_all("all => all.map(it => it.value)")]


def setting(plane, size, rate, noise, looked):
    plane.move("learning rate", RATES.index(rate))
    plane.move("mini-batch size", np.log2(size))
    plane.choose("noise in the targets", noise)
    plane.move("points looked at", looked)


@pytest.mark.parametrize(
    ("size", "rate", "noise", "looked", "said"),
    [
        (8, 0.2, "as in the chapter", 64, "in 64, 8 and 1 steps. Lowest so far: one at a time"),
        (4, 1, "as in the chapter", 64, "Lowest so far: 4 at a time"),
        (16, 0.2, "as in the chapter", 640, "One at a time comes no nearer"),
        (32, 0.2, "none", 640, "one at a time settles there"),
        (2, 0.01, "as in the chapter", 200, "still coming down"),
    ],
)
def test_the_paths_are_the_packages(plane, size, rate, noise, looked, said):
    setting(plane, size, rate, noise, looked)
    for i, batch_size in enumerate([1, size, N]):
        steps = looked // batch_size
        height = heights(noise, batch_size, rate)
        averaged = height[max(0, steps + 1 - N // batch_size) : steps + 1].mean()
        expected = [steps, height[steps], averaged]
        np.testing.assert_allclose(row(plane, i), expected, rtol=1e-9, atol=1e-13)
    assert said in plane.remark


def test_a_rate_that_the_full_batch_bears_throws_the_single_steps_out(plane):
    setting(plane, 8, 1, "as in the chapter", 640)
    assert plane.remark.startswith("The rate is too large for one at a time:")
    assert row(plane, 2)[1] == pytest.approx(heights("as in the chapter", N, 1)[-1], abs=1e-13)


def test_play_goes_on_and_a_new_shuffle_moves_all_but_the_full_batch(plane):
    setting(plane, 8, 0.2, "as in the chapter", 64)
    before = [row(plane, i) for i in range(3)]
    plane.press("New shuffle")
    after = [row(plane, i) for i in range(3)]
    assert [a == b for a, b in zip(before[:2], after[:2], strict=True)] == [False, False]
    assert after[2] == pytest.approx(before[2], rel=1e-12)
    shuffled = heights("as in the chapter", 1, 0.2, seed=1)
    assert after[0][1] == pytest.approx(shuffled[64], rel=1e-9)
    plane.press("Play")
    assert row(plane, 0)[0] == 72

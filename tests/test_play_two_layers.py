"""The two layers of experiment C: every number of the figure against the package's functions."""

import numpy as np
import pytest
from playing import Played

from backprop_book import dense, lights, relu, squared_error, xor_lights

PAGE = "part-2/09-two-layers/"
ONE, XOR = "light two is on", "just one of the first two is on"
TASKS = {ONE: lights(), XOR: xor_lights()}
ERRORS = {
    9: 0.31298811341557736,
    19: 0.043272385299784624,
    29: 0.0034372657015086937,
    39: 0.00019649599346773566,
    49: 1.015593230102771e-05,
    59: 5.122102420300414e-07,
}
EPOCH, SUM, NOW = (
    "epochs of training",
    "squared errors of this epoch",
    "squared errors with these weights",
)
MADE = ["z1", "a1", "prediction", "loss", "dprediction", "dW2", "da1", "dz1", "dW1"]


@pytest.fixture(scope="module")
def played(browser, address):
    page = browser.new_page(reduced_motion="reduce")
    yield Played(page, address + PAGE, "two-layers")
    page.close()


def shown(played):
    """Return every number of the drawing, by its name in the chapter."""
    texts = played.figure.locator("[data-name]").evaluate_all(
        "all => all.map((it) => [it.dataset.name, Number(it.dataset.value)])"
    )
    return {name: np.array([v for n, v in texts if n == name]) for name, _ in texts}


def step_until(played, code):
    """Step to the next time that a line of the chapter is at work."""
    for _ in range(11):
        played.press("Next operation")
        if code in played.remark:
            return
    pytest.fail(f"no operation is {code}: {played.remark}")


def draw_weights(seed):
    random = np.random.RandomState(seed).random_sample
    return 2 * random((3, 4)) - 1, 2 * random((4, 1)) - 1


def both_ways(W1, W2, x, target):
    """Return all that a page gives, by the functions of the package."""
    z1, first_backward = dense(x, W1, np.zeros(4))
    a1, relu_backward = relu(z1)
    prediction, second_backward = dense(a1, W2, np.zeros(1))
    loss, loss_backward = squared_error(prediction, target)
    dprediction = loss_backward(1.0)[0]
    da1, dW2, _ = second_backward(dprediction)
    dz1 = relu_backward(da1)
    _, dW1, _ = first_backward(dz1)
    values = [z1, a1, prediction, loss, dprediction, dW2, da1, dz1, dW1]
    return dict(zip(MADE, values, strict=True))


def train(task, seed, n_epochs):
    """Return the weights after so many epochs."""
    X, y = TASKS[task]
    W1, W2 = draw_weights(seed)
    for x, target in zip(np.tile(X, (n_epochs, 1)), np.tile(y, n_epochs), strict=True):
        found = both_ways(W1, W2, x[None], target.reshape(1, 1))
        W1, W2 = W1 - 0.2 * found["dW1"], W2 - 0.2 * found["dW2"]
    return W1, W2


def assert_shown(played, expected):
    found = shown(played)
    assert list(found) and set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(
            found[name], np.ravel(values), rtol=1e-9, atol=1e-13, err_msg=name
        )


def test_the_random_numbers_are_numpys(played, address):
    seeds = [0, 1, 99, 2**32 - 1]
    drawn = played.page.evaluate(
        """async ([url, seeds]) => {
          const { randomState } = await import(url);
          return seeds.map((seed) => Array.from({ length: 1500 }, randomState(seed)));
        }""",
        [f"{address}assets/explorables/random.js", seeds],
    )
    expected = [np.random.RandomState(seed).random_sample(1500) for seed in seeds]
    np.testing.assert_array_equal(drawn, expected)


def test_the_errors_are_those_of_experiment_c(played):
    played.choose("walk if", ONE)
    played.move("seed", 1)
    for epoch, error in ERRORS.items():
        played.move(EPOCH, epoch)
        assert played.number(SUM) == pytest.approx(error, rel=1e-9)


@pytest.mark.parametrize(("task", "seed", "epoch"), [(ONE, 1, 0), (ONE, 37, 60), (XOR, 1, 25)])
def test_each_operation_makes_what_the_package_makes(played, task, seed, epoch):
    played.choose("walk if", task)
    played.move("seed", seed)
    step_until(played, "x, target =")
    played.move(EPOCH, epoch)
    W1, W2 = train(task, seed, epoch)
    X, y = TASKS[task]
    found = both_ways(W1, W2, X[:1], y[:1].reshape(1, 1))
    for known in range(len(MADE) + 1):
        assert_shown(played, {"W1": W1, "W2": W2} | {name: found[name] for name in MADE[:known]})
        played.press("Next operation")
    assert_shown(played, found | {"W1": W1 - 0.2 * found["dW1"], "W2": W2 - 0.2 * found["dW2"]})
    assert "Next page" in played.remark
    assert played.faults == []


def test_page_after_page_is_an_epoch_and_back_undoes_a_step(played):
    played.choose("walk if", XOR)
    played.move("seed", 4)
    step_until(played, "x, target =")
    played.move(EPOCH, 0)
    assert played.figure.get_by_role("button", name="Back").is_disabled()
    for page in (2, 3, 4, 1):
        played.press("Next page")
        assert f"Page {page} of 4" in played.remark
    W1, W2 = train(XOR, 4, 1)
    assert_shown(played, {"W1": W1, "W2": W2})
    played.press("Back")
    assert set(shown(played)) == {"W1", "W2", *MADE}
    played.press("Next operation")
    assert_shown(played, {"W1": W1, "W2": W2})


def test_all_hundred_seeds_end_as_in_the_chapter(played):
    played.choose("walk if", XOR)
    played.move(EPOCH, 300)
    ends = played.figure.evaluate(
        """(figure) => {
          const seed = figure.querySelector("input[type=range]");
          const now = figure.querySelectorAll(".readout data")[1];
          const said = figure.querySelector(".remark");
          const words = () => [...figure.querySelectorAll(".canvas text")];
          return Array.from({ length: 100 }, (_, i) => {
            seed.value = i;
            seed.dispatchEvent(new Event("input"));
            const dead = words().filter((it) => it.textContent === "dead");
            return [Number(now.value), dead.length, said.textContent];
          });
        }"""
    )
    assert ends[-1][0] == played.number(NOW)
    W1, W2 = (np.array(arrays) for arrays in zip(*map(draw_weights, range(100)), strict=True))
    X, y = TASKS[XOR]
    for x, target in zip(np.tile(X, (300, 1)), np.tile(y, 300), strict=True):
        z1 = x @ W1
        residual = (np.maximum(z1, 0) * W2[:, :, 0]).sum(axis=1) - target
        dz1 = residual[:, None] * W2[:, :, 0] * (z1 > 0)
        W2 = W2 - 0.2 * (residual[:, None] * np.maximum(z1, 0))[:, :, None]
        W1 = W1 - 0.2 * x[:, None] * dz1[:, None, :]
    errors = ((np.maximum(X @ W1, 0) @ W2)[:, :, 0] - y) ** 2
    np.testing.assert_allclose(
        [end for end, _, _ in ends], errors.sum(axis=1), rtol=1e-9, atol=1e-13
    )
    n_dead = ((X @ W1 > 0).sum(axis=1) == 0).sum(axis=1)
    assert [dead for _, dead, _ in ends] == n_dead.tolist()
    assert sum("is learned" in told for _, _, told in ends) == 56
    assert sum("is not learned" in told for _, _, told in ends) == 44


def test_it_says_that_what_is_left_of_the_network_is_a_line(played):
    played.choose("walk if", ONE)
    played.move("seed", 1)
    played.move(EPOCH, 60)
    assert played.remark == (
        "After 60 epochs units 0, 1 and 2 are dead: off on every page. "
        "The rest is on for every page: a straight line. The task is learned."
    )


def test_it_counts_the_weights_that_learn_from_a_page(played):
    for epoch, said in [(0, "3 of 16 learn from this page."), (300, "no weight has anything")]:
        played.choose("walk if", ONE if epoch == 0 else XOR)
        played.move("seed", 1)
        step_until(played, "prediction =")
        played.move(EPOCH, epoch)
        step_until(played, "dW1 = x.T @ dz1")
        assert said in played.remark

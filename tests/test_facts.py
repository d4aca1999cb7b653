"""The numbers that the book starts from, to all their digits: experiments A, B and C."""

import numpy as np
import pytest

from backprop_book import (
    dense,
    iterate_minibatches,
    lights,
    linear_regression,
    relu,
    sgd_step,
    squared_error,
    xor_lights,
)

EXACT = 1e-9  # relative
START = np.array([0.5, 0.48, -0.7])
X, Y = lights()

ROWS_OF_A = {
    0: (0.03999999999999998, -0.19999999999999996),
    5: (0.004294967295999976, -0.06553599999999982),
    10: (0.0004611686018427356, -0.021474836479999926),
    15: (4.951760157141604e-05, -0.007036874417766459),
    20: (5.316911983140017e-06, -0.0023058430092137705),
    25: (5.708990770825904e-07, -0.0007555786372592799),
    30: (6.129982163457715e-08, -0.0002475880078569581),
    35: (6.5820182292947054e-09, -8.112963841466758e-05),
}
"""Error and prediction at an update: 20 updates from a fresh start, and the 20 that went on."""

ROWS_OF_B = {
    0: (-0.19999999999999996, 2.6561231104),
    1: (0.14041599999999999, 0.9628701776715985),
    2: (0.213603334144, 0.5509165866836797),
    30: (-0.003733415818170091, 0.0018939739123713475),
    31: (-0.003565528921192253, 0.0016451096996342332),
    32: (-0.0033920135266339822, 0.0014290353984827077),
    33: (-0.003216638628616701, 0.0012413985592149145),
    34: (-0.003042243679620596, 0.0010784359268087556),
}
"""The first row's prediction and the summed error of an epoch."""

ERRORS_OF_C = [
    0.31298811341557736,
    0.043272385299784624,
    0.0034372657015086937,
    0.00019649599346773566,
    1.015593230102771e-05,
    5.122102420300414e-07,
]


def without_bias(parameters, x, target):
    """The experiments' model: `dense` with its bias held at 0."""
    prediction, dense_backward = dense(x, parameters["weights"], np.zeros(1))
    loss, loss_backward = squared_error(prediction, target)

    def backward(dloss):
        return {"weights": dense_backward(loss_backward(dloss)[0])[1]}

    return (loss, prediction), backward


def column_as_bias(parameters, x, target):
    """The same model, the third light, which is always on, told as the bias."""
    loss, backward = linear_regression(parameters, x[:, :2], target)
    prediction, _ = dense(x[:, :2], parameters["weights"], parameters["bias"])
    return (loss, prediction), backward


MODELS = {
    "three weights": (without_bias, {"weights": START[:, None]}),
    "two weights and a bias": (column_as_bias, {"weights": START[:2, None], "bias": START[2:]}),
}


def descend(model, parameters, x, y, n_epochs, learning_rate=0.1):
    """Yield, for each epoch, the prediction for its first row and its summed squared error."""
    for _ in range(n_epochs):
        predictions, errors = [], []
        for row, target in iterate_minibatches(x, y[:, None], batch_size=1):
            (loss, prediction), backward = model(parameters, row, target)
            predictions.append(prediction.item())
            errors.append(2 * float(loss))  # the loss is half the squared error
            parameters = sgd_step(parameters, backward(1.0), learning_rate)
        yield predictions[0], sum(errors)


models = pytest.mark.parametrize(("model", "start"), MODELS.values(), ids=MODELS)


@models
def test_experiment_a(model, start):
    rows = list(descend(model, start, X[:1], Y[:1], n_epochs=40))
    for update, (error, prediction) in ROWS_OF_A.items():
        assert rows[update] == pytest.approx((prediction, error), rel=EXACT, abs=0)


def test_experiment_a_follows_from_one_formula():
    for update, (error, prediction) in ROWS_OF_A.items():
        assert prediction == pytest.approx(-0.2 * 0.8**update, rel=EXACT, abs=0)
        assert error == pytest.approx(prediction**2, rel=EXACT, abs=0)
    assert 1 - 0.1 * X[0] @ X[0] == pytest.approx(0.8, rel=1e-15)


def test_experiment_a_with_the_2_at_half_the_learning_rate():
    """The notebook's line by hand, and the full derivative at half the rate: the same numbers."""
    by_hand, full = START.copy(), START.copy()
    for update in range(40):
        prediction = X[0] @ by_hand
        assert X[0] @ full == pytest.approx(prediction, rel=EXACT, abs=0)
        if update in ROWS_OF_A:
            told = ((Y[0] - prediction) ** 2, prediction)
            assert told == pytest.approx(ROWS_OF_A[update], rel=EXACT, abs=0)
        by_hand = by_hand - 0.1 * X[0] * (prediction - Y[0])
        full = full - 0.05 * 2 * X[0] * (X[0] @ full - Y[0])


@models
def test_experiment_b(model, start):
    rows = list(descend(model, start, X, Y, n_epochs=35))
    for epoch, row in ROWS_OF_B.items():
        assert rows[epoch] == pytest.approx(row, rel=EXACT, abs=0)


def test_the_third_light_is_a_bias():
    """Told either way, experiment B is the same to the last digits."""
    assert np.all(X[:, 2] == 1)
    told = [list(descend(model, start, X, Y, n_epochs=35)) for model, start in MODELS.values()]
    np.testing.assert_allclose(told[0], told[1], rtol=1e-12)


START_OF_C = 2 * np.random.RandomState(1).random_sample((3, 4)) - 1
"""The first layer of experiment C, as it is drawn."""


def two_layers(n_epochs):
    """Experiment C by hand: yield each epoch's summed squared error and its weights."""
    state = np.random.RandomState(1)
    weights1 = 2 * state.random_sample((3, 4)) - 1
    weights2 = 2 * state.random_sample((4, 1)) - 1
    for _ in range(n_epochs):
        error = 0.0
        for i in range(len(X)):
            x, target = X[i : i + 1], Y[i : i + 1, None]
            hidden = np.maximum(x @ weights1, 0)
            output = hidden @ weights2
            error += ((target - output) ** 2).sum()
            delta2 = target - output
            delta1 = (delta2 @ weights2.T) * (hidden > 0)
            weights2 = weights2 + 0.2 * hidden.T @ delta2
            weights1 = weights1 + 0.2 * x.T @ delta1
        yield error, weights1, weights2


def test_experiment_c():
    errors = [error for error, _, _ in two_layers(60)]
    assert errors[9::10] == pytest.approx(ERRORS_OF_C, rel=EXACT, abs=0)


def test_experiment_c_with_the_package_s_functions():
    """Two dense layers with their biases held at 0, and ReLU between them: the same numbers."""
    state = np.random.RandomState(1)
    parameters = {"first": 2 * state.random_sample((3, 4)) - 1}
    parameters["second"] = 2 * state.random_sample((4, 1)) - 1
    errors = []
    for _ in range(60):
        losses = []
        for x, target in iterate_minibatches(X, Y[:, None], batch_size=1):
            z, first_backward = dense(x, parameters["first"], np.zeros(4))
            a, relu_backward = relu(z)
            prediction, second_backward = dense(a, parameters["second"], np.zeros(1))
            loss, loss_backward = squared_error(prediction, target)
            da, dsecond, _ = second_backward(loss_backward(1.0)[0])
            _, dfirst, _ = first_backward(relu_backward(da))
            parameters = sgd_step(parameters, {"first": dfirst, "second": dsecond}, 0.2)
            losses.append(2 * float(loss))
        errors.append(sum(losses))
    assert errors[9::10] == pytest.approx(ERRORS_OF_C, rel=EXACT, abs=0)


ROWS_ON = {0: [0, 3, 0, 3], 1: [0, 2, 0, 5], 2: [0, 2, 0, 6]}
"""For how many of the six rows each hidden unit is on, before and after the first epochs."""


def rows_on(weights1):
    return (X @ weights1 > 0).sum(axis=0).tolist()


def test_experiment_c_is_three_quarters_dead():
    """Units 0 and 2 are dead at birth, unit 1 by the end of epoch 4; unit 3 is on for all rows."""
    on = [rows_on(START_OF_C), *(rows_on(weights1) for _, weights1, _ in two_layers(60))]
    assert {epoch: on[epoch] for epoch in ROWS_ON} == ROWS_ON
    assert on[3] == [0, 2, 0, 6]
    assert all(row == [0, 0, 0, 6] for row in on[4:])


def test_the_units_that_are_dead_at_birth_never_move():
    """To the last bit, through 60 epochs; what leads out of them does not move either."""
    state = np.random.RandomState(1)
    assert np.array_equal(2 * state.random_sample((3, 4)) - 1, START_OF_C)
    start2 = 2 * state.random_sample((4, 1)) - 1
    for _, weights1, weights2 in two_layers(60):
        assert weights1[:, [0, 2]].tobytes() == START_OF_C[:, [0, 2]].tobytes()
        assert weights2[[0, 2]].tobytes() == start2[[0, 2]].tobytes()
        assert np.all(weights1[:, 3] != START_OF_C[:, 3])


def test_what_is_left_of_experiment_c_is_a_linear_map():
    *_, (_, weights1, weights2) = two_layers(60)
    linear = weights1[:, 3] * weights2[3]
    assert linear.round(4).tolist() == [-0.0004, 0.9997, 0.0004]
    np.testing.assert_allclose(np.maximum(X @ weights1, 0) @ weights2, (X @ linear)[:, None])


SOLVED = {2: 29, 4: 56, 8: 96, 16: 99}
"""How many of the seeds 0 to 99 learn the exclusive or, by the number of hidden units."""


def errors_on_xor(n_hidden, n_epochs=300, learning_rate=0.2):
    """Return the summed error of the last epoch for each seed, all seeds trained side by side."""
    inputs, targets = xor_lights()
    weights1, weights2 = np.empty((100, 3, n_hidden)), np.empty((100, n_hidden))
    for seed in range(100):
        state = np.random.RandomState(seed)
        weights1[seed] = 2 * state.random_sample((3, n_hidden)) - 1
        weights2[seed] = 2 * state.random_sample((n_hidden, 1))[:, 0] - 1
    for _ in range(n_epochs):
        errors = np.zeros(100)
        for x, target in zip(inputs, targets, strict=True):
            hidden = np.maximum(x @ weights1, 0)
            residual = (hidden * weights2).sum(axis=1) - target
            errors += residual**2
            delta = residual[:, None] * weights2 * (hidden > 0)
            weights2 = weights2 - learning_rate * residual[:, None] * hidden
            weights1 = weights1 - learning_rate * x[:, None] * delta[:, None]
    return errors


@pytest.mark.parametrize(("n_hidden", "n_solved"), SOLVED.items())
def test_how_many_seeds_learn_the_exclusive_or(n_hidden, n_solved):
    assert (errors_on_xor(n_hidden) < 0.01).sum() == n_solved


def test_without_a_hidden_layer_the_exclusive_or_is_out_of_reach():
    """The best linear map says one half of every row; the target of experiment C needs none."""
    inputs, targets = xor_lights()
    best, *_ = np.linalg.lstsq(inputs, targets)
    np.testing.assert_allclose(inputs @ best, 0.5, rtol=1e-14)
    assert ((inputs @ best - targets) ** 2).sum() == pytest.approx(1.0, rel=1e-14)


def test_the_target_is_the_middle_light():
    assert np.array_equal(Y, X[:, 1])
    best, *_ = np.linalg.lstsq(X, Y)
    np.testing.assert_allclose(best, [0, 1, 0], atol=1e-14)


@pytest.mark.parametrize("experiment", ["A", "B"])
def test_a_wrong_last_digit_would_be_seen(experiment):
    """The comparison is no looser than it says: a change of 2e-9 is refused."""
    table = ROWS_OF_A if experiment == "A" else ROWS_OF_B
    for row in table.values():
        assert np.array(row) * (1 + 2e-9) != pytest.approx(row, rel=EXACT, abs=0)


def test_experiment_c_with_a_wrong_last_digit_would_be_seen():
    for error in ERRORS_OF_C:
        assert error * (1 + 2e-9) != pytest.approx(error, rel=EXACT, abs=0)

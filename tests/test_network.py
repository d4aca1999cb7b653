"""The network of chapter 10 beside what it is made of, and how it begins."""

import numpy as np
import pytest

from backprop_book import (
    compose,
    dense,
    gelu,
    initialize,
    network,
    network_loss,
    relu,
    sgd_step,
    squared_error,
    tanh,
    xor_lights,
)

SIZES = [3, 5, 4, 2]


def rng(seed=0):
    return np.random.default_rng(seed)


def parameters_with_biases():
    """Parameters whose biases are not 0, so that a test can tell them."""
    return {name: array + 0.1 for name, array in initialize(SIZES, rng()).items()}


X, TARGET = rng(1).normal(size=(6, 3)), rng(2).normal(size=(6, 2))


def test_the_start_has_every_layer_in_order():
    shapes = {name: array.shape for name, array in initialize(SIZES, rng()).items()}
    assert list(shapes.items()) == [
        ("weights_1", (3, 5)),
        ("bias_1", (5,)),
        ("weights_2", (5, 4)),
        ("bias_2", (4,)),
        ("weights_3", (4, 2)),
        ("bias_3", (2,)),
    ]


def test_the_start_is_uniform_within_one_over_the_root_of_the_inputs():
    parameters = initialize([100, 400, 25], rng())
    for weights, bound in ((parameters["weights_1"], 0.1), (parameters["weights_2"], 0.05)):
        assert 0.99 * bound < abs(weights).max() <= bound
        assert abs(weights.mean()) < 0.02 * bound
        assert weights.std() == pytest.approx(bound / np.sqrt(3), rel=0.02)
    assert not parameters["bias_1"].any()
    assert not parameters["bias_2"].any()


def test_a_seed_decides_the_start():
    first, again, other = (initialize(SIZES, rng(seed)) for seed in (0, 0, 1))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["weights_1"], other["weights_1"])
    assert not np.array_equal(first["weights_1"].ravel()[:8], first["weights_3"].ravel())


def test_a_network_of_one_layer_is_a_dense_layer():
    parameters = {"weights_1": rng(3).normal(size=(3, 2)), "bias_1": rng(4).normal(size=2)}
    output, backward = network(parameters, X)
    wanted, dense_backward = dense(X, *parameters.values())
    np.testing.assert_array_equal(output, wanted)
    gradients, dx = backward(TARGET)
    for gradient, other in zip((dx, *gradients.values()), dense_backward(TARGET), strict=True):
        np.testing.assert_array_equal(gradient, other)


@pytest.mark.parametrize("activation", [relu, tanh, gelu], ids=lambda f: f.__name__)
def test_a_network_is_its_layers_and_activations_composed(activation):
    parameters = parameters_with_biases()

    def layer(k):
        def function(x):
            output, backward = dense(x, parameters[f"weights_{k}"], parameters[f"bias_{k}"])
            return output, lambda doutput: backward(doutput)[0]

        return function

    composed = compose([layer(1), activation, layer(2), activation, layer(3)])
    for told, wanted in zip(network(parameters, X, activation), composed(X), strict=True):
        if callable(told):
            told, wanted = told(TARGET)[1], wanted(TARGET)
        np.testing.assert_array_equal(told, wanted)


def test_without_a_word_the_activation_is_relu():
    parameters = parameters_with_biases()
    np.testing.assert_array_equal(network(parameters, X)[0], network(parameters, X, relu)[0])
    assert network_loss(parameters, X, TARGET)[0] == network_loss(parameters, X, TARGET, relu)[0]


def test_the_gradients_are_a_dict_like_the_parameters():
    parameters = parameters_with_biases()
    for gradients in (
        network(parameters, X)[1](TARGET)[0],
        network_loss(parameters, X, TARGET)[1](1.0),
    ):
        assert {name: g.shape for name, g in gradients.items()} == {
            name: p.shape for name, p in parameters.items()
        }
        sgd_step(parameters, gradients, 0.1)  # which insists on it


def test_the_order_of_the_dict_does_not_matter():
    parameters = parameters_with_biases()
    turned = dict(reversed(parameters.items()))
    np.testing.assert_array_equal(network(turned, X)[0], network(parameters, X)[0])
    gradients, _ = network(turned, X)[1](TARGET)
    wanted, _ = network(parameters, X)[1](TARGET)
    assert all(np.array_equal(gradients[name], wanted[name]) for name in parameters)


def test_a_batch_is_its_examples_one_by_one():
    """Gradients add up over the examples of a network, and are averaged by the loss."""
    parameters = parameters_with_biases()
    _, backward = network_loss(parameters, X, TARGET, tanh)
    together = backward(1.0)
    alone = [
        network_loss(parameters, X[i : i + 1], TARGET[i : i + 1], tanh)[1](1.0) for i in range(6)
    ]
    for name, gradient in together.items():
        mean = sum(gradients[name] for gradients in alone) / 6
        np.testing.assert_allclose(gradient, mean, rtol=1e-12, atol=1e-15)


def test_the_loss_is_the_squared_error_of_the_output():
    parameters = parameters_with_biases()
    loss, backward = network_loss(parameters, X, TARGET, tanh)
    wanted, _ = squared_error(network(parameters, X, tanh)[0], TARGET)
    assert loss == wanted
    once, twice = backward(1.0), backward(2.0)
    assert all(np.array_equal(2 * once[name], twice[name]) for name in once)


def test_a_step_after_the_forward_pass_does_not_reach_its_backward():
    """The gradient is that of what was computed, whatever has become of the parameters since."""
    parameters = parameters_with_biases()
    _, backward = network_loss(parameters, X, TARGET, tanh)
    before = backward(1.0)
    parameters |= sgd_step(parameters, before, 0.5)
    after = backward(1.0)
    assert all(np.array_equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("sizes", [[2, 8, 1], [2, 8, 8, 1]], ids=str)
def test_it_learns_the_exclusive_or(sizes):
    inputs, targets = xor_lights()
    parameters = initialize(sizes, rng())
    for _ in range(300):
        loss, backward = network_loss(parameters, inputs[:, :2], targets[:, None], tanh)
        parameters = sgd_step(parameters, backward(1.0), learning_rate=0.5)
    assert loss < 1e-3

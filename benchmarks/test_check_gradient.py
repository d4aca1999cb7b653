"""Checking every gradient of a network of 17,226 parameters, one by one and by sampling."""

import pytest

from backprop_book import check_gradient, cross_entropy, network
from benchmarks.training_step import start

SMALL = start([64, 128, 64, 10], 64, "float64")


def loss_of(parameters):
    """Return the loss as a function of the parameters alone."""
    logits, network_backward = network(parameters, SMALL.x)
    loss, loss_backward = cross_entropy(logits, SMALL.labels)
    return loss, lambda dloss: network_backward(loss_backward(dloss), with_dx=False)[0]


@pytest.mark.parametrize(
    ("contender", "options", "rounds"),
    [("every entry", {}, 1), ("one direction", {"directions": 1}, 15)],
)
def test_check_gradient(benchmark, contender, options, rounds):
    """The gradients are right; how long does it take to know?"""
    benchmark.extra_info.update(case="check_gradient", contender=contender)
    check = benchmark.pedantic(
        check_gradient, args=(loss_of, SMALL.parameters), kwargs=options, rounds=rounds
    )
    assert check

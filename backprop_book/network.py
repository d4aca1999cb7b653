"""A network of dense layers, of any depth. Written in chapter 10."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from backprop_book.activations import identity, relu
from backprop_book.arrays import Array, Parameters
from backprop_book.checks import values
from backprop_book.regression import dense, squared_error
from backprop_book.rules import callback, generator, layer_sizes, layers

Activation: TypeAlias = Callable[[Array], tuple[Array, Callable[[Any], Array]]]


@values(sizes=layer_sizes, rng=generator)
def initialize(sizes: Sequence[int], rng: np.random.Generator) -> Parameters:
    """Return random weights and zero biases for a network with layers of these sizes.

    The first size is the number of features, the last that of outputs. Layer k, counted from 1
    at the input, has "weights_k" of shape (size before, size after), drawn uniformly from
    (-1, 1) / sqrt(size before), and "bias_k" of shape (size after,).

    Raises TypeError if rng is not a generator, ValueError for fewer than two sizes or a size below
    1.

    >>> parameters = initialize([3, 4, 1], np.random.default_rng(0))
    >>> {name: array.shape for name, array in parameters.items()}
    {'weights_1': (3, 4), 'bias_1': (4,), 'weights_2': (4, 1), 'bias_2': (1,)}
    """
    parameters = {}
    for layer, (n_in, n_out) in enumerate(pairwise(sizes), start=1):
        parameters[f"weights_{layer}"] = rng.uniform(-1, 1, size=(n_in, n_out)) / np.sqrt(n_in)
        parameters[f"bias_{layer}"] = np.zeros(n_out)
    return parameters


@values(parameters=layers, activation=callback)
def network(
    parameters: Parameters, x: Array, activation: Activation = relu
) -> tuple[Array, Callable[..., tuple[Parameters, Any]]]:
    """Run examples through dense layers with an activation between them, none after the last.

    parameters are named as by `initialize`; x is (N, D), the output (N, H) for the last layer's H.
    `backward(doutput)` takes (N, H) and returns (gradients, dx): a dict like parameters, and an
    array (N, D). `backward(doutput, with_dx=False)` returns None for dx, and spares its product
    (Rumelhart, Hinton and Williams, Nature 323, 1986, 533-536).

    Raises TypeError if the activation is not a function, ValueError for parameters that are not
    those of layers 1, 2, ... or do not fit one another, and as `dense` does.

    >>> parameters = initialize([3, 4, 1], np.random.default_rng(0))
    >>> output, backward = network(parameters, np.ones((5, 3)))
    >>> gradients, dx = backward(np.ones((5, 1)))
    >>> output.shape, gradients["weights_1"].shape, dx.shape
    ((5, 1), (3, 4), (5, 3))
    """
    n_layers = len(parameters) // 2
    a, steps = x, []
    for layer in range(1, n_layers + 1):
        z, dense_backward = dense(a, parameters[f"weights_{layer}"], parameters[f"bias_{layer}"])
        a, activation_backward = activation(z) if layer < n_layers else identity(z)
        steps.append((layer, dense_backward, activation_backward))

    def backward(doutput: Array, with_dx: bool = True) -> tuple[Parameters, Any]:
        da, gradients = doutput, {}
        for layer, dense_backward, activation_backward in reversed(steps):
            dz = activation_backward(da)
            da, dweights, dbias = dense_backward(dz, with_dx=with_dx or layer > 1)
            gradients[f"weights_{layer}"], gradients[f"bias_{layer}"] = dweights, dbias
        return gradients, da

    return a, backward


def network_loss(
    parameters: Parameters, x: Array, target: Array, activation: Activation = relu
) -> tuple[Array, Callable[[float], Parameters]]:
    """Return the squared error of a network.

    parameters and x are as for `network`, target is (N, H). `backward(dloss)` returns a dict of
    gradients like parameters.

    Raises as `network` and `squared_error` do.

    >>> parameters = initialize([3, 4, 1], np.random.default_rng(0))
    >>> loss, backward = network_loss(parameters, np.ones((5, 3)), np.ones((5, 1)))
    >>> sorted(backward(1.0)) == sorted(parameters)
    True
    """
    prediction, network_backward = network(parameters, x, activation)
    loss, loss_backward = squared_error(prediction, target)

    def backward(dloss: float) -> Parameters:
        dprediction, _ = loss_backward(dloss)
        gradients, _ = network_backward(dprediction, with_dx=False)
        return gradients

    return loss, backward

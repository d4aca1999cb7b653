"""How large a step may be. Written in chapter 5."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from backprop_book.arrays import Array, Parameters
from backprop_book.checks import values
from backprop_book.descent import sgd_step
from backprop_book.rules import callback, count, generator, rates, symmetric
from backprop_book.rules import parameters as parameter_dict


@values(matrix=symmetric, n_steps=count, rng=generator)
def power_iteration(matrix: Array, n_steps: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the eigenvalue of largest size of a symmetric matrix, and its unit eigenvector.

    matrix is (D, D), the eigenvector (D,). The error of the vector shrinks each step by the ratio
    of the second largest eigenvalue to the largest (Golub and Van Loan, Matrix Computations, 4th
    edition, 2013, section 8.2).

    Raises TypeError if the matrix is not of float64, ValueError if it is not square, not symmetric,
    not finite or zero.

    >>> value, vector = power_iteration(np.diag([2.0, 5.0]), 50, np.random.default_rng(0))
    >>> round(float(value), 6)
    5.0
    """
    vector = rng.normal(size=len(matrix))
    for _ in range(n_steps):
        vector = matrix @ vector
        vector = vector / np.linalg.norm(vector)
    return vector @ matrix @ vector, vector


@values(loss_and_backward=callback, parameters=parameter_dict, learning_rates=rates)
def learning_rate_range_test(
    loss_and_backward: Callable[[Parameters], tuple[Any, Callable[[float], Parameters]]],
    parameters: Parameters,
    learning_rates: Iterable[float],
) -> Array:
    """Take one gradient step at each learning rate, in turn, and return the loss before each.

    loss_and_backward takes the parameters and returns (loss, backward). K learning rates give (K,)
    losses. Give rising rates: the losses fall, level off, and rise where the rate has become too
    large (Smith, "Cyclical learning rates for training neural networks", WACV 2017, section 3.3).

    Raises ValueError if there are no rates, or one is not positive and finite.

    >>> square = lambda p: (p["w"] ** 2, lambda dloss: {"w": 2 * p["w"] * dloss})
    >>> learning_rate_range_test(square, {"w": np.array(1.0)}, [0.25, 0.5, 2.0])
    array([1.  , 0.25, 0.  ])
    """
    losses = []
    for learning_rate in learning_rates:
        loss, backward = loss_and_backward(parameters)
        losses.append(loss)
        parameters = sgd_step(parameters, backward(1.0), learning_rate)
    return np.array(losses)

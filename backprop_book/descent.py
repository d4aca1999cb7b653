"""Gradient descent, and the batches it is fed. Written in chapter 4."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backprop_book.arrays import Array, Parameters
from backprop_book.checks import values
from backprop_book.rules import as_many_as, count, examples, generator, like, optional, positive


@values(gradients=like("parameters"), learning_rate=positive)
def sgd_step(parameters: Parameters, gradients: Parameters, learning_rate: float) -> Parameters:
    """Return the parameters moved one step against their gradients.

    Both dicts hold arrays by name, with the same names and shapes; the result is a new dict, and
    neither is changed. The rule is Cauchy's (Comptes rendus 25, 1847, 536-538); stochastic where
    the gradients come from a part of the data (Robbins and Monro, Annals of Mathematical Statistics
    22, 1951, 400-407).

    Raises ValueError if names or shapes differ, or learning_rate is not positive and finite.

    >>> sgd_step({"w": np.array([1.0])}, {"w": np.array([2.0])}, learning_rate=0.25)
    {'w': array([0.5])}
    """
    return {name: value - learning_rate * gradients[name] for name, value in parameters.items()}


@values(x=examples, y=as_many_as("x"), batch_size=count, rng=optional(generator))
def iterate_minibatches(
    x: Array, y: Array, batch_size: int, rng: np.random.Generator | None = None
) -> Iterator[tuple[Array, Array]]:
    """Yield the examples once over, batch_size at a time, as pairs (x_batch, y_batch).

    x and y are (N, ...), their rows examples; y may hold whole numbers, as labels are. With a
    generator the order is shuffled, without one it is that of the rows. If batch_size does not
    divide their number, the last batch is smaller.

    Raises ValueError if x and y differ in their number of rows, or batch_size is below 1.

    >>> x = np.arange(5.0)
    >>> [batch.tolist() for batch, _ in iterate_minibatches(x, x, batch_size=2)]
    [[0.0, 1.0], [2.0, 3.0], [4.0]]
    """
    order = np.arange(len(x)) if rng is None else rng.permutation(len(x))
    for first in range(0, len(x), batch_size):
        batch = order[first : first + batch_size]
        yield x[batch], y[batch]

"""The book's data sets. Every one is written out or made from a seed: nothing is downloaded."""

import numpy as np

from backprop_book.arrays import Array
from backprop_book.checks import values
from backprop_book.rules import count, seed_number


def lights() -> tuple[Array, Array]:
    """Return six street lights and whether to walk: X of shape (6, 3), y of shape (6,).

    A row is one crossing and three lights, 1 for on; the target is 1 for walk and 0 for stop.

    >>> X, y = lights()
    >>> X[0], y[0]
    (array([1., 0., 1.]), np.float64(0.0))
    """
    X = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1], [0, 1, 1], [1, 0, 1]], dtype=float)
    y = np.array([0, 1, 0, 1, 1, 0], dtype=float)
    return X, y


def xor_lights() -> tuple[Array, Array]:
    """Return four crossings where one walks if just one of the first two lights is on.

    X has shape (4, 3), y has shape (4,).

    >>> X, y = xor_lights()
    >>> bool(np.all(y == (X[:, 0] != X[:, 1])))
    True
    """
    X, _ = lights()
    return X[:4], np.array([1, 1, 0, 0], dtype=float)


@values(n_examples=count, seed=seed_number)
def noisy_plane(n_examples: int = 1000, seed: int = 0) -> tuple[Array, Array]:
    """Return points scattered about the plane y = 3 x1 - 2 x2 + 1.

    X has shape (n_examples, 2), its entries normal with spread 1; y has shape (n_examples, 1), the
    plane plus normal noise of spread 0.5.

    Raises ValueError if n_examples is below 1, or seed is not a whole number, 0 or more.

    >>> X, y = noisy_plane(n_examples=4)
    >>> X.shape, y.shape
    ((4, 2), (4, 1))
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_examples, 2))
    noise = 0.5 * rng.normal(size=(n_examples, 1))
    return X, X @ np.array([[3.0], [-2.0]]) + 1.0 + noise

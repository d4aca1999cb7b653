"""The book's data sets. Every one is written out or made from a seed: nothing is downloaded."""

import numpy as np

from backprop_book.arrays import Array, Labels
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


def digits() -> tuple[Array, Labels, Array, Labels]:
    """Return handwritten digits: x and labels to learn from, then x and labels held out.

    x is (1347, 64) and (450, 64): the pixels of 8 x 8 images, row by row, from 0 for paper to 1 for
    ink; labels are (1347,) and (450,), whole numbers from 0 to 9. Every fourth image is held out,
    so both halves have digits by the same hands; the file does not say which hand wrote which. A
    pixel is the ink in a block of 4 x 4 finer ones (Alpaydin and Kaynak, Optical Recognition of
    Handwritten Digits, UCI Machine Learning Repository, 1998, the 1,797 images of its test half;
    CC BY 4.0).

    >>> x, labels, x_held_out, labels_held_out = digits()
    >>> x.shape, x_held_out.shape, labels[:6]
    ((1347, 64), (450, 64), array([1, 2, 3, 5, 6, 7]))
    """
    from importlib.resources import files  # takes as long to import as half of the package

    with files("backprop_book").joinpath("digits.npz").open("rb") as file, np.load(file) as data:
        x = data["images"].reshape(-1, 64) / 16.0
        labels = data["labels"].astype(np.int64)
    held_out = np.arange(len(x)) % 4 == 0
    return x[~held_out], labels[~held_out], x[held_out], labels[held_out]

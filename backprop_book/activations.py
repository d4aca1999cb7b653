"""Activations, as functions of the pre-activation. Written in chapter 8."""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from backprop_book.arrays import Array
from backprop_book.checks import shapes, values
from backprop_book.rules import floats, positive

Backward: TypeAlias = Callable[[Any], Array]


@shapes("(...)->(...)")
def identity(z: Array) -> tuple[Array, Backward]:
    """Return z as it is, an array of any shape; `backward` passes its gradient on.

    Raises TypeError for what is not an array of floats.

    >>> identity(np.array([2.0]))[0]
    array([2.])
    """
    return z, lambda da: da


@shapes("(...)->(...)")
def relu(z: Array) -> tuple[Array, Backward]:
    """Return max(z, 0), entry by entry, for an array of any shape.

    `backward(da)` passes da on where z > 0, and 0 elsewhere: at 0 itself, where there is no
    derivative, the book takes 0, as PyTorch and JAX do (Nair and Hinton, ICML 2010).

    Raises TypeError for what is not an array of floats.

    >>> a, backward = relu(np.array([-1.0, 0.0, 2.0]))
    >>> a, backward(np.ones(3))
    (array([0., 0., 2.]), array([0., 0., 1.]))
    """
    return np.maximum(z, 0), lambda da: da * (z > 0)


@values(slope=positive)
@shapes("(...)->(...)")
def leaky_relu(z: Array, slope: float = 0.01) -> tuple[Array, Backward]:
    """Return z where z > 0 and slope * z elsewhere, for an array of any shape.

    `backward(da)` passes on da or slope * da (Maas, Hannun and Ng, ICML workshop on deep learning
    for audio, speech and language processing, 2013).

    Raises TypeError for what is not an array of floats, ValueError if slope is not positive.

    >>> a, backward = leaky_relu(np.array([-1.0, 2.0]), slope=0.1)
    >>> a, backward(np.ones(2))
    (array([-0.1,  2. ]), array([0.1, 1. ]))
    """
    return np.where(z > 0, z, slope * z), lambda da: np.where(z > 0, da, slope * da)


@shapes("(...)->(...)")
def sigmoid(z: Array) -> tuple[Array, Backward]:
    """Return 1 / (1 + exp(-z)), entry by entry, for an array of any shape, without overflow.

    `backward(da)` is da * a * (1 - a): the derivative read off the output a, which is legitimate
    because z decides a and a decides z. Where a rounds to 1 it gives 0.

    Raises TypeError for what is not an array of floats.

    >>> a, backward = sigmoid(np.array([0.0, -1e4]))
    >>> a, backward(np.ones(2))
    (array([0.5, 0. ]), array([0.25, 0.  ]))
    """
    a = np.exp(-np.logaddexp(0, -z))
    return a, lambda da: da * a * (1 - a)


@shapes("(...)->(...)")
def tanh(z: Array) -> tuple[Array, Backward]:
    """Return the hyperbolic tangent, entry by entry, for an array of any shape.

    `backward(da)` is da * (1 - a**2), read off the output a.

    Raises TypeError for what is not an array of floats.

    >>> a, backward = tanh(np.array([0.0]))
    >>> a, backward(np.ones(1))
    (array([0.]), array([1.]))
    """
    a = np.tanh(z)
    return a, lambda da: da * (1 - a**2)


@shapes("(...)->(...)")
def softplus(z: Array) -> tuple[Array, Backward]:
    """Return log(1 + exp(z)), entry by entry, for an array of any shape, without overflow.

    `backward(da)` is da * sigmoid(z) (Dugas et al., NIPS 2000).

    Raises TypeError for what is not an array of floats.

    >>> a, backward = softplus(np.array([0.0, 1e4]))
    >>> backward(np.ones(2))
    array([0.5, 1. ])
    """
    return np.logaddexp(0, z), lambda da: da * np.exp(-np.logaddexp(0, -z))


error_tail: Any = np.frompyfunc(math.erfc, 1, 1)


@values(z=floats)
def normal_cdf(z: Array) -> Array:
    """Return the probability that a standard normal number is below z, entry by entry.

    z is an array of any shape, and so is the result. Raises TypeError for what is not an array of
    floats.

    >>> normal_cdf(np.array([0.0]))
    array([0.5])
    """
    tail = np.reshape(error_tail(-z / math.sqrt(2)), z.shape)
    return 0.5 * tail.astype(z.dtype)


@shapes("(...)->(...)")
def gelu(z: Array) -> tuple[Array, Backward]:
    """Return z times the probability that a standard normal number is below z, for any shape.

    `backward(da)` is da * (cdf(z) + z * density(z)) (Hendrycks and Gimpel, arXiv:1606.08415; their
    exact form, not the approximation by tanh).

    Raises TypeError for what is not an array of floats.

    >>> a, backward = gelu(np.array([0.0, 1e4]))
    >>> a, backward(np.ones(2))
    (array([    0., 10000.]), array([0.5, 1. ]))
    """
    below = normal_cdf(z)
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return z * below, lambda da: da * (below + z * density)

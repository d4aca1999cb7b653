"""The package behind *Learning from Mistakes*: each function returns its output and its backward.

    y, backward = dense(x, weights, bias)
    dx, dweights, dbias = backward(dy)

`backward` takes the gradient of a loss with respect to the output and returns the gradients with
respect to the array inputs, in their order and of their shapes. It may be called more than once,
and nothing that is passed in is changed.
"""

from backprop_book.data import lights, noisy_plane, xor_lights
from backprop_book.descent import iterate_minibatches, sgd_step
from backprop_book.numerical import numerical_gradient
from backprop_book.regression import dense, linear_regression, squared_error
from backprop_book.step_size import learning_rate_range_test, power_iteration

__version__ = "0.1.0"

__all__ = [
    "dense",
    "iterate_minibatches",
    "learning_rate_range_test",
    "lights",
    "linear_regression",
    "noisy_plane",
    "numerical_gradient",
    "power_iteration",
    "sgd_step",
    "squared_error",
    "xor_lights",
]

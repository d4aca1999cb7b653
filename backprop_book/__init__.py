"""The package behind *Learning from Mistakes*: each function returns its output and its backward.

    y, backward = dense(x, weights, bias)
    dx, dweights, dbias = backward(dy)

`backward` takes the gradient of a loss with respect to the output and returns the gradients with
respect to the array inputs, in their order and of their shapes. It may be called more than once,
and nothing that is passed in is changed.
"""

import importlib
import typing

from backprop_book.activations import (
    gelu,
    identity,
    leaky_relu,
    relu,
    sigmoid,
    softplus,
    tanh,
)
from backprop_book.composition import compose
from backprop_book.data import digits, lights, noisy_plane, xor_lights
from backprop_book.descent import iterate_minibatches, sgd_step
from backprop_book.elementwise import (
    absolute,
    cos,
    divide,
    exp,
    log,
    maximum,
    minimum,
    negative,
    power,
    sin,
    sqrt,
    subtract,
)
from backprop_book.graph import Graph, backpropagate, count_users
from backprop_book.losses import (
    binary_cross_entropy,
    cross_entropy,
    hinge,
    log_softmax,
    logsumexp,
    soft_cross_entropy,
    softmax,
)
from backprop_book.network import initialize, network, network_loss
from backprop_book.numerical import (
    complex_step_gradient,
    directional_derivatives,
    numerical_gradient,
    one_sided_gradient,
)
from backprop_book.operations import (
    add,
    getitem,
    matmul,
    multiply,
    reduce_max,
    reduce_mean,
    reduce_sum,
    reshape,
    scatter_add,
    transpose,
    unbroadcast,
)
from backprop_book.regression import dense, linear_regression, squared_error
from backprop_book.scalar import Value
from backprop_book.step_size import learning_rate_range_test, power_iteration

if typing.TYPE_CHECKING:
    from backprop_book.checking import assert_gradient, check_gradient
    from backprop_book.checkpointing import checkpoint
    from backprop_book.command_line import example_inputs
    from backprop_book.curvature import hessian, hvp
    from backprop_book.custom import custom_vjp, stop_gradient, straight_through
    from backprop_book.diagnosing import diagnose
    from backprop_book.dual import jvp
    from backprop_book.functional import grad, jacobian, value_and_grad, vjp
    from backprop_book.operands import apply
    from backprop_book.tensor import Tensor, no_grad

__version__ = "0.1.0"

__all__ = [
    "Graph",
    "Tensor",
    "Value",
    "absolute",
    "add",
    "apply",
    "assert_gradient",
    "backpropagate",
    "binary_cross_entropy",
    "check_gradient",
    "checkpoint",
    "complex_step_gradient",
    "compose",
    "cos",
    "count_users",
    "cross_entropy",
    "custom_vjp",
    "dense",
    "diagnose",
    "digits",
    "directional_derivatives",
    "divide",
    "example_inputs",
    "exp",
    "gelu",
    "getitem",
    "grad",
    "hessian",
    "hinge",
    "hvp",
    "identity",
    "initialize",
    "iterate_minibatches",
    "jacobian",
    "jvp",
    "leaky_relu",
    "learning_rate_range_test",
    "lights",
    "linear_regression",
    "log",
    "log_softmax",
    "logsumexp",
    "matmul",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "network",
    "network_loss",
    "no_grad",
    "noisy_plane",
    "numerical_gradient",
    "one_sided_gradient",
    "power",
    "power_iteration",
    "reduce_max",
    "reduce_mean",
    "reduce_sum",
    "relu",
    "reshape",
    "scatter_add",
    "sgd_step",
    "sigmoid",
    "sin",
    "soft_cross_entropy",
    "softmax",
    "softplus",
    "sqrt",
    "squared_error",
    "stop_gradient",
    "straight_through",
    "subtract",
    "tanh",
    "transpose",
    "unbroadcast",
    "value_and_grad",
    "vjp",
    "xor_lights",
]

_ON_FIRST_USE = {
    "Tensor": "tensor",
    "apply": "operands",
    "assert_gradient": "checking",
    "check_gradient": "checking",
    "checkpoint": "checkpointing",
    "custom_vjp": "custom",
    "diagnose": "diagnosing",
    "example_inputs": "command_line",
    "grad": "functional",
    "hessian": "curvature",
    "hvp": "curvature",
    "jacobian": "functional",
    "jvp": "dual",
    "no_grad": "tensor",
    "stop_gradient": "custom",
    "straight_through": "custom",
    "value_and_grad": "functional",
    "vjp": "functional",
}
"""What is imported when it is first asked for, since most programs never do, and from where."""


def __getattr__(name: str) -> typing.Any:
    if name not in _ON_FIRST_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_ON_FIRST_USE[name]}")
    return globals().setdefault(name, getattr(module, name))


def __dir__() -> list[str]:
    return sorted(globals().keys() | _ON_FIRST_USE.keys())

"""The activations far out, in both precisions, and the shortcut through the output."""

import numpy as np
import pytest

from backprop_book import gelu, identity, leaky_relu, relu, sigmoid, softplus, tanh

ALL = [identity, relu, leaky_relu, sigmoid, tanh, softplus, gelu]
every = pytest.mark.parametrize("function", ALL, ids=lambda f: f.__name__)

FAR_OUT = {
    identity: ([-1e4, 1e4], [1, 1]),
    relu: ([0, 1e4], [0, 1]),
    leaky_relu: ([-1e2, 1e4], [0.01, 1]),
    sigmoid: ([0, 1], [0, 0]),
    tanh: ([-1, 1], [0, 0]),
    softplus: ([0, 1e4], [0, 1]),
    gelu: ([0, 1e4], [0, 1]),
}
"""The values and the slopes at -10,000 and 10,000."""

FROM_OUTPUT = {
    relu: lambda a: a > 0,
    leaky_relu: lambda a: np.where(a > 0, 1, 0.01),
    sigmoid: lambda a: a * (1 - a),
    tanh: lambda a: 1 - a**2,
    softplus: lambda a: 1 - np.exp(-a),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every
def test_far_out_nothing_overflows(function, dtype):
    z = np.array([-1e4, 1e4], dtype=dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        a, backward = function(z)
        slope = backward(np.ones_like(z))
    assert a.dtype == slope.dtype == dtype
    values, slopes = FAR_OUT[function]
    np.testing.assert_allclose(a, values, rtol=1e-6)
    np.testing.assert_allclose(slope, slopes, rtol=1e-6)


@every
def test_any_shape_will_do(function):
    for shape in [(), (1,), (3, 2), (2, 1, 4)]:
        z = np.asarray(np.random.default_rng(0).normal(size=shape))
        a, backward = function(z)
        assert a.shape == backward(np.asarray(a)).shape == shape


def test_at_its_kink_relu_has_slope_0():
    for zero in (0.0, -0.0):
        assert relu(np.array([zero]))[1](np.ones(1)) == 0
        assert leaky_relu(np.array([zero]), slope=0.3)[1](np.ones(1)) == 0.3


@pytest.mark.parametrize(("function", "slope"), FROM_OUTPUT.items(), ids=lambda f: f.__name__)
def test_the_slope_from_the_output_is_the_slope_from_the_input(function, slope):
    z = np.linspace(-8, 8, 1001)
    a, backward = function(z)
    np.testing.assert_allclose(slope(a), backward(np.ones_like(z)), rtol=1e-9, atol=1e-12)


def test_for_gelu_no_such_shortcut_exists():
    """Its output at -2 comes back nearer to 0, with another slope."""
    z = np.linspace(-0.75, 0, 100_001)
    a, backward = gelu(z)
    twin = np.argmin(abs(a - gelu(np.array(-2.0))[0]))
    assert a[twin] == pytest.approx(float(gelu(np.array(-2.0))[0]), abs=1e-5)
    assert backward(np.ones_like(z))[twin] > 0 > gelu(np.array(-2.0))[1](1.0)


def test_identities_between_them():
    z = np.linspace(-6, 6, 101)
    np.testing.assert_allclose(tanh(z)[0], 2 * sigmoid(2 * z)[0] - 1, atol=1e-14)
    np.testing.assert_allclose(softplus(z)[1](np.ones_like(z)), sigmoid(z)[0], atol=1e-14)
    np.testing.assert_allclose(softplus(z)[0] - softplus(-z)[0], z, atol=1e-14)
    np.testing.assert_allclose(gelu(z)[0] - gelu(-z)[0], z, atol=1e-14)


@pytest.mark.parametrize("name", ["softplus", "gelu"])
def test_pytorch_agrees_on_what_has_no_plain_formula(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    z, da = np.random.default_rng(1).normal(size=(2, 6, 4))
    leaf = torch.tensor(z, requires_grad=True)
    output = getattr(torch.nn.functional, name)(leaf)
    output.backward(torch.tensor(da))
    a, backward = {"softplus": softplus, "gelu": gelu}[name](z)
    np.testing.assert_allclose(a, output.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(backward(da), leaf.grad.numpy(), rtol=1e-10)

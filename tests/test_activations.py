"""The activations far out, in both precisions, at their kinks, and the shortcut by the output."""

import numpy as np
import pytest

from backprop_book import (
    gelu,
    identity,
    initialize,
    leaky_relu,
    network,
    relu,
    sigmoid,
    softplus,
    tanh,
)
from backprop_book.activations import normal_cdf

ALL = [identity, relu, leaky_relu, sigmoid, tanh, softplus, gelu]
every = pytest.mark.parametrize("function", ALL, ids=lambda f: f.__name__)
both = pytest.mark.parametrize("dtype", [np.float32, np.float64])
INF = np.inf

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

AT_INFINITY = {
    identity: ([-INF, INF], [1, 1]),
    relu: ([0, INF], [0, 1]),
    leaky_relu: ([-INF, INF], [0.01, 1]),
    sigmoid: ([0, 1], [0, 0]),
    tanh: ([-1, 1], [0, 0]),
    softplus: ([0, INF], [0, 1]),
}
"""The same at minus and plus infinity, but for GELU, where infinity is multiplied by 0."""

FROM_OUTPUT = {
    relu: lambda a: a > 0,
    leaky_relu: lambda a: np.where(a > 0, 1, 0.01),
    sigmoid: lambda a: a * (1 - a),
    tanh: lambda a: 1 - a**2,
    softplus: lambda a: 1 - np.exp(-a),
}
FROM_INPUT = {
    relu: lambda z: z > 0,
    leaky_relu: lambda z: np.where(z > 0, 1, 0.01),
    sigmoid: lambda z: np.exp(-abs(z)) / (1 + np.exp(-abs(z))) ** 2,
    tanh: lambda z: 1 / np.cosh(z) ** 2,
    softplus: lambda z: 1 / (1 + np.exp(-z)),
}


def value_and_slope(function, z):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        a, backward = function(z)
        return a, backward(np.ones_like(z))


@both
@every
def test_far_out_nothing_overflows(function, dtype):
    a, slope = value_and_slope(function, np.array([-1e4, 1e4], dtype=dtype))
    assert a.dtype == slope.dtype == dtype
    values, slopes = FAR_OUT[function]
    np.testing.assert_allclose(a, values, rtol=1e-6)
    np.testing.assert_allclose(slope, slopes, rtol=1e-6)


@both
@pytest.mark.parametrize(("function", "limits"), AT_INFINITY.items(), ids=lambda f: str(f)[:20])
def test_at_infinity_there_are_limits(function, limits, dtype):
    a, slope = value_and_slope(function, np.array([-INF, INF], dtype=dtype))
    assert a.dtype == slope.dtype == dtype
    np.testing.assert_array_equal(a, limits[0])
    np.testing.assert_allclose(slope, limits[1], rtol=1e-7)


@both
@every
def test_what_is_not_a_number_stays_so(function, dtype):
    """A nan is not hidden, and spreads to no neighbour (NumPy's logaddexp warns of it)."""
    z = np.array([0.5, np.nan, 0.5], dtype=dtype)
    with np.errstate(invalid="ignore"):
        a, backward = function(z)
        slope = backward(np.ones_like(z))
    assert np.isnan(a).tolist() == [False, True, False]
    assert np.isfinite(slope[[0, 2]]).all()


@every
def test_float32_gives_what_float64_gives_to_its_precision(function):
    z = np.linspace(-120, 120, 2401, dtype=np.float32)
    a, slope = value_and_slope(function, z)
    exact_a, exact_slope = value_and_slope(function, z.astype(float))
    np.testing.assert_allclose(a, exact_a, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(slope, exact_slope, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("function", [sigmoid, softplus], ids=lambda f: f.__name__)
def test_on_the_left_even_the_smallest_values_and_slopes_are_right(function):
    """Both are exp(z) there, to a relative precision that a difference from 1 could not have."""
    z = np.linspace(-700, -40, 100)
    a, slope = value_and_slope(function, z)
    np.testing.assert_allclose(a, np.exp(z), rtol=1e-12)
    np.testing.assert_allclose(slope, np.exp(z), rtol=1e-12)


@both
def test_a_network_of_each_runs_far_out(dtype):
    parameters = initialize([3, 5, 4, 2], np.random.default_rng(0))
    parameters = {name: array.astype(dtype) for name, array in parameters.items()}
    x = np.array([[1e4, -1e4, 1e4], [-1e4, 1e4, 1.0]], dtype=dtype)
    for function in ALL:
        output, backward = network(parameters, x, function)
        gradients, dx = backward(np.ones_like(output))
        for array in (output, dx, *gradients.values()):
            assert array.dtype == dtype
            assert np.isfinite(array).all()


@both
@every
def test_any_shape_will_do(function, dtype):
    for shape in [(), (1,), (3, 2), (2, 1, 4), (1, 2, 1, 2)]:
        z = np.random.default_rng(0).normal(size=shape)
        z = np.asarray(z, dtype=dtype)
        a, backward = function(z)
        slope = backward(np.ones(shape, dtype))
        assert a.shape == slope.shape == shape
        assert a.dtype == slope.dtype == dtype
        one_by_one = [function(np.asarray(entry))[0] for entry in z.ravel()]
        np.testing.assert_allclose(np.ravel(a), one_by_one, rtol=1e-6)


@both
@every
@pytest.mark.parametrize("one", [1, 1.0, np.float64(1), np.float32(1), np.int64(1)], ids=repr)
def test_the_gradient_at_a_scalar_takes_any_number_and_keeps_its_dtype(function, one, dtype):
    _, backward = function(np.array(0.5, dtype=dtype))
    assert backward(one).dtype == dtype
    assert backward(one) == backward(np.ones((), dtype))


@every
def test_backward_is_a_product_with_what_arrives(function):
    z, da = np.random.default_rng(1).normal(size=(2, 4, 3))
    _, backward = function(z)
    np.testing.assert_allclose(backward(da), da * backward(np.ones_like(z)), rtol=1e-14)
    np.testing.assert_array_equal(backward(0 * da), 0 * da)


@pytest.mark.parametrize("zero", [0.0, -0.0])
@both
def test_at_its_kink_relu_has_slope_0_and_leaky_relu_its_slope(zero, dtype):
    """Between the slopes on either side, which the next numbers to 0 already have."""
    tiny = np.finfo(dtype).smallest_subnormal
    z = np.array([-tiny, zero, tiny], dtype=dtype)
    assert relu(z)[1](np.ones_like(z)).tolist() == [0, 0, 1]
    told = leaky_relu(z, slope=0.25)[1](np.ones_like(z))
    assert told.tolist() == [0.25, 0.25, 1]


@pytest.mark.parametrize(
    ("function", "left"),
    [(relu, 0.0), (lambda z: leaky_relu(z, 0.25), 0.25)],
    ids=["relu", "leaky"],
)
def test_the_slopes_beside_a_kink_are_those_of_one_sided_differences(function, left):
    zero, h = np.zeros(1), 2.0**-20
    rise = (function(zero + h)[0] - function(zero)[0]) / h
    fall = (function(zero)[0] - function(zero - h)[0]) / h
    assert (fall, rise) == (left, 1.0)
    assert fall <= function(zero)[1](np.ones(1)) <= rise


GRID = np.unique(np.concatenate([np.linspace(-8, 8, 1601), [-1e-9, 0.0, 1e-9]]))


@pytest.mark.parametrize(
    ("function", "slope"), FROM_OUTPUT.items(), ids=[f.__name__ for f in FROM_OUTPUT]
)
def test_the_slope_from_the_output_is_the_slope_from_the_input(function, slope):
    a, backward = function(GRID)
    from_input = FROM_INPUT[function](GRID)
    np.testing.assert_allclose(slope(a), from_input, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(backward(np.ones_like(GRID)), from_input, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("function", FROM_OUTPUT, ids=lambda f: f.__name__)
def test_where_a_shortcut_is_taken_equal_outputs_have_equal_slopes(function):
    """What makes it legitimate: the output decides the slope."""
    a, _ = function(GRID)
    slope = FROM_INPUT[function](GRID)
    order = np.argsort(a, kind="stable")
    same = np.diff(a[order]) == 0
    assert np.all(np.diff(slope[order])[same] == 0)
    assert np.all(np.diff(a) >= 0), "it never comes back to an output that it has left"


def twins_of_gelu(z):
    """Return two pre-activations, one on each side of its lowest point, with the same output."""
    target = gelu(np.array(z))[0]
    low, high = -0.75, 0.0
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if gelu(np.array(middle))[0] < target else (low, middle)
    return np.array([z, high])


@pytest.mark.parametrize("z", [-0.8, -1.0, -1.5, -2.0, -3.0, -4.0])
def test_for_gelu_no_such_shortcut_exists(z):
    """Two pre-activations with one output, to the last bit or the one beside it, and two slopes."""
    a, backward = gelu(twins_of_gelu(z))
    assert abs(a[0] - a[1]) <= 2 * np.spacing(abs(a[0]))
    left, right = backward(np.ones(2))
    assert left < 0 < right
    assert right - left > 0.03


def test_some_twins_of_gelu_agree_to_the_last_bit():
    outputs = [gelu(twins_of_gelu(z))[0] for z in np.linspace(-3, -1, 41)]
    assert any(a[0] == a[1] for a in outputs)


def test_identities_between_them():
    z = np.linspace(-6, 6, 101)
    np.testing.assert_allclose(tanh(z)[0], 2 * sigmoid(2 * z)[0] - 1, atol=1e-14)
    np.testing.assert_allclose(softplus(z)[1](np.ones_like(z)), sigmoid(z)[0], atol=1e-14)
    np.testing.assert_allclose(softplus(z)[0] - softplus(-z)[0], z, atol=1e-14)
    np.testing.assert_allclose(gelu(z)[0] - gelu(-z)[0], z, atol=1e-14)
    np.testing.assert_allclose(sigmoid(z)[0] + sigmoid(-z)[0], 1, atol=1e-14)
    np.testing.assert_allclose(relu(z)[0] - relu(-z)[0], z, atol=0)
    np.testing.assert_allclose(leaky_relu(z, 0.5)[0], 0.5 * (z + relu(z)[0]), atol=1e-14)


def test_the_normal_distribution_at_known_places():
    z = np.array([-1.959963984540054, 0.0, 1.0, 1.6448536269514722])
    np.testing.assert_allclose(normal_cdf(z), [0.025, 0.5, 0.8413447460685429, 0.95], rtol=1e-12)


@every
def test_pytorch_agrees_at_kinks_too(function):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    library = torch.nn.functional
    named = {"identity": lambda z: 1 * z, "sigmoid": torch.sigmoid, "tanh": torch.tanh}
    z = np.concatenate([np.random.default_rng(1).normal(size=24) * 3, [0.0, -1e4, 1e4]])
    da = np.random.default_rng(2).normal(size=27)
    leaf = torch.tensor(z, requires_grad=True)
    name = function.__name__
    output = named.get(name, getattr(library, name, None))(leaf)
    output.backward(torch.tensor(da))
    a, backward = function(z)
    # PyTorch's softplus is the identity from 20 on, which is 2e-9 from the truth
    np.testing.assert_allclose(a, output.detach().numpy(), rtol=1e-8, atol=1e-14)
    np.testing.assert_allclose(backward(da), leaf.grad.numpy(), rtol=1e-8, atol=1e-14)


@every
def test_jax_agrees_at_kinks_too(function):
    jax = pytest.importorskip("jax", reason="JAX is not installed: pip install jax")
    jax.config.update("jax_enable_x64", True)
    theirs = {
        "identity": lambda z: z,
        "tanh": jax.numpy.tanh,
        "gelu": lambda z: jax.nn.gelu(z, approximate=False),
    }
    z = np.concatenate([np.random.default_rng(1).normal(size=24) * 3, [0.0, -1e4, 1e4]])
    if function is leaky_relu:
        z = z[z != 0]  # JAX takes 1 for its slope at 0, PyTorch and the book the smaller slope
    da = np.random.default_rng(2).normal(size=z.size)
    name = function.__name__
    output, vjp = jax.vjp(theirs.get(name, getattr(jax.nn, name, None)), jax.numpy.asarray(z))
    a, backward = function(z)
    np.testing.assert_allclose(a, output, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(backward(da), vjp(jax.numpy.asarray(da))[0], rtol=1e-10, atol=1e-14)

"""What is particular about the shape operations and the arithmetic: copies, ties, views, edges."""

import numpy as np
import pytest
from gradient_check import modest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from backprop_book import (
    absolute,
    add,
    divide,
    getitem,
    log,
    matmul,
    maximum,
    minimum,
    multiply,
    power,
    reduce_max,
    reduce_mean,
    reduce_sum,
    relu,
    reshape,
    sqrt,
    transpose,
    unbroadcast,
)

TIED = np.array([[3.0, 1.0, 3.0, 0.0], [2.0, 2.0, 2.0, 1.0], [-1.0, 5.0, 5.0, 5.0]])
OTHER = np.array([[3.0, 2.0, 0.0, 0.0], [2.0, 1.0, 2.0, 1.0], [-1.0, 5.0, 6.0, 4.0]])
DOUTPUT = np.array([[1.0, 2.0, 4.0, 8.0], [-1.0, 0.5, 0.25, 3.0], [6.0, -2.0, 7.0, 9.0]])


@modest
@given(data=st.data(), seed=st.integers(0, 10_000))
def test_unbroadcast_is_the_adjoint_of_broadcasting(data, seed):
    """For every gradient and every x: what is summed, times x, is the gradient times x broadcast.

    And it is the only such map: so it holds for each entry of x by itself.
    """
    shapes = data.draw(
        arrays_of.mutually_broadcastable_shapes(num_shapes=2, min_side=1, max_side=4)
    )
    shape, result = shapes.input_shapes[0], shapes.result_shape
    rng = np.random.default_rng(seed)
    gradient = np.asarray(rng.normal(size=result))
    summed = unbroadcast(gradient, shape)
    assert np.shape(summed) == shape
    for i in np.ndindex(shape):
        x = np.zeros(shape)
        x[i] = 1
        assert summed[i] == pytest.approx((gradient * np.broadcast_to(x, result)).sum(), abs=1e-13)


def test_unbroadcast_by_hand():
    gradient = np.arange(6.0).reshape(2, 3)
    assert unbroadcast(gradient, (2, 3)).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert unbroadcast(gradient, (3,)).tolist() == [3, 5, 7]
    assert unbroadcast(gradient, (1, 3)).tolist() == [[3, 5, 7]]
    assert unbroadcast(gradient, (2, 1)).tolist() == [[3], [12]]
    assert unbroadcast(gradient, (1, 1)).tolist() == [[15]]
    assert unbroadcast(gradient, (1,)).tolist() == [15]
    assert unbroadcast(gradient, ()) == 15
    assert unbroadcast(np.ones((1, 3)), (1, 1)).tolist() == [[3]]
    assert unbroadcast(np.ones((2, 3), np.float32), [3]).dtype == np.float32


def from_torch(function, *inputs):
    reason = "PyTorch is not installed: pip install torch==2.13.0"
    torch = pytest.importorskip("torch", reason=reason)
    leaves = [torch.tensor(array, requires_grad=True) for array in inputs]
    output = function(torch, *leaves)
    output.backward(torch.tensor(DOUTPUT.ravel()[: output.numel()].reshape(output.shape)))
    return [leaf.grad.numpy() for leaf in leaves]


def from_jax(function, *inputs):
    jax = pytest.importorskip("jax", reason="JAX is not installed: pip install jax")
    jax.config.update("jax_enable_x64", True)
    output, vjp = jax.vjp(lambda *given: function(jax.numpy, *given), *inputs)
    return vjp(jax.numpy.asarray(DOUTPUT.ravel()[: output.size].reshape(output.shape)))


def of_the_package(function, *inputs):
    output, backward = function(*inputs)
    gradients = backward(DOUTPUT.ravel()[: output.size].reshape(output.shape))
    return gradients if isinstance(gradients, tuple) else (gradients,)


PAIRS = {
    "maximum": (maximum, lambda library, a, b: library.maximum(a, b)),
    "minimum": (minimum, lambda library, a, b: library.minimum(a, b)),
}
AXES = [0, 1, -1, (0, 1)]
ORACLES = [from_torch, from_jax]


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize(("ours", "theirs"), PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize(
    "other", [OTHER, TIED, TIED[1], TIED[:, :1]], ids=["some", "all", "row", "column"]
)
def test_two_that_are_equal_share_as_in_other_programs(oracle, ours, theirs, other):
    found = of_the_package(ours, TIED, other)
    for gradient, wanted in zip(found, oracle(theirs, TIED, other), strict=True):
        np.testing.assert_array_equal(gradient, wanted)


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("axis", AXES, ids=str)
def test_the_largest_share_as_in_other_programs(oracle, axis):
    """As in PyTorch's `amax`; its `max` along one axis names one winner, and gives it all."""
    (found,) = of_the_package(lambda x: reduce_max(x, axis), TIED)
    (wanted,) = oracle(lambda library, x: library.amax(x, axis), TIED)
    np.testing.assert_allclose(found, wanted, rtol=1e-15)


def test_ties_by_hand():
    _, backward = maximum(np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0]))
    assert [g.tolist() for g in backward(np.array([4.0, 6.0, 8.0]))] == [[0, 3, 8], [4, 3, 0]]
    _, backward = minimum(np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0]))
    assert [g.tolist() for g in backward(np.array([4.0, 6.0, 8.0]))] == [[4, 3, 0], [0, 3, 8]]
    _, backward = reduce_max(np.array([[1.0, 5.0, 5.0], [2.0, 2.0, 2.0]]), axis=1)
    assert backward(np.array([4.0, 6.0])).tolist() == [[0, 2, 2], [2, 2, 2]]


def test_at_a_tie_a_maximum_with_0_is_not_a_relu():
    """There the two differ: the relu takes 0, the maximum a half."""
    z = np.array([0.0])
    assert relu(z)[1](np.ones(1)).tolist() == [0]
    assert maximum(z, np.zeros(1))[1](np.ones(1))[0].tolist() == [0.5]


@pytest.mark.parametrize("function", [maximum, minimum])
def test_infinities_that_tie_share_too(function):
    infinite = np.array([np.inf, -np.inf, np.inf])
    da, db = function(infinite, np.array([np.inf, -np.inf, -np.inf]))[1](np.ones(3))
    assert da.tolist()[:2] == db.tolist()[:2] == [0.5, 0.5]
    assert {da[2], db[2]} == {0.0, 1.0}


@pytest.mark.parametrize("function", [maximum, minimum, reduce_max])
def test_ties_keep_float32(function):
    x = np.ones(3, dtype=np.float32)
    output, backward = function(x) if function is reduce_max else function(x, x)
    gradients = backward(output)
    for gradient in gradients if isinstance(gradients, tuple) else [gradients]:
        assert gradient.dtype == np.float32


def test_the_slopes_at_0():
    assert absolute(np.zeros(1))[1](np.ones(1)).tolist() == [0]
    assert power(np.zeros(1), 2)[1](np.ones(1)).tolist() == [0]
    assert power(np.zeros(1), 1)[1](np.ones(1)).tolist() == [1]
    assert power(np.zeros(1), 0)[1](np.ones(1)).tolist() == [0]
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert sqrt(np.zeros(1))[1](np.ones(1)).tolist() == [np.inf]
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        minus_infinity, _ = log(np.zeros(1))
    assert minus_infinity.tolist() == [-np.inf]
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert divide(np.ones(1), np.zeros(1))[0].tolist() == [np.inf]


@pytest.mark.parametrize("function", [add, multiply, divide, maximum, minimum])
def test_an_array_with_itself_has_two_gradients(function):
    """Who passes x twice adds the two: x * x has the slope 2 x, x / x has 0."""
    x = np.array([2.0, 3.0])
    da, db = function(x, x)[1](np.ones(2))
    slopes = {add: [2, 2], multiply: [4, 6], divide: [0, 0], maximum: [1, 1], minimum: [1, 1]}
    np.testing.assert_allclose(da + db, slopes[function], atol=1e-15)


def test_numbers_that_are_taken_again_add_up():
    """`dx[index] += doutput` writes each entry once, however often it was taken."""
    _, backward = getitem(np.arange(3.0), np.array([2, 0, 2, 2, -1]))
    assert backward(np.array([1.0, 2.0, 4.0, 8.0, 16.0])).tolist() == [2, 0, 29]


INDICES = [0, (1, -1), slice(1, None), ..., None, [1, 1], (slice(None), [0, 2, 0]), (..., None, 1)]
INDICES += [np.array([True, False]), np.array([[True, False, True], [False, False, True]])]
INDICES += [([0, 1], [2, 0]), (np.array([[0], [1]]), np.array([0, 2])), np.int64(1), True]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_an_index_takes_what_numpy_takes(index):
    x = np.arange(6.0).reshape(2, 3)
    output, backward = getitem(x, index)
    np.testing.assert_array_equal(output, x[index])
    doutput = np.ones_like(output)
    taken = [np.sum(np.asarray(output) == entry) for entry in x.ravel()]
    np.testing.assert_array_equal(backward(doutput).ravel(), taken)


OPERATIONS = {
    "reduce_sum": (lambda x: reduce_sum(x, 0), (3, 4)),
    "reduce_mean": (lambda x: reduce_mean(x, 0), (3, 4)),
    "reduce_max": (lambda x: reduce_max(x, 0), (3, 4)),
    "reshape": (lambda x: reshape(x, (4, 3)), (3, 4)),
    "transpose": (transpose, (3, 4)),
    "getitem": (lambda x: getitem(x, 0), (3, 4)),
}


@pytest.mark.parametrize(("function", "shape"), OPERATIONS.values(), ids=OPERATIONS)
def test_a_gradient_can_be_written_to(function, shape):
    """None of them is a broadcast view, in which one number stands for many."""
    output, backward = function(np.random.default_rng(0).normal(size=shape))
    dx = backward(np.ones_like(output))
    assert dx.flags.writeable
    before = dx.copy()
    dx[0, 0] += 1
    assert (dx != before).sum() == 1


def test_options_by_name_and_by_place():
    x = np.arange(6.0).reshape(2, 3)
    assert reduce_sum(x, 0, True)[0].tolist() == reduce_sum(x, keepdims=True, axis=0)[0].tolist()
    assert reduce_sum(x, [0, 1])[0] == reduce_sum(x)[0] == 15
    assert reduce_sum(x, ())[0].tolist() == x.tolist()
    assert reduce_sum(x, np.int64(1))[0].tolist() == [3, 12]
    assert reshape(x, 6)[0].shape == reshape(x, -1)[0].shape == (6,)
    assert reshape(x[:1, :1], ())[0].shape == ()
    assert transpose(x, (-1, 0))[0].shape == (3, 2)


def test_a_scalar_output_takes_a_number():
    for function, dx in [(reduce_sum, [2, 2]), (reduce_mean, [1, 1]), (reduce_max, [0, 2])]:
        assert function(np.array([1.0, 2.0]))[1](2).tolist() == dx
    assert getitem(np.arange(3.0), 1)[1](2.0).tolist() == [0, 2, 0]


def test_a_dense_layer_is_a_matrix_product_and_a_sum():
    rng = np.random.default_rng(1)
    x, weights, bias = (rng.normal(size=shape) for shape in [(4, 3), (3, 2), (2,)])
    product, product_backward = matmul(x, weights)
    output, output_backward = add(product, bias)
    doutput = rng.normal(size=(4, 2))
    dproduct, dbias = output_backward(doutput)
    dx, dweights = product_backward(dproduct)
    np.testing.assert_array_equal(output, x @ weights + bias)
    np.testing.assert_allclose(dx, doutput @ weights.T)
    np.testing.assert_allclose(dweights, x.T @ doutput)
    np.testing.assert_allclose(dbias, doutput.sum(axis=0))

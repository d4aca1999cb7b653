"""Every operation on tensors and dual numbers, against differences and three other programs.

First and second derivatives, in reverse and forward mode, to 1e-10. Where a derivative does not
exist, at ties and kinks, the convention is PyTorch's; where it is another the test says so.
"""

import functools

import numpy as np
import pytest
from engine_operations import OPERATIONS, Operation
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop_book import Tensor, apply, grad, hvp, jvp, numerical_gradient, relu, vjp

LENGTHS = st.fixed_dictionaries({letter: st.integers(2, 4) for letter in "ndh"})
SEED = st.integers(0, 2**32 - 1)
FIXED = {"n": 3, "d": 2, "h": 4}

few = settings(max_examples=2, deadline=None, derandomize=True)
operations = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())


def weighed(operation: Operation, weights, library=np):
    """Return a loss: the output times fixed weights, summed."""
    return lambda *arrays: library.sum(operation.numpy(library, *arrays) * weights)


def drawn(operation, lengths, seed, dtype=float):
    """Draw the arrays, the weights of the output, and a direction for each array."""
    rng = np.random.default_rng(seed)
    arrays = operation.arrays(lengths, rng, dtype)
    shape = np.shape(operation.numpy(np, *arrays))
    weights = rng.normal(size=shape).astype(dtype)
    return arrays, weights, [rng.normal(size=array.shape).astype(dtype) for array in arrays]


def ours(operation, arrays, weights, directions):
    return twice(grad, weighed(operation, weights), arrays, directions)


def twice(grad, loss, arrays, directions):
    """Return the gradients, and the derivative of gradients along the directions: reverse twice.

    `grad` is the package's, or that of a library that calls it alike.
    """
    argnums = tuple(range(len(arrays)))
    gradients_of = grad(loss, argnums)

    def along(*arrays):
        pairs = zip(gradients_of(*arrays), directions, strict=True)
        return sum((g * v).sum() for g, v in pairs)

    return gradients_of(*arrays), grad(along, argnums)(*arrays)


def close(found, wanted, rtol=1e-10):
    for a, b in zip(found, wanted, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * max(1.0, np.abs(b).max(initial=0)))


@operations
@few
@given(lengths=LENGTHS, seed=SEED)
def test_values_are_numpys_and_gradients_those_of_differences(operation, lengths, seed):
    arrays, weights, _ = drawn(operation, lengths, seed)
    output, backward = vjp(lambda *xs: operation.numpy(np, *xs), *arrays)
    np.testing.assert_array_equal(output, operation.numpy(np, *arrays))
    found = backward(weights)
    wanted = numerical_gradient(lambda *xs: float(weighed(operation, weights)(*xs)), *arrays)
    pairs = [(found, wanted)] if len(arrays) == 1 else zip(found, wanted, strict=True)
    for a, b in pairs:
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


@operations
@few
@given(lengths=LENGTHS, seed=SEED)
def test_forward_mode_and_forward_over_reverse_agree_with_reverse(operation, lengths, seed):
    arrays, weights, directions = drawn(operation, lengths, seed)
    loss = weighed(operation, weights)
    gradients, seconds = ours(operation, arrays, weights, directions)
    _, slope = jvp(loss, arrays, directions)
    along = sum((g * v).sum() for g, v in zip(gradients, directions, strict=True))
    close([slope], [along], rtol=1e-9)
    named = dict(zip("abc", arrays, strict=False))
    turned = hvp(lambda x: loss(*x.values()), named, dict(zip("abc", directions, strict=False)))
    close(turned.values(), seconds)


@pytest.mark.parametrize(
    "operation",
    [o for o in OPERATIONS.values() if o.autograd],
    ids=[name for name, o in OPERATIONS.items() if o.autograd],
)
@few
@given(lengths=LENGTHS, seed=SEED)
def test_hips_autograd(operation, lengths, seed):
    autograd = pytest.importorskip("autograd")
    anp = autograd.numpy
    arrays, weights, directions = drawn(operation, lengths, seed)
    loss = weighed(operation, weights, anp)
    gradients, seconds = ours(operation, arrays, weights, directions)
    theirs = twice(autograd.grad, loss, arrays, directions)
    close(gradients, theirs[0])
    close(seconds, theirs[1])


@operations
@few
@given(lengths=LENGTHS, seed=SEED)
def test_pytorch(operation, lengths, seed):
    torch = pytest.importorskip("torch")
    arrays, weights, directions = drawn(operation, lengths, seed)
    close_to_pytorch(torch, operation, arrays, weights, directions)


def close_to_pytorch(torch, operation, arrays, weights, directions, rtol=1e-10):
    inputs = [torch.tensor(array, requires_grad=True) for array in arrays]
    loss = (operation.torch(torch, *inputs) * torch.tensor(weights)).sum()
    gradients = torch.autograd.grad(loss, inputs, create_graph=True)
    along = sum((g * torch.tensor(v)).sum() for g, v in zip(gradients, directions, strict=True))
    seconds = [torch.zeros_like(x) for x in inputs]
    if along.requires_grad:
        found = torch.autograd.grad(along, inputs, allow_unused=True)
        seconds = [z if g is None else g for z, g in zip(seconds, found, strict=True)]
    found = ours(operation, arrays, weights, directions)
    close(found[0], [g.detach().numpy() for g in gradients], rtol)
    close(found[1], [g.detach().numpy() for g in seconds], rtol)


@operations
def test_pytorch_in_float32(operation):
    torch = pytest.importorskip("torch")
    arrays, weights, directions = drawn(operation, FIXED, 0, np.float32)
    gradients, seconds = ours(operation, arrays, weights, directions)
    assert {g.dtype for g in (*gradients, *seconds)} == {np.dtype("float32")}
    close_to_pytorch(torch, operation, arrays, weights, directions, rtol=1e-4)


FOR_JAX = [name for name in OPERATIONS if not name.startswith("two: ") or name.endswith("(h,1)")]
"""It compiles each operation for each shape, so of those of two arrays one broadcast will do."""


@pytest.mark.parametrize("operation", [OPERATIONS[name] for name in FOR_JAX], ids=FOR_JAX)
def test_jax(operation):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    arrays, weights, directions = drawn(operation, FIXED, 0)
    loss = weighed(operation, weights, jax.numpy)
    gradients, seconds = ours(operation, arrays, weights, directions)
    both = jax.jit(lambda *arrays: twice(jax.grad, loss, arrays, directions))  # compiled at once
    theirs = both(*arrays)
    close(gradients, theirs[0])
    close(seconds, theirs[1])


TIES = {
    "abs at 0": (lambda np, x: np.abs(x), lambda t, x: t.abs(x), [0.0]),
    "maximum, equal": (lambda np, x: np.maximum(x, x[::-1]), None, [1.0, 1.0]),
    "max of an axis": (lambda np, x: np.max(x), lambda t, x: t.amax(x), [2.0, 1.0, 2.0]),
    "min of an axis": (lambda np, x: np.min(x), lambda t, x: t.amin(x), [2.0, 1.0, 1.0]),
    "clip at its bounds": (
        lambda np, x: np.clip(x, 0.0, 1.0),
        lambda t, x: t.clip(x, 0.0, 1.0),
        [0.0, 1.0, 2.0],
    ),
    "relu at 0": (lambda np, x: apply(relu, x), lambda t, x: t.relu(x), [0.0, -1.0]),
    "power of 0": (lambda np, x: x**2, lambda t, x: x**2, [0.0]),
    "power 1 of 0": (lambda np, x: x**1, lambda t, x: x**1, [0.0]),
}


@pytest.mark.parametrize("numpy, pytorch, at", TIES.values(), ids=TIES.keys())
def test_the_convention_at_a_tie_is_pytorchs(numpy, pytorch, at):
    torch = pytest.importorskip("torch")
    if pytorch is None:
        pytorch = lambda t, x: t.maximum(x, x.flip(0))  # noqa: E731
    x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    pytorch(torch, x).sum().backward()
    found = grad(lambda x: numpy(np, x).sum())(np.array(at))
    np.testing.assert_array_equal(found, x.grad.numpy())


def test_where_the_base_of_a_power_is_0_the_exponent_has_no_gradient():
    torch = pytest.importorskip("torch")
    base, exponent = np.array([0.0, 0.0, 2.0]), np.array([0.0, 2.0, 3.0])
    b, e = (torch.tensor(x, requires_grad=True) for x in (base, exponent))
    (b**e).sum().backward()
    found = grad(lambda b, e: (b**e).sum(), (0, 1))(base, exponent)
    np.testing.assert_allclose(found[0], b.grad.numpy())
    np.testing.assert_allclose(found[1], e.grad.numpy())


def test_what_other_libraries_have_no_derivative_of():
    places, x = np.array([0, 2, 0]), np.array([1.0, 2.0, 3.0])
    output, backward = vjp(lambda x: np.bincount(places, weights=x, minlength=4), x)
    np.testing.assert_array_equal(output, [4.0, 0.0, 2.0, 0.0])
    np.testing.assert_array_equal(backward(np.array([1.0, 2.0, 3.0, 4.0])), [1.0, 3.0, 1.0])
    found = grad(lambda x: np.float_power(x, 2.5).sum())(x)
    np.testing.assert_allclose(found, 2.5 * x**1.5, rtol=1e-12)


def test_every_function_of_the_table_is_tried():
    """Whatever the table has for NumPy's names is run, on a tensor, by some operation above."""
    from backprop_book import operands

    run = set()

    def listening(handler, name):
        @functools.wraps(handler)
        def heard(*args, **options):
            run.add(name)
            return handler(*args, **options)

        return heard

    tables = operands.UFUNCS, operands.FUNCTIONS
    kept = [dict(table) for table in tables]
    try:
        for table in tables:
            for key, handler in table.items():
                table[key] = listening(handler, key)
        for operation in OPERATIONS.values():
            first, *rest = operation.arrays(FIXED, np.random.default_rng(0))
            operation.numpy(np, Tensor(first), *map(Tensor, rest))
            operation.numpy(np, first, *map(Tensor, rest))
    finally:
        for table, before in zip(tables, kept, strict=True):
            table.update(before)
    plain = {np.allclose, np.argmax, np.argmin, np.argsort, np.array_equal, np.isclose, np.ndim}
    plain |= {np.full_like, np.ones_like, np.shape, np.size, np.zeros_like}
    elsewhere = {np.bincount, np.float_power}  # in the test above
    error_tail = next(u for u in operands.UFUNCS if u.__name__.startswith("erfc"))
    wanted = {key for table in kept for key in table} - plain - elsewhere - {error_tail}
    assert wanted - run == set()

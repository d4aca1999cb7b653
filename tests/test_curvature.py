"""Second derivatives: hvp and hessian against differences, one another, autograd and torch."""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

from backprop_book import (
    apply,
    cross_entropy,
    grad,
    hessian,
    hvp,
    initialize,
    lights,
    network,
    network_loss,
    relu,
    sgd_step,
    sigmoid,
    softplus,
    tanh,
)
from backprop_book.pushforward import PUSHES, push_products

RNG = np.random.default_rng(22)
W, X = RNG.normal(size=(3, 4)), RNG.normal(size=(5, 3))
TARGETS, LABELS = RNG.normal(size=(5, 2)), np.array([0, 1, 1, 0, 1])
STEP = 1e-3  # a difference of four points then errs by some 1e-11

# Each takes an array of shape (3, 4), and is written with what NumPy and autograd's numpy share.
FUNCTIONS = {
    "product": lambda x, xp: x[0, 0] * x[1, 2] * x[2, 3] ** 2,
    "elementwise": lambda x, xp: xp.sum(xp.exp(-(x**2)) * xp.sin(3 * x)),
    "quotient": lambda x, xp: xp.sum(x[:, :2] / (1 + x[:, 2:] ** 2)),
    "logsumexp": lambda x, xp: xp.log(xp.sum(xp.exp(x))),
    "softmax": lambda x, xp: xp.sum((xp.exp(x) / xp.sum(xp.exp(x), axis=1, keepdims=True)) ** 2),
    "matmul": lambda x, xp: xp.sum(xp.tanh(X @ x) ** 2),
    "quadratic": lambda x, xp: xp.sum((W.T @ x) * (x.T @ x)),
    "gather": lambda x, xp: xp.sum(x[np.array([0, 2, 0])] ** 3),
    "where": lambda x, xp: xp.sum(xp.where(x > 0.1, x**3, x**2)),
    "maximum": lambda x, xp: xp.sum(xp.max(x, axis=0) ** 3),
    "loop": lambda x, xp: xp.sum(sum((x[i] * x[i - 1] ** 2 for i in range(3)), 0 * x[0])),
}
CASES = [pytest.param(f, RNG.normal(size=(3, 4)), id=name) for name, f in FUNCTIONS.items()]


def close(found, wanted, tolerance=1e-10):
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def measured(f, x, v):
    """Measure how the gradient of f moves along v, by differences of four points."""

    def at(t):
        return grad(f)({k: x[k] + t * v[k] for k in x} if isinstance(x, dict) else x + t * v)

    near, far, ahead, behind = at(STEP), at(2 * STEP), at(-STEP), at(-2 * STEP)

    def slope(near, far, ahead, behind):
        return (8 * (near - ahead) - (far - behind)) / (12 * STEP)

    if isinstance(x, dict):
        return {k: slope(near[k], far[k], ahead[k], behind[k]) for k in x}
    return slope(near, far, ahead, behind)


def inner(a, b):
    return sum(anp.sum(a[k] * b[k]) for k in b)


def drawn_like(p, rng):
    return {k: rng.normal(size=p[k].shape) for k in p}


# A function of an array


@pytest.mark.parametrize(("f", "x"), CASES)
def test_hvp_is_right_and_as_in_autograd(f, x):
    v = np.random.default_rng(1).normal(size=x.shape)
    found = hvp(lambda x: f(x, np), x, v)
    assert type(found) is np.ndarray
    assert found.shape == x.shape
    close(found, measured(lambda x: f(x, np), x, v), 1e-8)
    close(found, autograd.hessian_vector_product(lambda x: f(x, anp))(x, v))


@pytest.mark.parametrize(("f", "x"), CASES)
def test_hessian_is_symmetric_and_as_in_autograd(f, x):
    found = hessian(lambda x: f(x, np))(x)
    assert found.shape == (3, 4, 3, 4)
    close(found, found.transpose(2, 3, 0, 1), 1e-13)
    close(found, autograd.hessian(lambda x: f(x, anp))(x))


@pytest.mark.parametrize(("f", "x"), CASES)
def test_hvp_is_the_hessian_times_the_vector(f, x):
    v = np.random.default_rng(2).normal(size=x.shape)
    found = hvp(lambda x: f(x, np), x, v)
    close(found, np.tensordot(hessian(lambda x: f(x, np))(x), v, axes=2), 1e-12)
    close(found, grad(lambda x: (grad(lambda x: f(x, np))(x) * v).sum())(x), 1e-12)


@pytest.mark.parametrize(("f", "x"), CASES)
def test_hvp_changes_nothing_and_returns_no_view(f, x):
    v = np.random.default_rng(3).normal(size=x.shape)
    before = x.copy(), v.copy()
    first = hvp(lambda x: f(x, np), x, v)
    first_again = first.copy()
    first += 1.0
    np.testing.assert_array_equal(hvp(lambda x: f(x, np), x, v), first_again)
    np.testing.assert_array_equal((x, v), before)


def test_of_numbers():
    t = np.tanh(0.5)
    close(hvp(np.tanh, 0.5, 3.0), 3 * -2 * t * (1 - t**2), 1e-14)
    close(hessian(np.tanh)(0.5), -2 * t * (1 - t**2), 1e-14)
    assert hessian(np.tanh)(0.5).shape == ()


def test_a_hessian_of_hvp_the_third_derivative():
    def along(x):
        return (hvp(lambda x: (x**4).sum(), x, np.ones(2)) * np.array([1.0, 2.0])).sum()

    close(grad(along)(np.array([0.5, 2.0])), [24 * 0.5, 2 * 24 * 2.0], 1e-12)


def test_float32_stays():
    x, v = W.astype(np.float32), np.ones((3, 4), np.float32)
    found = hvp(lambda x: (x**3).sum(), x, v)
    assert found.dtype == hessian(lambda x: (x**3).sum())(x).dtype == np.float32
    np.testing.assert_allclose(found, 6 * W, rtol=1e-5)


def test_constants_and_linear_functions_have_no_curvature():
    for f in (lambda x: 3.0, lambda x: (W * x).sum()):
        np.testing.assert_array_equal(hvp(f, W, W), np.zeros((3, 4)))
    np.testing.assert_array_equal(hessian(lambda x: x[0])(np.ones(2)), np.zeros((2, 2)))


@pytest.mark.parametrize("weights", [np.zeros(3), np.array([0.5, 0.48, -0.7])])
def test_the_hessian_of_the_lights(weights):
    examples, y = lights()
    found = hessian(lambda w: 0.5 * ((examples @ w - y) ** 2).mean())(weights)
    close(found, examples.T @ examples / 6, 1e-15)
    close(np.linalg.eigvalsh(2 * found), [0.2137, 0.6667, 3.1196], 5e-5)


# Dicts, and the functions of the house


def dict_loss(p, xp=np):
    hidden = xp.tanh(xp.dot(X, p["first"]["weights"]) + p["first"]["bias"])
    return xp.mean((xp.dot(hidden, p["last"]) - TARGETS) ** 2)


def test_nested_dicts():
    rng = np.random.default_rng(4)
    first = {"weights": rng.normal(size=(3, 4)), "bias": rng.normal(size=4)}
    p = {"first": first, "last": rng.normal(size=(4, 2))}
    v = {"first": drawn_like(first, rng), "last": rng.normal(size=(4, 2))}

    def along(p):
        gradients = autograd.grad(lambda p: dict_loss(p, anp))(p)
        parts = inner(gradients["first"], v["first"])
        return parts + anp.sum(gradients["last"] * v["last"])

    found, wanted = hvp(dict_loss, p, v), autograd.grad(along)(p)
    assert found.keys() == p.keys()
    for name in first:
        close(found["first"][name], wanted["first"][name])
    close(found["last"], wanted["last"])


def test_the_hessian_of_a_dict_is_a_dict_of_dicts():
    rng = np.random.default_rng(5)
    p, v = ({"a": rng.normal(size=2), "b": rng.normal(size=(2, 3))} for _ in range(2))

    def f(p):
        return np.sin(p["a"] @ p["b"]).sum() * p["a"][0]

    found, product = hessian(f)(p), hvp(f, p, v)
    for row in p:
        for column in p:
            assert found[row][column].shape == p[row].shape + p[column].shape
            axes = tuple(range(p[row].ndim, p[row].ndim + p[column].ndim))
            turned = (*axes, *range(p[row].ndim))
            close(found[row][column].transpose(turned), found[column][row], 1e-13)
        terms = [np.tensordot(found[row][k], v[k], axes=v[k].ndim) for k in p]
        close(product[row], sum(terms), 1e-12)


LOSSES = {
    "tanh": lambda p: network_loss(p, X, TARGETS, tanh)[0],
    "sigmoid": lambda p: network_loss(p, X, TARGETS, sigmoid)[0],
    "softplus": lambda p: network_loss(p, X, TARGETS, softplus)[0],
    "relu": lambda p: network_loss(p, X, TARGETS, relu)[0],
    "cross-entropy": lambda p: cross_entropy(network(p, X, tanh)[0], LABELS)[0],
    "by apply": lambda p: apply(cross_entropy, apply(network, p, X, softplus), LABELS),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
def test_networks_of_house_functions(loss):
    rng = np.random.default_rng(6)
    p = initialize([3, 6, 4, 2], rng)
    v, u = drawn_like(p, rng), drawn_like(p, rng)
    found, by_sweeps = hvp(loss, p, v), grad(lambda p: inner(grad(loss)(p), v))(p)
    wanted = measured(loss, p, v)
    for name in p:
        assert found[name].shape == p[name].shape
        close(found[name], wanted[name], 1e-7)
        close(found[name], by_sweeps[name], 1e-12)
    close(inner(u, found), inner(hvp(loss, p, u), v), 1e-12)
    assert max(abs(found[name]).max() for name in p) > 0.01  # there was something to find


def test_torch_finds_the_same():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rng = np.random.default_rng(7)
    p = initialize([3, 6, 2], rng)
    v = drawn_like(p, rng)
    x, labels = torch.tensor(X), torch.tensor(LABELS)

    def loss(W1, b1, W2, b2):
        return torch.nn.functional.cross_entropy(torch.tanh(x @ W1 + b1) @ W2 + b2, labels)

    tensors = tuple(tuple(torch.tensor(array) for array in d.values()) for d in (p, v))
    _, wanted = torch.autograd.functional.hvp(loss, *tensors)
    found = hvp(LOSSES["cross-entropy"], p, v)
    for name, each in zip(p, wanted, strict=True):
        close(found[name], each.numpy(), 1e-12)


# What it costs


@pytest.mark.parametrize("depth", [1, 3, 10])
def test_it_costs_at_most_five_gradients(depth, monkeypatch):
    tally = []

    def counted(a, b):
        tally.append(a.shape[0] * a.shape[1] * b.shape[1])
        return a @ b, lambda d: (apply(counted, d, b.T), apply(counted, a.T, d))

    def product(a, b):
        return apply(counted, a, b), lambda d: (apply(counted, d, b.T), apply(counted, a.T, d))

    def loss(p):
        a = X
        for name in p:
            a = np.tanh(apply(product, a, p[name]))
        return (a**2).mean()

    def count(work):
        tally.clear()
        work()
        return sum(tally)

    monkeypatch.setitem(PUSHES, counted, push_products)
    rng = np.random.default_rng(8)
    p = {f"weights_{k}": rng.normal(size=(3, 3)) for k in range(depth)}
    gradient = count(lambda: grad(loss)(p))
    assert gradient == depth * 3 * 5 * 3 * 3
    assert 1.5 * gradient < count(lambda: hvp(loss, p, p)) <= 3 * gradient


# What it refuses


def total(x):
    return (x**3).sum()


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (
            (total, np.ones(2), np.ones(3)),
            ValueError,
            r"v has shape \(3,\); it should be \(2,\), as x is",
        ),
        ((total, np.ones(2), np.ones(2, np.float32)), TypeError, "v has dtype float32"),
        (
            (total, {"w": np.ones(2)}, np.ones(2)),
            ValueError,
            "v is an array; it should be a dict with the keys",
        ),
        ((total, np.arange(2), np.arange(2)), TypeError, "x has dtype int64"),
        ((np.cumsum, np.ones(2), np.ones(2)), ValueError, "it should be one number"),
        ((3.0, np.ones(2), np.ones(2)), TypeError, "f is"),
    ],
)
def test_hvp_refuses(arguments, error, told):
    with pytest.raises(error, match=told):
        hvp(*arguments)


def test_hessian_refuses():
    with pytest.raises(TypeError, match="f is"):
        hessian(3.0)
    with pytest.raises(ValueError, match="it should be one number"):
        hessian(np.cumsum)(np.ones(2))


# What chapter 22 saw: sharpness at the edge of stability


def sharpness_while_training(rate, n_updates):
    """Train a network on a polynomial, and return its sharpness every 25 updates."""
    rng = np.random.default_rng(22)
    x = np.linspace(-1, 1, 20).reshape(20, 1)
    y = 16 * x**5 - 20 * x**3 + 5 * x
    p = initialize([1, 50, 50, 1], rng)
    p |= {k: rng.uniform(-1, 1, size=a.shape) / np.sqrt(50) for k, a in p.items() if "bias" in k}
    v, seen = drawn_like(p, rng), []
    for update in range(n_updates):
        if update % 25 == 0:
            for _ in range(2 if seen else 30):
                moved = hvp(lambda p: network_loss(p, x, y, tanh)[0], p, v)
                sharpness, size = inner(v, moved), np.sqrt(inner(moved, moved))
                v = {k: moved[k] / size for k in moved}
            seen.append(sharpness)
        noisy = y + 1e-4 * rng.normal(size=y.shape)
        p = sgd_step(p, network_loss(p, x, noisy, tanh)[1](1.0), rate)
    return np.array(seen)


def test_the_sharpness_stays_at_two_over_the_rate():
    seen = sharpness_while_training(0.2, 2000) * 0.2 / 2
    assert seen[0] < 0.9  # it comes from below
    assert abs(seen[-20:].mean() - 1) < 0.03
    assert seen[-20:].std() > 0.005  # and wavers


def test_at_a_low_rate_it_is_far_from_it():
    seen = sharpness_while_training(0.02, 1000) * 0.02 / 2
    assert seen.max() < 0.3

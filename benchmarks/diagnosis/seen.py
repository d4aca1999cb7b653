"""Layers, losses and small networks, each with a right backward pass and mistaken ones."""

import numpy as np

from benchmarks.diagnosis.cases import (
    case,
    ids_with_repeats,
    labels_of_all_sorts,
    mask_of_both,
    sizes,
)

CASES = []


def sigmoid(z):
    """Logistic function."""
    return 1 / (1 + np.exp(-z))


def softmax(z):
    """Softmax of each row."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def one_hot(labels, classes):
    """One row for each label, 1 in its column."""
    return np.eye(classes)[labels]


# Layers


def dense(x, w, b):
    """Dense layer."""
    y = x @ w + b

    def backward(dy):
        dx = dy @ w.T
        dw = x.T @ dy
        db = dy.sum(axis=0)
        return dx, dw, db

    return y, backward


def _dense(rng):
    n, d, h = sizes(rng, 2)
    return rng.normal(size=(n, d)), rng.normal(size=(d, h)), rng.normal(size=h)


CASES.append(
    case(
        dense,
        _dense,
        ("sign", "dx negated", "dx = dy", "dx = -dy"),
        ("batch", "dw divided by N", "x.T @ dy", "x.T @ dy / len(x)"),
        ("not-summed", "db keeps the batch", "dy.sum(axis=0)", "dy"),
        ("not-summed", "db has an axis of one", "axis=0", "axis=0, keepdims=True"),
        ("one-example", "db of the first row", "dy.sum(axis=0)", "dy[0]"),
        ("transposed", "dw returned transposed", "x.T @ dy", "dy.T @ x"),
        ("swapped", "dx and dw exchanged", "return dx, dw, db", "return dw, dx, db"),
        ("upstream", "dw ignores dy", "x.T @ dy", "x.T @ np.ones_like(dy)"),
    )
)


def square_dense(x, w, b):
    """Dense layer that keeps the number of features."""
    y = np.dot(x, w) + b

    def backward(dy):
        dx = np.dot(dy, w.T)
        dw = np.dot(x.T, dy)
        db = np.sum(dy, axis=0)
        return dx, dw, db

    return y, backward


def _square_dense(rng):
    n, d = sizes(rng, 1)
    return rng.normal(size=(n, d)), rng.normal(size=(d, d)), rng.normal(size=d)


CASES.append(
    case(
        square_dense,
        _square_dense,
        ("transposed", "w not transposed for dx", "np.dot(dy, w.T)", "np.dot(dy, w)"),
        ("transposed", "dw of the same shape transposed", "np.dot(x.T, dy)", "np.dot(dy.T, x)"),
        ("one-example", "dw of the last row", "np.dot(x.T, dy)", "np.outer(x[-1], dy[-1])"),
        ("detached", "no gradient for x", "np.dot(dy, w.T)", "np.zeros_like(x)"),
        ("precision", "dw in single precision", "np.dot(x.T, dy)",
         "np.dot(x.T.astype(np.float32), dy.astype(np.float32))"),
    )
)  # fmt: skip


def dense_relu(x, w, b):
    """Dense layer with rectifier."""
    z = x @ w + b
    h = np.maximum(z, 0)

    def backward(dh):
        dz = dh * (z > 0)
        return dz @ w.T, x.T @ dz, dz.sum(axis=0)

    return h, backward


def _dense_relu(rng):
    while True:
        x, w, b = _dense(rng)
        on = (x @ w + b > 0).mean()
        if 0.3 < on < 0.7:
            return x, w, b


CASES.append(
    case(
        dense_relu,
        _dense_relu,
        ("activation-missing", "no mask", "dh * (z > 0)", "dh"),
        ("activation-missing", "mask of ones", "(z > 0)", "(h >= 0)"),
        ("integer", "upstream cast to int", "dh * (z > 0)", "dh.astype(int) * (z > 0)"),
        ("one-example", "weights see the first row", "x.T @ dz", "x[:1].T @ dz[:1]"),
        ("sign", "all negated", "dz = dh", "dz = -dh"),
        ("detached", "no gradient for b", "dz.sum(axis=0)", "np.zeros_like(b)"),
        ("upstream", "dh ignored", "dz = dh * (z > 0)", "dz = (z > 0).astype(float)"),
    )
)


def dense_sigmoid(x, w, b):
    """Dense layer with sigmoid."""
    z = x @ w + b
    a = sigmoid(z)

    def backward(da):
        dz = da * a * (1 - a)
        dx = dz.dot(w.T)
        dw = x.T.dot(dz)
        db = dz.sum(0)
        return dx, dw, db

    return a, backward


CASES.append(
    case(
        dense_sigmoid,
        _dense,
        ("activation-misplaced", "fed with z", "da * a * (1 - a)", "da * z * (1 - z)"),
        ("activation-misplaced", "sigmoid of a", "da * a * (1 - a)",
         "da * sigmoid(a) * (1 - sigmoid(a))"),
        ("activation-missing", "passed on", "da * a * (1 - a)", "da"),
        ("factor", "dw doubled", "dw = x", "dw = 2 * x"),
        ("batch", "db is a mean", "dz.sum(0)", "dz.mean(0)"),
        ("precision", "dz in half precision", "da * a * (1 - a)",
         "(da * a * (1 - a)).astype(np.float16)"),
        ("integer", "derivative rounded", "da * a * (1 - a)", "da * np.round(a * (1 - a), 1)"),
    )
)  # fmt: skip


def swish(x):
    """x * sigmoid(x)."""
    s = sigmoid(x)

    def backward(dy):
        return dy * (s + x * s * (1 - s))

    return x * s, backward


def _matrix(rng):
    n, d = sizes(rng, 1)
    return (rng.normal(size=(n, d)),)


CASES.append(
    case(
        swish,
        _matrix,
        ("detached", "the gate as a constant", "(s + x * s * (1 - s))", "s"),
        ("detached", "the factor x as a constant", "s + x * s", "x * s"),
        ("precision", "difference quotient", "dy * (s + x * s * (1 - s))",
         "dy * ((x + 1e-4) * sigmoid(x + 1e-4) - x * s) / 1e-4"),
        ("upstream", "dy ignored", "dy * (s", "(s"),
        ("activation-missing", "gate's derivative left out", "x * s * (1 - s)", "x"),
        ("activation-misplaced", "derivative at the output", "x * s * (1 - s)",
         "x * sigmoid(x * s) * (1 - sigmoid(x * s))"),
        ("sign", "negated", "return dy", "return -dy"),
    )
)  # fmt: skip


# Networks


def two_layers(x, target, w1, b1, w2, b2):
    """Squared error of a tanh network, averaged over the batch."""
    h = np.tanh(x @ w1 + b1)
    y = h @ w2 + b2
    error = y - target
    loss = (error**2).sum() / len(x)

    def backward(dloss):
        dy = dloss * 2 * error / len(x)
        dw2 = h.T @ dy
        db2 = dy.sum(axis=0)
        dh = dy @ w2.T
        dz = dh * (1 - h**2)
        dw1 = x.T @ dz
        db1 = dz.sum(axis=0)
        dx = dz @ w1.T
        return dx, -dy, dw1, db1, dw2, db2

    return loss, backward


def _two_layers(rng):
    n, d, h, k = sizes(rng, 3)
    shapes = (n, d), (n, k), (d, h), h, (h, k), k
    return tuple(rng.normal(size=shape) for shape in shapes)


CASES.append(
    case(
        two_layers,
        _two_layers,
        ("updated-weights", "w2 after its step", "dy @ w2.T", "dy @ (w2 - 0.2 * dw2).T"),
        ("factor", "2 of the square forgotten", "dloss * 2 * error", "dloss * error"),
        ("sign", "target minus prediction", "2 * error", "2 * (target - y)"),
        ("sign", "target's sign", "return dx, -dy", "return dx, dy"),
        ("batch", "sum in place of mean", "2 * error / len(x)", "2 * error"),
        ("batch", "divided twice in layer one", "dw1 = x.T @ dz", "dw1 = x.T @ dz / len(x)"),
        ("activation-missing", "tanh left out", "dh * (1 - h**2)", "dh"),
        ("activation-misplaced", "tanh of h", "(1 - h**2)", "(1 - np.tanh(h) ** 2)"),
        ("one-example", "db1 of the last row", "db1 = dz.sum(axis=0)", "db1 = dz[-1]"),
        ("swapped", "first and second bias", "db1, dw2, db2", "db2, dw2, db1"),
        ("detached", "target as a constant", "return dx, -dy", "return dx, np.zeros_like(dy)"),
        ("upstream", "dloss ignored", "dloss * 2", "2"),
        ("precision", "dh in single precision", "dy @ w2.T", "np.float32(dy) @ np.float32(w2).T"),
    )
)


def network_of_dict(x, target, params):
    """Mean squared error of a sigmoid network whose parameters are a dict."""
    cache = {"z": x @ params["W1"] + params["b1"]}
    cache["a"] = sigmoid(cache["z"])
    cache["y"] = cache["a"] @ params["W2"] + params["b2"]
    loss = 0.5 * np.sum((cache["y"] - target) ** 2) / x.shape[0]

    def backward(dloss):
        grads = {}
        a = cache["a"]
        dy = dloss * (cache["y"] - target) / x.shape[0]
        grads["W2"] = a.T @ dy
        grads["b2"] = np.sum(dy, axis=0)
        da = dy @ params["W2"].T
        dz = da * a * (1 - a)
        grads["W1"] = x.T @ dz
        grads["b1"] = np.sum(dz, axis=0)
        return dz @ params["W1"].T, -dy, grads

    return loss, backward


def _network_of_dict(rng):
    x, target, w1, b1, w2, b2 = _two_layers(rng)
    return x, target, {"W1": w1, "b1": b1, "W2": w2, "b2": b2}


CASES.append(
    case(
        network_of_dict,
        _network_of_dict,
        ("updated-weights", "W2 after its step", "dy @ params[\"W2\"].T",
         "dy @ (params[\"W2\"] - 0.3 * grads[\"W2\"]).T"),
        ("factor", "2 although halved", "dloss * (cache", "dloss * 2 * (cache"),
        ("batch", "no mean", "- target) / x.shape[0]\n        grads", "- target)\n        grads"),
        ("activation-misplaced", "derivative fed with z", "da * a * (1 - a)",
         "da * cache[\"z\"] * (1 - cache[\"z\"])"),
        ("activation-missing", "da used for dz", "da * a * (1 - a)", "da"),
        ("sign", "target minus prediction", "dloss * (cache[\"y\"] - target)",
         "dloss * (target - cache[\"y\"])"),
        ("not-summed", "b1 keeps the batch", "np.sum(dz, axis=0)", "dz"),
        ("swapped", "b1 and b2", "return dz",
         "grads[\"b1\"], grads[\"b2\"] = grads[\"b2\"], grads[\"b1\"]\n        return dz"),
        ("upstream", "dloss ignored", "dloss * (cache", "(cache"),
    )
)  # fmt: skip


# Softmax and its losses


def softmax_cross_entropy(logits, labels):
    """Mean cross-entropy of the softmax of logits with integer labels."""
    n = len(labels)
    p = softmax(logits)
    loss = -np.log(p[np.arange(n), labels]).mean()

    def backward(dloss):
        dlogits = p.copy()
        dlogits[np.arange(n), labels] -= 1
        return dloss * dlogits / n

    return loss, backward


def _logits_and_labels(rng):
    n, k = sizes(rng, 1)
    k = max(k, 3)
    return rng.normal(size=(n, k)), labels_of_all_sorts(rng, n, k)


CASES.append(
    case(
        softmax_cross_entropy,
        _logits_and_labels,
        ("one-hot-missing", "no 1 taken off", "        dlogits[np.arange(n), labels] -= 1\n", ""),
        ("softmax-twice", "softmax of p", "p.copy()", "softmax(p)"),
        ("sign", "y - p", "return dloss", "return -dloss"),
        ("batch", "not divided by N", "dlogits / n", "dlogits"),
        ("integer", "divided with //", "dloss * dlogits / n", "dloss * (dlogits // n)"),
        ("wrong-axis", "softmax over the batch", "p.copy()", "softmax(logits.T).T"),
        ("upstream", "dloss ignored", "return dloss * dlogits", "return dlogits"),
        ("integer", "zeros of the labels' type", "        dlogits = p.copy()\n",
         "        dlogits = np.zeros(p.shape, labels.dtype)\n        dlogits[:] = p\n"),
    )
)  # fmt: skip


def classifier(x, labels, w1, b1, w2, b2):
    """Rectifier network with softmax cross-entropy."""
    n = x.shape[0]
    z1 = x @ w1 + b1
    h = np.maximum(0, z1)
    p = softmax(h @ w2 + b2)
    y = one_hot(labels, w2.shape[1])
    loss = -np.sum(y * np.log(p)) / n

    def backward(dloss):
        dz2 = dloss * (p - y) / n
        dw2, db2 = h.T @ dz2, dz2.sum(axis=0)
        dh = dz2 @ w2.T
        dz1 = dh * (z1 > 0)
        dw1, db1 = x.T @ dz1, dz1.sum(axis=0)
        return dz1 @ w1.T, dw1, db1, dw2, db2

    return loss, backward


def _classifier(rng):
    while True:
        n, d, h, k = sizes(rng, 3)
        x, w1, b1 = rng.normal(size=(n, d)), rng.normal(size=(d, h)), rng.normal(size=h)
        if 0.3 < (x @ w1 + b1 > 0).mean() < 0.7:
            break
    labels = labels_of_all_sorts(rng, n, k)
    return x, labels, w1, b1, rng.normal(size=(h, k)), rng.normal(size=k)


CASES.append(
    case(
        classifier,
        _classifier,
        ("one-hot-missing", "p for p - y", "(p - y)", "p"),
        ("softmax-twice", "softmax of p", "(p - y)", "(softmax(p) - y)"),
        ("sign", "y - p", "(p - y)", "(y - p)"),
        ("batch", "sum over the batch", "(p - y) / n", "(p - y)"),
        ("batch", "divided again for dw2", "h.T @ dz2", "h.T @ dz2 / n"),
        ("activation-missing", "no mask", "dh * (z1 > 0)", "dh"),
        ("activation-missing", "mask of ones from h", "(z1 > 0)", "(h >= 0)"),
        ("updated-weights", "w2 moved before dh", "dz2 @ w2.T", "dz2 @ (w2 - 0.1 * dw2).T"),
        ("one-example", "db2 of row 0", "dz2.sum(axis=0)", "dz2[0]"),
        ("not-summed", "db1 with keepdims", "dz1.sum(axis=0)", "dz1.sum(axis=0, keepdims=True)"),
        ("detached", "nothing for x", "return dz1 @ w1.T", "return np.zeros(x.shape)"),
        ("integer", "floor division", "(p - y) / n", "(p - y) // n"),
    )
)


def log_softmax(z):
    """Logarithm of the softmax of each row."""
    shifted = z - z.max(axis=1, keepdims=True)
    out = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))

    def backward(dout):
        p = np.exp(out)
        return dout - p * dout.sum(axis=1, keepdims=True)

    return out, backward


CASES.append(
    case(
        log_softmax,
        _matrix,
        ("softmax-twice", "softmax of p", "p = np.exp(out)", "p = softmax(np.exp(out))"),
        ("wrong-axis", "summed over rows", "dout.sum(axis=1, keep", "dout.sum(axis=0, keep"),
        ("sign", "the sum added", "dout - p", "dout + p"),
        ("detached", "normaliser as a constant", "dout - p * dout.sum(axis=1, keepdims=True)",
         "dout.copy()"),
        ("precision", "p in half precision", "np.exp(out)", "np.exp(out.astype(np.float16))"),
        ("wrong-axis", "p over the batch", "np.exp(out)", "softmax(z.T).T"),
    )
)  # fmt: skip


def temperature_softmax(z, temperature):
    """Softmax of each row of z / temperature, the temperature a number to be learned."""
    p = softmax(z / temperature)

    def backward(dp):
        ds = p * (dp - (dp * p).sum(axis=1, keepdims=True))
        dz = ds / temperature
        dt = -(ds * z).sum() / temperature**2
        return dz, dt

    return p, backward


def _temperature_softmax(rng):
    n, k = sizes(rng, 1)
    return rng.normal(size=(n, max(k, 3))), rng.uniform(1.5, 3)


CASES.append(
    case(
        temperature_softmax,
        _temperature_softmax,
        ("factor", "2 as of a square", "dt = -(ds", "dt = -2 * (ds"),
        ("sign", "dt positive", "dt = -(ds", "dt = (ds"),
        ("softmax-twice", "softmax of p", "        ds = p * (dp - (dp * p)",
         "        q = softmax(p)\n        ds = q * (dp - (dp * q)"),
        ("wrong-axis", "inner sum over the batch", "axis=1", "axis=0"),
        ("not-summed", "dt one for each example", "(ds * z).sum() /", "(ds * z).sum(axis=1) /"),
        ("one-example", "dt of the first row", "(ds * z).sum() /", "(ds[0] * z[0]).sum() /"),
        ("integer", "floor division", "ds / temperature", "ds // temperature"),
    )
)  # fmt: skip


def attention(q, k, v):
    """One head: each query takes a weighted average of the values."""
    scale = q.shape[1] ** -0.5
    a = softmax(q @ k.T * scale)

    def backward(dout):
        da = dout @ v.T
        ds = a * (da - (da * a).sum(axis=1, keepdims=True)) * scale
        dq = ds @ k
        dk = ds.T @ q
        dv = a.T @ dout
        return dq, dk, dv

    return a @ v, backward


def _attention(rng):
    n, d, e = sizes(rng, 2)
    return rng.normal(size=(n, d)), rng.normal(size=(n, d)), rng.normal(size=(n, e))


CASES.append(
    case(
        attention,
        _attention,
        ("transposed", "scores not transposed for dk", "ds.T @ q", "ds @ q"),
        ("transposed", "attention not transposed for dv", "a.T @ dout", "a @ dout"),
        ("swapped", "dq and dk", "return dq, dk, dv", "return dk, dq, dv"),
        ("softmax-twice", "softmax of a", "ds = a * (da - (da * a).sum",
         "b = softmax(a)\n        ds = b * (da - (da * b).sum"),
        ("wrong-axis", "inner sum over queries", "axis=1", "axis=0"),
        ("activation-missing", "softmax left out",
         "a * (da - (da * a).sum(axis=1, keepdims=True))", "da"),
        ("factor", "scale forgotten", "keepdims=True)) * scale", "keepdims=True))"),
        ("detached", "queries as constants", "dq = ds @ k", "dq = np.zeros_like(q)"),
    )
)  # fmt: skip


def logistic_regression(x, labels, w, b):
    """Mean binary cross-entropy plus half a tenth of the squared weights."""
    p = sigmoid(x @ w + b)
    data = -(labels * np.log(p) + (1 - labels) * np.log(1 - p)).mean()
    loss = data + 0.05 * (w**2).sum()

    def backward(dloss):
        dz = (p - labels) / len(x)
        dw = x.T @ dz + 0.1 * w
        db = dz.sum()
        dx = np.outer(dz, w)
        return dloss * dx, dloss * dw, dloss * db

    return loss, backward


def _logistic_regression(rng):
    n, d = sizes(rng, 1)
    x, w = rng.normal(size=(n, d)), rng.normal(size=d)
    return x, labels_of_all_sorts(rng, n, 2), w, rng.normal()


CASES.append(
    case(
        logistic_regression,
        _logistic_regression,
        ("one-hot-missing", "p for p - labels", "(p - labels)", "p"),
        ("regulariser", "forgotten", "x.T @ dz + 0.1 * w", "x.T @ dz"),
        ("regulariser", "its 2 forgotten", "0.1 * w", "0.05 * w"),
        ("not-summed", "db one for each example", "dz.sum()", "dz"),
        ("batch", "divided twice", "/ len(x)", "/ len(x) ** 2"),
        ("sign", "labels - p", "(p - labels)", "(labels - p)"),
        ("integer", "p rounded to a decision", "(p - labels)", "((p > 0.5).astype(int) - labels)"),
        ("upstream", "dloss left out for w", "dloss * dw", "dw"),
        ("updated-weights", "w after its step", "np.outer(dz, w)", "np.outer(dz, w - 0.1 * dw)"),
    )
)


def bag_classifier(ids, labels, table, w):
    """Mean of the embeddings of each text's words, then softmax cross-entropy."""
    n, words = ids.shape
    h = table[ids].mean(axis=1)
    p = softmax(h @ w)
    y = one_hot(labels, w.shape[1])
    loss = -(y * np.log(p)).sum() / n

    def backward(dloss):
        dz = dloss * (p - y) / n
        dw = h.T @ dz
        dh = dz @ w.T / words
        dtable = np.zeros_like(table)
        np.add.at(dtable, ids, dh[:, None, :])
        return dtable, dw

    return loss, backward


def _bag_classifier(rng):
    n, d, k = sizes(rng, 2)
    ids = ids_with_repeats(rng, 5, (n, 4))
    labels = labels_of_all_sorts(rng, n, k)
    return ids, labels, rng.normal(size=(5, d)), rng.normal(size=(d, k))


CASES.append(
    case(
        bag_classifier,
        _bag_classifier,
        ("overwritten", "repeats counted once", "np.add.at(dtable, ids, dh[:, None, :])",
         "dtable[ids] = dh[:, None, :]"),
        ("overwritten", "+= by index", "np.add.at(dtable, ids, dh[:, None, :])",
         "dtable[ids] += dh[:, None, :]"),
        ("one-hot-missing", "p for p - y", "(p - y)", "p"),
        ("softmax-twice", "softmax of p", "(p - y)", "(softmax(p) - y)"),
        ("updated-weights", "w moved before dh", "dz @ w.T", "dz @ (w - 0.1 * dw).T"),
        ("one-example", "table of the last text", "ids, dh[:, None, :])", "ids[-1], dh[-1])"),
        ("precision", "table in half precision", "np.zeros_like(table)",
         "np.zeros(table.shape, np.float16)"),
    )
)  # fmt: skip


# Normalisation


def batch_norm(x, gamma, beta):
    """Columns standardised over the batch, then scaled and shifted."""
    mean = x.mean(axis=0)
    std = np.sqrt(x.var(axis=0) + 1e-3)
    xhat = (x - mean) / std

    def backward(dy):
        dgamma = (dy * xhat).sum(axis=0)
        dbeta = dy.sum(axis=0)
        g = dy * gamma
        dx = (g - g.mean(axis=0) - xhat * (g * xhat).mean(axis=0)) / std
        return dx, dgamma, dbeta

    return gamma * xhat + beta, backward


def _batch_norm(rng):
    n, d = sizes(rng, 1)
    return 2 * rng.normal(size=(n, d)) + 1, rng.uniform(0.5, 2, size=d), rng.normal(size=d)


CASES.append(
    case(
        batch_norm,
        _batch_norm,
        ("statistics", "mean and variance constant",
         "(g - g.mean(axis=0) - xhat * (g * xhat).mean(axis=0)) / std", "g / std"),
        ("statistics", "variance constant", " - xhat * (g * xhat).mean(axis=0)", ""),
        ("statistics", "mean constant", "g - g.mean(axis=0)", "g"),
        ("swapped", "gamma and beta", "return dx, dgamma, dbeta", "return dx, dbeta, dgamma"),
        ("wrong-axis", "mean over features", "g - g.mean(axis=0)",
         "g - g.mean(axis=1, keepdims=True)"),
        ("factor", "variance's term doubled", "- xhat * (g", "- 2 * xhat * (g"),
        ("detached", "gamma a constant", "(dy * xhat).sum(axis=0)", "np.zeros_like(gamma)"),
        ("one-example", "dgamma of the first row", "(dy * xhat).sum(axis=0)", "dy[0] * xhat[0]"),
        ("batch", "dbeta is a mean", "dbeta = dy.sum(axis=0)", "dbeta = dy.mean(axis=0)"),
    )
)  # fmt: skip


def layer_norm(x, gamma, beta):
    """Rows standardised, then scaled and shifted."""
    mean = np.mean(x, axis=1, keepdims=True)
    std = np.sqrt(np.var(x, axis=1, keepdims=True) + 1e-3)
    xhat = (x - mean) / std

    def backward(dy):
        g = dy * gamma
        dx = g - np.mean(g, axis=1, keepdims=True)
        dx -= xhat * np.mean(g * xhat, axis=1, keepdims=True)
        dx /= std
        return dx, np.sum(dy * xhat, axis=0), np.sum(dy, axis=0)

    return gamma * xhat + beta, backward


def _layer_norm(rng):
    n, d = sizes(rng, 1)
    d = max(d, 3)
    return 2 * rng.normal(size=(n, d)) + 1, rng.uniform(0.5, 2, size=d), rng.normal(size=d)


CASES.append(
    case(
        layer_norm,
        _layer_norm,
        ("statistics", "both constant", "g - np.mean(g, axis=1, keepdims=True)", "1 * g",
         "        dx -= xhat * np.mean(g * xhat, axis=1, keepdims=True)\n", ""),
        ("statistics", "variance constant",
         "        dx -= xhat * np.mean(g * xhat, axis=1, keepdims=True)\n", ""),
        ("wrong-axis", "means as in batch norm", "np.mean(g, axis=1, keepdims=True)",
         "np.mean(g, axis=0)", "np.mean(g * xhat, axis=1, keepdims=True)",
         "np.mean(g * xhat, axis=0)"),
        ("not-summed", "gamma's keeps the batch", "np.sum(dy * xhat, axis=0)", "dy * xhat"),
        ("sign", "beta's negated", "xhat, axis=0), np.sum(dy", "xhat, axis=0), -np.sum(dy"),
        ("precision", "dx in single precision", "dx = g - np.mean",
         "g = g.astype(np.float32)\n        dx = g - np.mean"),
        ("upstream", "beta's ignores dy", "np.sum(dy, axis=0)", "0 * beta + len(x)"),
    )
)  # fmt: skip


def cosine_similarity(a, b):
    """Cosine of the angle between each row of a and the same row of b."""
    na = np.linalg.norm(a, axis=1, keepdims=True)
    nb = np.linalg.norm(b, axis=1, keepdims=True)
    ua, ub = a / na, b / nb
    cosine = (ua * ub).sum(axis=1)

    def backward(dcosine):
        g = dcosine[:, None]
        c = cosine[:, None]
        da = g * (ub - c * ua) / na
        db = g * (ua - c * ub) / nb
        return da, db

    return cosine, backward


def _two_matrices(rng):
    n, d = sizes(rng, 1)
    return rng.normal(size=(n, d)), rng.normal(size=(n, d))


CASES.append(
    case(
        cosine_similarity,
        _two_matrices,
        ("statistics", "norms constant", "(ub - c * ua)", "ub", "(ua - c * ub)", "ua"),
        ("statistics", "norm of a constant", "(ub - c * ua)", "ub"),
        ("swapped", "da and db", "return da, db", "return db, da"),
        ("detached", "b as a constant", "return da, db", "return da, np.zeros_like(b)"),
        ("sign", "da negated", "da = g", "da = -g"),
        ("upstream", "dcosine ignored", "dcosine[:, None]", "1.0"),
    )
)


# Dropout


def dropout_layer(x, mask):
    """Inverted dropout that keeps three quarters."""
    keep = 0.75
    y = x * mask / keep

    def backward(dy):
        dx = dy * mask / keep
        return dx

    return y, backward


def _dropout_layer(rng):
    (x,) = _matrix(rng)
    return x, mask_of_both(rng, x.shape).astype(int)


CASES.append(
    case(
        dropout_layer,
        _dropout_layer,
        ("dropout", "mask forgotten", "dy * mask / keep", "dy / keep"),
        ("dropout", "scale forgotten", "dy * mask / keep", "dy * mask"),
        ("dropout", "both forgotten", "dy * mask / keep", "dy"),
        ("upstream", "dy ignored", "dy * mask / keep", "mask / keep"),
        ("integer", "result cast to int", "dy * mask / keep", "(dy * mask / keep).astype(int)"),
    )
)


def dropout_network(x, mask, w1, b1, w2):
    """Tanh layer, dropout of half, linear layer."""
    h = np.tanh(x @ w1 + b1)
    hd = h * mask * 2
    out = hd @ w2

    def backward(dout):
        dw2 = hd.T @ dout
        dhd = dout @ w2.T
        dh = dhd * mask * 2
        dz = dh * (1 - h * h)
        dw1 = x.T @ dz
        db1 = dz.sum(axis=0)
        return dz @ w1.T, dw1, db1, dw2

    return out, backward


def _dropout_network(rng):
    n, d, h, k = sizes(rng, 3)
    mask = mask_of_both(rng, (n, h)).astype(bool)
    w1, b1 = 0.4 * rng.normal(size=(d, h)), rng.normal(size=h)
    return rng.normal(size=(n, d)), mask, w1, b1, rng.normal(size=(h, k))


CASES.append(
    case(
        dropout_network,
        _dropout_network,
        ("dropout", "mask forgotten", "dhd * mask * 2", "dhd * 2"),
        ("dropout", "scale forgotten", "dhd * mask * 2", "dhd * mask"),
        ("dropout", "dw2 from undropped h", "hd.T @ dout", "h.T @ dout"),
        ("activation-misplaced", "at the dropped-out value", "(1 - h * h)", "(1 - hd * hd)"),
        ("activation-missing", "tanh left out", "dh * (1 - h * h)", "dh"),
        ("updated-weights", "w2 after its step", "dout @ w2.T", "dout @ (w2 - 0.02 * dw2).T"),
        ("one-example", "db1 of one row", "dz.sum(axis=0)", "dz[0]"),
        ("transposed", "dw2 transposed", "hd.T @ dout", "dout.T @ hd"),
    )
)


# Regression


def ridge(x, y, w):
    """Mean squared error with a penalty on the square of the weights."""
    alpha = 0.3
    residual = x @ w - y
    loss = np.mean(residual**2) + alpha * np.sum(w**2)

    def backward(dloss):
        dr = 2 * residual / len(y)
        dw = x.T @ dr + 2 * alpha * w
        dx = dr[:, None] * w
        dy = -dr
        return dloss * dx, dloss * dy, dloss * dw

    return loss, backward


def _ridge(rng):
    n, d = sizes(rng, 1)
    return rng.normal(size=(n, d)), rng.normal(size=n), rng.normal(size=d)


CASES.append(
    case(
        ridge,
        _ridge,
        ("regulariser", "forgotten", " + 2 * alpha * w", ""),
        ("regulariser", "added twice", "2 * alpha * w", "4 * alpha * w"),
        ("regulariser", "without its 2", "2 * alpha * w", "alpha * w"),
        ("factor", "2 of the error forgotten", "dr = 2 * residual", "dr = residual"),
        ("batch", "sum in place of mean", "2 * residual / len(y)", "2 * residual"),
        ("sign", "targets' sign", "dy = -dr", "dy = dr"),
        ("integer", "floor division", "residual / len(y)", "residual // len(y)"),
        ("upstream", "dloss ignored for w", "dloss * dw", "dw"),
    )
)


def lasso(x, y, w, b):
    """Half the mean squared error with a penalty on the size of the weights."""
    r = y - (np.dot(x, w) + b)
    n = r.shape[0]
    loss = np.sum(r**2) / (2 * n) + 0.2 * np.abs(w).sum()

    def backward(dloss):
        dr = dloss * r / n
        dw = -np.dot(x.T, dr) + dloss * 0.2 * np.sign(w)
        return -np.outer(dr, w), dr, dw, -dr.sum()

    return loss, backward


def _lasso(rng):
    return (*_ridge(rng), rng.normal())


CASES.append(
    case(
        lasso,
        _lasso,
        ("regulariser", "forgotten", " + dloss * 0.2 * np.sign(w)", ""),
        ("regulariser", "added twice", "0.2 * np.sign(w)", "0.4 * np.sign(w)"),
        ("factor", "2 although halved", "dloss * r / n", "dloss * 2 * r / n"),
        ("sign", "residual the other way round", "-np.dot(x.T, dr)", "np.dot(x.T, dr)"),
        ("not-summed", "b's for each example", "-dr.sum()", "-dr"),
        ("one-example", "b's of the last example", "-dr.sum()", "-dr[-1]"),
        ("detached", "y as a constant", "np.outer(dr, w), dr", "np.outer(dr, w), 0 * dr"),
    )
)


def mean_squared_error(prediction, target):
    """Mean over the examples of the summed squares."""
    difference = prediction - target
    loss = np.mean(np.sum(difference**2, axis=1))

    def backward(dloss):
        dprediction = dloss * 2 * difference / len(target)
        return dprediction, -dprediction

    return loss, backward


CASES.append(
    case(
        mean_squared_error,
        _two_matrices,
        ("factor", "2 forgotten", "dloss * 2", "dloss"),
        ("batch", "N forgotten", " / len(target)", ""),
        ("sign", "target - prediction", "2 * difference", "2 * (target - prediction)"),
        ("precision", "single precision", "difference / len(target)",
         "difference.astype(np.float32) / np.float32(len(target))"),
        ("upstream", "dloss ignored", "dloss * 2", "2"),
        ("detached", "nothing for the target", "return dprediction, -dprediction",
         "return dprediction, np.zeros(target.shape)"),
    )
)  # fmt: skip


def gaussian_nll(mean, log_var, y):
    """Negative log-likelihood of a Gaussian, without its constant."""
    precision = np.exp(-log_var)
    delta = mean - y
    loss = 0.5 * np.mean(log_var + delta**2 * precision)

    def backward(dloss):
        scale = dloss / y.size
        dmean = scale * delta * precision
        dlog_var = scale * 0.5 * (1 - delta**2 * precision)
        return dmean, dlog_var, -dmean

    return loss, backward


def _gaussian_nll(rng):
    n = int(rng.integers(3, 7))
    return rng.normal(size=n), 0.5 * rng.normal(size=n), rng.normal(size=n)


CASES.append(
    case(
        gaussian_nll,
        _gaussian_nll,
        ("factor", "half forgotten for log_var", "scale * 0.5 * (1", "scale * (1"),
        ("factor", "half counted twice for mean", "scale * delta", "scale * 0.5 * delta"),
        ("swapped", "mean and log_var", "return dmean, dlog_var", "return dlog_var, dmean"),
        ("sign", "log_var's sign", "0.5 * (1 - delta**2 * precision)",
         "0.5 * (delta**2 * precision - 1)"),
        ("batch", "summed", "dloss / y.size", "dloss"),
        ("detached", "log_var through the square only", "(1 - delta", "(-delta"),
    )
)  # fmt: skip


# Sharing


def embedding(ids, table):
    """Row of the table for each id."""
    rows = table[ids]

    def backward(drows):
        dtable = np.zeros_like(table)
        for position, i in enumerate(ids):
            dtable[i] += drows[position]
        return dtable

    return rows, backward


def _embedding(rng):
    n, d = sizes(rng, 1)
    return ids_with_repeats(rng, 4, n + 1), rng.normal(size=(4, d))


CASES.append(
    case(
        embedding,
        _embedding,
        ("overwritten", "= for +=", "dtable[i] += drows", "dtable[i] = drows"),
        ("overwritten", "by index in one go",
         "        for position, i in enumerate(ids):\n            dtable[i] += drows[position]\n",
         "        dtable[ids] += drows\n"),
        ("one-example", "return within the loop", "    return dtable", "        return dtable"),
        ("integer", "rows cast to int", "drows[position]", "drows[position].astype(int)"),
        ("upstream", "counts of the ids", "drows[position]", "1"),
        ("factor", "doubled", "drows[position]", "2 * drows[position]"),
    )
)  # fmt: skip


def tied_autoencoder(x, w, b):
    """Mean squared error of x encoded by w and decoded by its transpose."""
    n = len(x)
    h = np.tanh(x @ w + b)
    r = h @ w.T
    loss = ((r - x) ** 2).sum() / n

    def backward(dloss):
        dr = dloss * 2 * (r - x) / n
        dw = dr.T @ h
        dz = (dr @ w) * (1 - h**2)
        dw += x.T @ dz
        db = dz.sum(axis=0)
        dx = dz @ w.T - dr
        return dx, dw, db

    return loss, backward


CASES.append(
    case(
        tied_autoencoder,
        _dense,
        ("overwritten", "encoder's over the decoder's", "dw += x.T @ dz", "dw = x.T @ dz"),
        ("detached", "x as target constant", "dz @ w.T - dr", "dz @ w.T"),
        ("activation-missing", "tanh left out", "(dr @ w) * (1 - h**2)", "dr @ w"),
        ("activation-misplaced", "at the reconstruction's code", "(1 - h**2)",
         "(1 - np.tanh(r @ w) ** 2)"),
        ("updated-weights", "w after the decoder's step", "(dr @ w)", "(dr @ (w - 0.05 * dw))"),
        ("batch", "not divided by N", "2 * (r - x) / n", "2 * (r - x)"),
        ("factor", "2 of the square forgotten", "dloss * 2 * (r", "dloss * (r"),
        ("one-example", "encoder sees one row", "x.T @ dz", "np.outer(x[0], dz[0])"),
    )
)  # fmt: skip


def rnn(xs, wx, wh, b):
    """Last state of a tanh recurrence; xs is (time, batch, features)."""
    hs = [np.zeros((xs.shape[1], wh.shape[0]))]
    for x in xs:
        hs.append(np.tanh(x @ wx + hs[-1] @ wh + b))

    def backward(dh):
        dxs = np.zeros_like(xs)
        dwx, dwh, db = np.zeros_like(wx), np.zeros_like(wh), np.zeros_like(b)
        for t in reversed(range(len(xs))):
            dz = dh * (1 - hs[t + 1] ** 2)
            dwx += xs[t].T @ dz
            dwh += hs[t].T @ dz
            db += dz.sum(axis=0)
            dxs[t] = dz @ wx.T
            dh = dz @ wh.T
        return dxs, dwx, dwh, db

    return hs[-1], backward


def _rnn(rng):
    n, d, h = sizes(rng, 2)
    xs = rng.normal(size=(3, n, d))
    return xs, 0.6 * rng.normal(size=(d, h)), 0.7 * rng.normal(size=(h, h)), rng.normal(size=h)


CASES.append(
    case(
        rnn,
        _rnn,
        ("overwritten", "wx of the first step only", "dwx += xs[t]", "dwx[:] = xs[t]"),
        ("overwritten", "db of the first step only", "db += dz", "db = dz"),
        ("transposed", "wh not transposed", "dz @ wh.T", "dz @ wh"),
        ("transposed", "dwh transposed", "hs[t].T @ dz", "dz.T @ hs[t]"),
        ("activation-misplaced", "at the state before", "hs[t + 1] ** 2", "hs[t] ** 2"),
        ("activation-missing", "tanh left out", "dh * (1 - hs[t + 1] ** 2)", "dh"),
        ("one-example", "db of row 0", "dz.sum(axis=0)", "dz[0]"),
        ("updated-weights", "wh moved at each step", "dz @ wh.T", "dz @ (wh - 0.05 * dwh).T"),
        ("precision", "half precision sum", "np.zeros_like(wh)", "np.zeros(wh.shape, np.float16)"),
    )
)


def residual_block(x, w1, w2):
    """x plus what two layers make of it."""
    z = x @ w1
    h = np.maximum(z, 0.1 * z)
    y = x + h @ w2

    def backward(dy):
        dh = dy @ w2.T
        dw2 = h.T @ dy
        dz = np.where(z > 0, dh, 0.1 * dh)
        dw1 = x.T @ dz
        dx = dy + dz @ w1.T
        return dx, dw1, dw2

    return y, backward


def _residual_block(rng):
    while True:
        n, d = sizes(rng, 1)
        d = max(d, 3)
        x, w1, w2 = (rng.normal(size=shape) for shape in ((n, d), (d, d), (d, d)))
        positive = x @ w1 > 0
        if 0.3 < positive.mean() < 0.7 and (positive != (x > 0)).any():
            return x, w1, w2


CASES.append(
    case(
        residual_block,
        _residual_block,
        ("detached", "skip forgotten", "dx = dy + dz", "dx = dz"),
        ("detached", "only the skip", "dy + dz @ w1.T", "dy.copy()"),
        ("activation-missing", "slope left out", "np.where(z > 0, dh, 0.1 * dh)", "dh"),
        ("transposed", "w1 not transposed", "dz @ w1.T", "dz @ w1"),
        ("transposed", "dw2 transposed", "h.T @ dy", "dy.T @ h"),
        ("swapped", "dw1 and dw2", "return dx, dw1, dw2", "return dx, dw2, dw1"),
        ("activation-misplaced", "slope at x", "np.where(z > 0, dh", "np.where(x > 0, dh"),
    )
)  # fmt: skip


def gated_unit(x, wa, wb):
    """Tanh of one projection times sigmoid of another."""
    a, g = np.tanh(x @ wa), sigmoid(x @ wb)

    def backward(dout):
        da = dout * g
        dg = dout * a
        dza = da * (1 - a**2)
        dzb = dg * g * (1 - g)
        dx = dza @ wa.T
        dx += dzb @ wb.T
        return dx, x.T @ dza, x.T @ dzb

    return a * g, backward


def _gated_unit(rng):
    n, d, h = sizes(rng, 2)
    return rng.normal(size=(n, d)), rng.normal(size=(d, h)), rng.normal(size=(d, h))


CASES.append(
    case(
        gated_unit,
        _gated_unit,
        ("overwritten", "second branch over the first", "dx += dzb", "dx = dzb"),
        ("swapped", "factors exchanged", "da = dout * g", "da = dout * a",
         "dg = dout * a", "dg = dout * g"),
        ("swapped", "weights in the return", "x.T @ dza, x.T @ dzb", "x.T @ dzb, x.T @ dza"),
        ("detached", "gate as a constant", "dg = dout * a", "dg = np.zeros_like(a)"),
        ("activation-missing", "sigmoid's left out", "dg * g * (1 - g)", "dg"),
        ("activation-misplaced", "derivative at the product", "(1 - a**2)", "(1 - (a * g) ** 2)"),
        ("sign", "gate's sign", "g * (1 - g)", "g * (g - 1)"),
        ("integer", "mask for the gate", "da = dout * g", "da = dout * np.rint(g)"),
    )
)  # fmt: skip


# Shapes and sums


def scale_and_shift(x, scale, shift):
    """Each column multiplied and shifted by its own number; x is (batch, time, features)."""
    y = x * scale + shift

    def backward(dy):
        dscale = (dy * x).sum(axis=(0, 1))
        dshift = dy.sum(axis=(0, 1))
        return dy * scale, dscale, dshift

    return y, backward


def _scale_and_shift(rng):
    n, t, d = sizes(rng, 2)
    return rng.normal(size=(n, t, d)), rng.normal(size=d), rng.normal(size=d)


CASES.append(
    case(
        scale_and_shift,
        _scale_and_shift,
        ("not-summed", "scale not over the batch", "x).sum(axis=(0, 1))", "x).sum(axis=1)"),
        ("not-summed", "shift not over time", "dy.sum(axis=(0, 1))", "dy.sum(axis=0)"),
        ("not-summed", "axes kept", "dy.sum(axis=(0, 1))", "dy.sum(axis=(0, 1), keepdims=True)"),
        ("swapped", "scale and shift", "dscale, dshift\n", "dshift, dscale\n"),
        ("one-example", "shift of the first row", "dy.sum(axis=(0, 1))", "dy[0].sum(axis=0)"),
        ("batch", "scale over N", "x).sum(axis=(0, 1))", "x).sum(axis=(0, 1)) / len(x)"),
        ("detached", "x as a constant", "return dy * scale", "return 0 * dy"),
        ("upstream", "dy ignored for scale", "(dy * x)", "x"),
    )
)


def convolve(signal, kernel):
    """Each row of the signal correlated with the kernel where they overlap wholly."""
    width = len(kernel)
    steps = signal.shape[1] - width + 1
    windows = np.lib.stride_tricks.sliding_window_view(signal, width, axis=1)
    out = windows @ kernel

    def backward(dout):
        dsignal = np.zeros_like(signal)
        for i in range(steps):
            dsignal[:, i : i + width] += dout[:, i : i + 1] * kernel
        dkernel = np.tensordot(dout, windows, axes=((0, 1), (0, 1)))
        return dsignal, dkernel

    return out, backward


def _convolve(rng):
    n = int(rng.integers(3, 7))
    return rng.normal(size=(n, int(rng.integers(6, 9)))), rng.normal(size=3)


CASES.append(
    case(
        convolve,
        _convolve,
        ("overwritten", "windows overwrite", "+= dout", "= dout"),
        ("one-example", "kernel sees the first row",
         "np.tensordot(dout, windows, axes=((0, 1), (0, 1)))", "dout[0] @ windows[0]"),
        ("not-summed", "kernel's keeps the batch",
         "np.tensordot(dout, windows, axes=((0, 1), (0, 1)))",
         "np.einsum('ns,nsw->nw', dout, windows)"),
        ("batch", "kernel's over N", "(0, 1)))\n", "(0, 1))) / len(dout)\n"),
        ("precision", "kernel in single precision", "tensordot(dout, windows",
         "tensordot(np.float32(dout), np.float32(windows)"),
    )
)  # fmt: skip


def max_pool(x):
    """Greatest value of each row over time; x is (batch, time, features)."""
    where = x.argmax(axis=1)
    y = x.max(axis=1)

    def backward(dy):
        mask = np.arange(x.shape[1])[None, :, None] == where[:, None, :]
        return mask * dy[:, None, :]

    return y, backward


CASES.append(
    case(
        max_pool,
        lambda rng: (_scale_and_shift(rng)[0],),
        ("activation-missing", "spread over all steps", "mask * dy", "np.ones(x.shape) * dy"),
        ("wrong-axis", "maximum over features",
         "np.arange(x.shape[1])[None, :, None] == where[:, None, :]",
         "x == x.max(axis=2, keepdims=True)"),
        ("integer", "upstream cast to the mask's type", "mask * dy[:, None, :]",
         "mask.astype(int) * dy[:, None, :].astype(int)"),
        ("sign", "mask negated", "mask * dy", "-mask.astype(float) * dy"),
        ("integer", "unsigned mask negated twice", "mask * dy[:, None, :]",
         "-(-mask.astype(np.uint8) * dy[:, None, :])"),
    )
)  # fmt: skip


def polynomial(x):
    """1 + 3 x - 2 x**2 + x**3, each power made from the one before."""
    x2 = x * x
    x3 = x2 * x
    y = 1 + 3 * x - 2 * x2 + x3

    def backward(dy):
        dx2 = -2 * dy
        dx2 = dx2 + dy * x
        dx = 3 * dy
        dx += dy * x2
        dx += dx2 * 2 * x
        return dx

    return y, backward


def _vector(rng):
    return (rng.normal(size=int(rng.integers(3, 7))) + 0.5,)


CASES.append(
    case(
        polynomial,
        _vector,
        ("overwritten", "square's second use", "dx2 = dx2 + dy * x", "dx2 = dy * x"),
        ("overwritten", "last use of x", "dx += dx2 * 2 * x", "dx = dx2 * 2 * x"),
        ("factor", "2 of the square forgotten", "dx2 * 2 * x", "dx2 * x"),
        ("detached", "x in x2 * x as a constant", "        dx += dy * x2\n", ""),
        ("precision", "difference quotient", "        return dx\n",
         "        f = np.polynomial.Polynomial([1, 3, -2, 1])\n"
         "        return dy * (f(x + 1e-4) - f(x)) / 1e-4\n"),
        ("sign", "sign of the square's", "-2 * dy", "2 * dy"),
    )
)  # fmt: skip


def quadratic_form(x, a):
    """x' A x for each row of x."""
    xa = x @ a
    y = (xa * x).sum(axis=1)

    def backward(dy):
        g = dy[:, None]
        dx = g * xa
        dx += (g * x) @ a.T
        da = x.T @ (g * x)
        return dx, da

    return y, backward


def _quadratic_form(rng):
    n, d = sizes(rng, 1)
    return rng.normal(size=(n, d)), rng.normal(size=(d, d))


CASES.append(
    case(
        quadratic_form,
        _quadratic_form,
        ("transposed", "as if A were symmetric", "(g * x) @ a.T", "(g * x) @ a"),
        ("overwritten", "second use over the first", "dx += (g", "dx = (g"),
        ("one-example", "A sees the last row", "x.T @ (g * x)", "dy[-1] * np.outer(x[-1], x[-1])"),
        ("not-summed", "A for each example", "x.T @ (g * x)",
         "g[:, :, None] * x[:, :, None] * x[:, None]"),
        ("upstream", "dy ignored", "dy[:, None]", "np.ones((len(x), 1))"),
        ("batch", "A over N", "x.T @ (g * x)", "x.T @ (g * x) / len(x)"),
        ("factor", "doubled for A", "x.T @ (g * x)", "2 * x.T @ (g * x)"),
    )
)  # fmt: skip

"""More functions with backward passes, right and mistaken, in other styles of writing."""

import numpy as np

from benchmarks.diagnosis.cases import (
    case,
    ids_with_repeats,
    labels_of_all_sorts,
    mask_of_both,
    sizes,
)

CASES = []


def softmax(z, axis=-1):
    """Softmax along an axis."""
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def sigmoid(z):
    """Logistic function."""
    return 1.0 / (1.0 + np.exp(-z))


def relu(z):
    """Rectifier."""
    return np.where(z > 0, z, 0.0)


def normals(rng, *shapes):
    """One array of each shape, drawn from the normal distribution."""
    return tuple(rng.normal(size=shape) for shape in shapes)


def mixed_signs(z):
    """Whether z has a fair share of either sign in every column, and nothing near zero."""
    on = (z > 0).reshape(-1, z.shape[-1]).mean(axis=0)
    return np.abs(z).min() > 1e-3 and on.min() > 0.1 and on.max() < 0.9


# Softmax in all its uses


def masked_softmax(scores, allowed):
    """Softmax of each row over the allowed places; the others get nothing."""
    p = softmax(np.where(allowed, scores, -1e9))

    def backward(dp):
        inner = np.einsum("ij,ij->i", dp, p)
        return p * (dp - inner[:, None])

    return p, backward


def _masked_softmax(rng):
    n = int(rng.integers(3, 7))
    allowed = np.array([rng.permutation([True, True, True, False, False]) for _ in range(n)])
    return rng.normal(size=(n, 5)), allowed


CASES.append(
    case(
        masked_softmax,
        _masked_softmax,
        ("wrong-axis", "inner sum over the rows", '"ij,ij->i"', '"ij,ij->j"',
         "inner[:, None]", "inner"),
        ("softmax-twice", "softmax of p", "        inner = np.einsum(\"ij,ij->i\", dp, p)\n"
         "        return p * (", "        q = softmax(np.where(allowed, p, -1e9))\n"
         "        inner = np.einsum(\"ij,ij->i\", dp, q)\n        return q * ("),
        ("activation-missing", "mask alone", "p * (dp - inner[:, None])",
         "np.where(allowed, dp, 0)"),
        ("one-example", "inner product of the first row", "inner[:, None]", "inner[0]"),
        ("detached", "normaliser as a constant", "p * (dp - inner[:, None])", "p * dp"),
        ("integer", "difference cast to int", "(dp - inner[:, None])",
         "(dp - inner[:, None]).astype(int)"),
        ("precision", "p in half precision", "return p * (dp", "return np.float16(p) * (dp"),
        ("wrong-axis", "softmax down the columns",
         "        inner = np.einsum(\"ij,ij->i\", dp, p)\n"
         "        return p * (", "        p = softmax(np.where(allowed, scores, -30.0), axis=0)\n"
         "        inner = np.einsum(\"ij,ij->i\", dp, p)\n        return p * (",
         "    p = softmax(np.where(allowed, scores, -1e9))\n\n    def backward(dp):\n",
         "    out = softmax(np.where(allowed, scores, -1e9))\n\n    def backward(dp):\n",
         "return p, backward", "return out, backward"),
    )
)  # fmt: skip


def expert_mixture(x, wg, experts):
    """Linear experts, each with a share that a softmax gives it; experts is (expert, in, out)."""
    g = softmax(x @ wg)
    outs = np.einsum("nd,edk->nek", x, experts)
    y = np.einsum("ne,nek->nk", g, outs)

    def backward(dy):
        dg = np.einsum("nk,nek->ne", dy, outs)
        douts = np.einsum("nk,ne->nek", dy, g)
        dz = g * (dg - np.sum(dg * g, axis=1, keepdims=True))
        dwg = x.T @ dz
        dexperts = np.einsum("nd,nek->edk", x, douts)
        dx = dz @ wg.T
        dx = dx + np.einsum("nek,edk->nd", douts, experts)
        return dx, dwg, dexperts

    return y, backward


def _expert_mixture(rng):
    n, d, e, k = sizes(rng, 3)
    e = max(e, 3)
    return normals(rng, (n, d), (d, e), (e, d, k))


CASES.append(
    case(
        expert_mixture,
        _expert_mixture,
        ("softmax-twice", "softmax of g", "        dz = g * (dg - np.sum(dg * g,",
         "        q = softmax(g)\n        dz = q * (dg - np.sum(dg * q,"),
        ("wrong-axis", "inner sum over the batch", "axis=1", "axis=0"),
        ("activation-missing", "softmax left out",
         "g * (dg - np.sum(dg * g, axis=1, keepdims=True))", "dg"),
        ("updated-weights", "gate's weights after their step", "dz @ wg.T",
         "dz @ (wg - 0.1 * dwg).T"),
        ("updated-weights", "experts after their step", "douts, experts)",
         "douts, experts - 0.1 * dexperts)"),
        ("one-example", "experts see the first row", 'np.einsum("nd,nek->edk", x, douts)',
         'np.einsum("d,ek->edk", x[0], douts[0])'),
        ("overwritten", "experts' part of dx over the gate's", "dx = dx + np", "dx = np"),
        ("integer", "share rounded to a choice", '"nk,ne->nek", dy, g)',
         '"nk,ne->nek", dy, np.rint(g))'),
        ("upstream", "gate without dy", '"nk,nek->ne", dy, outs',
         '"nk,nek->ne", np.ones_like(dy), outs'),
        ("detached", "gate as a constant", "dz = g * (dg", "dz = 0 * (dg"),
    )
)  # fmt: skip


def two_heads(x, labels, target, w, wc, wr):
    """Tanh trunk with a head that classifies and a head that predicts a number."""
    n = len(x)
    h = np.tanh(np.dot(x, w))
    p = softmax(np.dot(h, wc))
    error = np.dot(h, wr) - target
    loss = -np.mean(np.log(p[range(n), labels])) + 0.5 * np.mean(error**2)

    def backward(dloss):
        onehot = np.zeros_like(p)
        onehot[range(n), labels] = 1
        dlogits = dloss * (p - onehot) / n
        dvalue = dloss * error / n
        dwc = np.dot(h.T, dlogits)
        dwr = np.dot(h.T, dvalue)
        dh = np.dot(dlogits, wc.T)
        dh += np.outer(dvalue, wr)
        dz = dh * (1 - np.square(h))
        return np.dot(dz, w.T), -dvalue, np.dot(x.T, dz), dwc, dwr

    return loss, backward


def _two_heads(rng):
    n, d, h, k = sizes(rng, 3)
    x, target, w, wc, wr = normals(rng, (n, d), n, (d, h), (h, k), h)
    return x, labels_of_all_sorts(rng, n, k), target, 0.6 * w, wc, wr


CASES.append(
    case(
        two_heads,
        _two_heads,
        ("softmax-twice", "softmax of p", "(p - onehot)", "(softmax(p) - onehot)"),
        ("one-hot-missing", "p for p - onehot", "(p - onehot)", "p"),
        ("overwritten", "second head over the first", "dh += np.outer", "dh = np.outer"),
        ("updated-weights", "wc after its step", "np.dot(dlogits, wc.T)",
         "np.dot(dlogits, (wc - 0.3 * dwc).T)"),
        ("updated-weights", "wr after its step", "np.outer(dvalue, wr)",
         "np.outer(dvalue, wr - 0.3 * dwr)"),
        ("activation-missing", "tanh left out", "dh * (1 - np.square(h))", "dh"),
        ("activation-misplaced", "derivative fed with the product", "np.square(h)",
         "np.square(np.dot(x, w))"),
        ("wrong-axis", "softmax over the batch", "(p - onehot)",
         "(softmax(np.dot(h, wc), axis=0) - onehot)"),
        ("one-example", "wr sees the last row", "np.dot(h.T, dvalue)", "h[-1] * dvalue[-1]"),
        ("integer", "floor division", "(p - onehot) / n", "(p - onehot) // n"),
        ("upstream", "dloss ignored by the second head", "dloss * error", "error"),
        ("swapped", "heads' weights", "dwc, dwr\n", "dwr, dwc\n"),
    )
)  # fmt: skip


def distilled(student, teacher):
    """Divergence of the teacher's softened choice from the student's, times the square of 2."""
    t = 2.0
    q = softmax(student / t)
    p = softmax(teacher / t)
    gap = np.log(p) - np.log(q)
    loss = t**2 * np.mean(np.sum(p * gap, axis=1))

    def backward(dloss):
        scale = dloss * t / len(p)
        dstudent = scale * (q - p)
        expected = np.sum(p * gap, axis=1, keepdims=True)
        dteacher = scale * p * (gap - expected)
        return dstudent, dteacher

    return loss, backward


def _distilled(rng):
    n, k = sizes(rng, 1)
    return normals(rng, (n, max(k, 3)), (n, max(k, 3)))


CASES.append(
    case(
        distilled,
        _distilled,
        ("softmax-twice", "softmax of q", "(q - p)", "(softmax(q) - p)"),
        ("softmax-twice", "softmax of p for the teacher", "dteacher = scale * p",
         "dteacher = scale * softmax(p)"),
        ("factor", "temperature forgotten", "dloss * t / len(p)", "dloss / len(p)"),
        ("factor", "temperature squared", "dloss * t / len(p)", "dloss * t**2 / len(p)"),
        ("wrong-axis", "expectation over the batch", "axis=1, keepdims=True",
         "axis=0, keepdims=True"),
        ("swapped", "student and teacher", "return dstudent, dteacher",
         "return dteacher, dstudent"),
        ("sign", "p - q", "(q - p)", "(p - q)"),
        ("batch", "no mean", " / len(p)", ""),
        ("integer", "floor division", "dloss * t / len(p)", "(dloss * t) // len(p)"),
        ("detached", "teacher as a constant", "return dstudent, dteacher",
         "return dstudent, np.zeros_like(teacher)"),
        ("upstream", "dloss ignored", "dloss * t", "t"),
    )
)  # fmt: skip


def contrast_pairs(a, b):
    """Cross-entropy of picking for each row of a its own row of b among all."""
    n = a.shape[0]
    p = softmax(np.einsum("id,jd->ij", a, b) / 1.5, axis=1)
    loss = -np.log(np.diagonal(p)).mean()

    def backward(dloss):
        ds = dloss * (p - np.eye(n)) / n / 1.5
        da = np.matmul(ds, b)
        db = np.matmul(ds.T, a)
        return da, db

    return loss, backward


def _contrast_pairs(rng):
    n, d = sizes(rng, 1)
    return normals(rng, (n, d), (n, d))


CASES.append(
    case(
        contrast_pairs,
        _contrast_pairs,
        ("one-hot-missing", "no diagonal taken off", "(p - np.eye(n))", "p"),
        ("softmax-twice", "softmax of p", "(p - np.eye(n))", "(softmax(p) - np.eye(n))"),
        ("wrong-axis", "softmax down the columns", "(p - np.eye(n))",
         "(softmax(a @ b.T / 1.5, axis=0) - np.eye(n))"),
        ("transposed", "ds not transposed for db", "np.matmul(ds.T, a)", "np.matmul(ds, a)"),
        ("transposed", "ds transposed for da", "np.matmul(ds, b)", "np.matmul(ds.T, b)"),
        ("swapped", "da and db", "return da, db", "return db, da"),
        ("swapped", "a and b in the products", "np.matmul(ds, b)", "np.matmul(ds, a)",
         "np.matmul(ds.T, a)", "np.matmul(ds.T, b)"),
        ("factor", "temperature forgotten", " / n / 1.5", " / n"),
        ("batch", "no mean", " / n / 1.5", " / 1.5"),
        ("integer", "identity of integers filled with p", "        ds = dloss * (p - np.eye(n))",
         "        g = -np.eye(n, dtype=int)\n        g[:] = p - np.eye(n)\n        ds = dloss * g"),
        ("upstream", "dloss ignored", "dloss * (p", "(p"),
        ("sign", "identity minus p", "(p - np.eye(n))", "(np.eye(n) - p)"),
    )
)  # fmt: skip


def attention_pool(xs, w, v):
    """Average over time of each sequence, weighted by a small network; xs is (batch, time, d)."""
    h = np.tanh(xs @ w)
    a = softmax(h @ v)
    y = np.einsum("nt,ntd->nd", a, xs)

    def backward(dy):
        da = np.einsum("nd,ntd->nt", dy, xs)
        ds = a * (da - (a * da).sum(axis=1, keepdims=True))
        dv = np.tensordot(ds, h, axes=((0, 1), (0, 1)))
        dh = np.expand_dims(ds, 2) * v
        dz = dh * (1 - h**2)
        dw = np.tensordot(xs, dz, axes=((0, 1), (0, 1)))
        dxs = a[:, :, None] * dy[:, None, :]
        dxs += dz @ w.T
        return dxs, dw, dv

    return y, backward


def _attention_pool(rng):
    n, t, d, h = sizes(rng, 3)
    xs, w, v = normals(rng, (n, max(t, 3), d), (d, h), h)
    return xs, 0.6 * w, 2 * v


CASES.append(
    case(
        attention_pool,
        _attention_pool,
        ("softmax-twice", "softmax of a", "ds = a * (da - (a * da).sum",
         "b = softmax(a)\n        ds = b * (da - (b * da).sum"),
        ("wrong-axis", "inner sum over the batch", "axis=1", "axis=0"),
        ("wrong-axis", "softmax over the batch", "ds = a * (da - (a * da).sum",
         "b = softmax(h @ v, axis=0)\n        ds = b * (da - (b * da).sum"),
        ("activation-missing", "tanh left out", "dh * (1 - h**2)", "dh"),
        ("activation-missing", "softmax left out",
         "ds = a * (da - (a * da).sum(axis=1, keepdims=True))", "ds = da"),
        ("activation-misplaced", "tanh of h", "(1 - h**2)", "(1 - np.tanh(h) ** 2)"),
        ("one-example", "dv of the first sequence",
         "np.tensordot(ds, h, axes=((0, 1), (0, 1)))", "ds[0] @ h[0]"),
        ("one-example", "dw of the last sequence",
         "np.tensordot(xs, dz, axes=((0, 1), (0, 1)))", "xs[-1].T @ dz[-1]"),
        ("updated-weights", "v after its step", "np.expand_dims(ds, 2) * v",
         "np.expand_dims(ds, 2) * (v - 0.5 * dv)"),
        ("updated-weights", "w after its step", "dz @ w.T", "dz @ (w - 0.5 * dw).T"),
        ("detached", "weights of the average as constants", "        dxs += dz @ w.T\n", ""),
        ("overwritten", "one use of xs over the other", "dxs += dz", "dxs = dz"),
    )
)  # fmt: skip


def weighted_cross_entropy(logits, labels, counts):
    """Cross-entropy of softmax where each example counts as many times as it was seen."""
    rows = np.arange(len(labels))
    p = softmax(logits)
    total = counts.sum()
    loss = -(counts * np.log(p[rows, labels])).sum() / total

    def backward(dloss):
        target = np.zeros(p.shape)
        target[rows, labels] = 1.0
        share = counts / total
        return dloss * share[:, np.newaxis] * (p - target)

    return loss, backward


def _weighted_cross_entropy(rng):
    n, k = sizes(rng, 1)
    k = max(k, 3)
    counts = rng.integers(1, 5, size=n)
    counts[:2] = 2, 5
    return rng.normal(size=(n, k)), labels_of_all_sorts(rng, n, k), counts


CASES.append(
    case(
        weighted_cross_entropy,
        _weighted_cross_entropy,
        ("integer", "share by floor division", "counts / total", "counts // total"),
        ("integer", "gradient in the labels' type", "* (p - target)",
         "* (p - target).astype(labels.dtype)"),
        ("softmax-twice", "softmax of p", "(p - target)", "(softmax(p) - target)"),
        ("one-hot-missing", "p for p - target", "(p - target)", "p"),
        ("wrong-axis", "softmax over the batch", "(p - target)",
         "(softmax(logits, axis=0) - target)"),
        ("one-example", "weight of the first example", "share[:, np.newaxis]", "share[0]"),
        ("upstream", "dloss ignored", "dloss * share", "share"),
        ("sign", "target - p", "(p - target)", "(target - p)"),
        ("batch", "divided by N too", "counts / total", "counts / total / len(counts)"),
    )
)  # fmt: skip


def chosen_actions(states, actions, rewards, w):
    """Mean of minus each reward times the log-likelihood of the action chosen."""
    n = states.shape[0]
    p = softmax(states @ w)
    chosen = np.log(p)[np.arange(n), actions]
    loss = -np.mean(rewards * chosen)

    def backward(dloss):
        dlogits = np.zeros(p.shape)
        dw = np.zeros(w.shape)
        for i in range(n):
            dlogits[i] = p[i]
            dlogits[i, actions[i]] -= 1
            dlogits[i] *= dloss * rewards[i] / n
            dw += np.outer(states[i], dlogits[i])
        dstates = dlogits @ w.T
        drewards = -dloss * chosen / n
        return dstates, drewards, dw

    return loss, backward


def _chosen_actions(rng):
    n, d, k = sizes(rng, 2)
    states, w = normals(rng, (n, d), (d, max(k, 3)))
    return states, labels_of_all_sorts(rng, n, max(k, 3)), 3 * rng.normal(size=n), w


CASES.append(
    case(
        chosen_actions,
        _chosen_actions,
        ("one-example", "dw of the last state", "dw += np.outer", "dw = np.outer"),
        ("softmax-twice", "softmax of p", "dlogits[i] = p[i]", "dlogits[i] = softmax(p[i])"),
        ("one-hot-missing", "no 1 taken off", "            dlogits[i, actions[i]] -= 1\n", ""),
        ("wrong-axis", "softmax over the states", "dlogits[i] = p[i]",
         "dlogits[i] = softmax(states @ w, axis=0)[i]"),
        ("updated-weights", "w after its step", "dlogits @ w.T", "dlogits @ (w - 0.2 * dw).T"),
        ("integer", "dlogits of the actions' type", "dlogits = np.zeros(p.shape)",
         "dlogits = np.zeros(p.shape, dtype=actions.dtype)",
         "            dlogits[i] *= dloss * rewards[i] / n\n",
         "            dlogits[i] = dlogits[i] * (dloss * rewards[i] / n)\n"),
        ("upstream", "dloss ignored by the rewards", "-dloss * chosen", "-chosen"),
        ("sign", "rewards' sign", "-dloss * chosen", "dloss * chosen"),
        ("batch", "no mean for the logits", "dloss * rewards[i] / n", "dloss * rewards[i]"),
        ("transposed", "outer product the other way round", "np.zeros(w.shape)",
         "np.zeros(w.shape[::-1])", "np.outer(states[i], dlogits[i])",
         "np.outer(dlogits[i], states[i])"),
        ("detached", "rewards as constants", "-dloss * chosen / n", "np.zeros(n)"),
    )
)  # fmt: skip


def nearest_centre(x, labels, centres):
    """Cross-entropy of a softmax of minus the squared distances to the centres."""
    n = len(labels)
    delta = x[:, None, :] - centres[None, :, :]
    p = softmax(-np.sum(delta**2, axis=2) / 4)
    loss = -np.sum(np.log([p[i, c] for i, c in enumerate(labels)])) / n

    def backward(dloss):
        dscore = p - np.eye(len(centres))[labels]
        ddistance = -dloss * dscore / (4 * n)
        ddelta = 2 * ddistance[:, :, None] * delta
        return ddelta.sum(axis=1), -ddelta.sum(axis=0)

    return loss, backward


def _nearest_centre(rng):
    n, d, k = sizes(rng, 2)
    k = max(k, 3) + (max(k, 3) == n)
    return rng.normal(size=(n, d)), labels_of_all_sorts(rng, n, k), rng.normal(size=(k, d))


CASES.append(
    case(
        nearest_centre,
        _nearest_centre,
        ("softmax-twice", "softmax of p", "dscore = p -", "dscore = softmax(p) -"),
        ("one-hot-missing", "p alone", "p - np.eye(len(centres))[labels]", "p.copy()"),
        ("wrong-axis", "axes of x and centres exchanged", "ddelta.sum(axis=1), -ddelta.sum(axis=0)",
         "ddelta.sum(axis=0), -ddelta.sum(axis=1)"),
        ("wrong-axis", "softmax over the batch", "dscore = p -",
         "dscore = softmax(-np.sum(delta**2, axis=2) / 4, axis=0) -"),
        ("not-summed", "x's not over the centres", "ddelta.sum(axis=1), -", "ddelta, -"),
        ("one-example", "centres see the first row", "-ddelta.sum(axis=0)", "-ddelta[0]"),
        ("sign", "centres' sign", "-ddelta.sum(axis=0)", "ddelta.sum(axis=0)"),
        ("factor", "2 of the square forgotten", "ddelta = 2 * ddistance", "ddelta = ddistance"),
        ("swapped", "x and centres", "return ddelta.sum(axis=1), -ddelta.sum(axis=0)",
         "return -ddelta.sum(axis=0), ddelta.sum(axis=1)"),
        ("integer", "floor division", "dscore / (4 * n)", "dscore // (4 * n)"),
        ("upstream", "dloss ignored", "-dloss * dscore", "-dscore"),
    )
)  # fmt: skip


def choice_entropy(logits):
    """Entropy of the softmax of each row."""
    p = softmax(logits)
    log_p = np.log(p)
    entropy = -(p * log_p).sum(axis=1)

    def backward(dentropy):
        dp = -dentropy[:, None] * (log_p + 1)
        dlogits = np.empty_like(p)
        for i in range(len(p)):
            jacobian = np.diag(p[i]) - np.outer(p[i], p[i])
            dlogits[i] = jacobian @ dp[i]
        return dlogits

    return entropy, backward


def _choice_entropy(rng):
    n, k = sizes(rng, 1)
    return (1.5 * rng.normal(size=(n, max(k, 3))),)


CASES.append(
    case(
        choice_entropy,
        _choice_entropy,
        ("softmax-twice", "softmax of p",
         "            jacobian = np.diag(p[i]) - np.outer(p[i], p[i])",
         "            q = softmax(p[i])\n            jacobian = np.diag(q) - np.outer(q, q)"),
        ("one-example", "upstream of the first row for all", "-dentropy[:, None] *",
         "-dentropy[0] *"),
        ("one-example", "Jacobian of the first row", "np.diag(p[i]) - np.outer(p[i], p[i])",
         "np.diag(p[0]) - np.outer(p[0], p[0])"),
        ("activation-missing", "softmax left out", "jacobian @ dp[i]", "dp[i]"),
        ("upstream", "dentropy ignored", "-dentropy[:, None] *", "-1.0 *"),
        ("wrong-axis", "softmax over the batch", "np.diag(p[i]) - np.outer(p[i], p[i])",
         "np.diag(softmax(logits, 0)[i]) - np.outer(softmax(logits, 0)[i], softmax(logits, 0)[i])"),
        ("integer", "dlogits of integers", "np.empty_like(p)", "np.empty_like(p, dtype=int)"),
        ("precision", "dlogits in single precision", "np.empty_like(p)",
         "np.empty_like(p, dtype=np.float32)"),
        ("sign", "entropy's minus forgotten", "dp = -dentropy", "dp = dentropy"),
        ("detached", "normaliser as a constant", "np.diag(p[i]) - np.outer(p[i], p[i])",
         "np.diag(p[i])"),
    )
)  # fmt: skip


def tied_words(ids, labels, table):
    """Cross-entropy of words told from the sum of their neighbours', both from one table."""
    n = len(labels)
    h = np.tanh(table[ids].sum(axis=1))
    p = softmax(h @ table.T)
    loss = -np.log(np.take_along_axis(p, labels[:, None], axis=1)).mean()

    def backward(dloss):
        dlogits = p.copy()
        dlogits[np.arange(n), labels] -= 1
        dlogits *= dloss / n
        dtable = dlogits.T @ h
        dh = dlogits @ table
        dz = dh * (1 - h * h)
        for row, words in enumerate(ids):
            for word in words:
                dtable[word] += dz[row]
        return dtable

    return loss, backward


def _tied_words(rng):
    n, d = sizes(rng, 1)
    ids = ids_with_repeats(rng, 5, (n, 3))
    return ids, labels_of_all_sorts(rng, n, 5), 0.7 * rng.normal(size=(5, d))


CASES.append(
    case(
        tied_words,
        _tied_words,
        ("overwritten", "= for +=", "dtable[word] += dz[row]", "dtable[word] = dz[row]"),
        ("overwritten", "inputs over outputs", "        for row, words",
         "        dtable = np.zeros_like(table)\n        for row, words"),
        ("softmax-twice", "softmax of p", "p.copy()", "softmax(p)"),
        ("one-hot-missing", "no 1 taken off", "        dlogits[np.arange(n), labels] -= 1\n", ""),
        ("activation-missing", "tanh left out", "dh * (1 - h * h)", "dh"),
        ("activation-misplaced", "derivative at dh", "dh * (1 - h * h)", "dh * (1 - dh * dh)"),
        ("activation-misplaced", "tanh of h", "dh * (1 - h * h)", "dh * (1 - np.tanh(h) ** 2)"),
        ("updated-weights", "table after the outputs' step", "dlogits @ table",
         "dlogits @ (table - 0.3 * dtable)"),
        ("one-example", "inputs of the first row", "        return dtable",
         "            break\n        return dtable"),
        ("integer", "steps cast to int", "+= dz[row]", "+= dz[row].astype(ids.dtype)"),
        ("detached", "outputs' use as a constant", "dtable = dlogits.T @ h",
         "dtable = np.zeros_like(table)"),
        ("batch", "no mean", "dloss / n", "dloss"),
    )
)  # fmt: skip


# Dropout in several places


def dropout_classifier(x, labels, kept_in, kept, params):
    """Rectifier network with dropout of its input and of its hidden layer, and weight decay."""
    n = len(x)
    w1, b1, w2, b2 = (params[name] for name in ("w1", "b1", "w2", "b2"))
    xd = x * kept_in / 0.8
    z = xd @ w1 + b1
    hd = relu(z) * kept / 0.5
    p = softmax(hd @ w2 + b2)
    loss = -np.log(p[np.arange(n), labels]).mean() + 0.05 * ((w1**2).sum() + (w2**2).sum())

    def backward(dloss):
        grads = {}
        dlogits = dloss * (p - np.eye(len(b2))[labels]) / n
        grads["w2"] = hd.T @ dlogits + dloss * 0.1 * w2
        grads["b2"] = dlogits.sum(axis=0)
        dhd = dlogits @ w2.T
        dh = dhd * kept / 0.5
        dz = np.where(z > 0, dh, 0)
        grads["w1"] = xd.T @ dz + dloss * 0.1 * w1
        grads["b1"] = dz.sum(axis=0)
        dxd = dz @ w1.T
        return dxd * kept_in / 0.8, grads

    return loss, backward


def _dropout_classifier(rng):
    while True:
        n, d, h, k = sizes(rng, 3)
        x, w1, b1, w2, b2 = normals(rng, (n, d), (d, h), h, (h, k), k)
        kept_in, kept = mask_of_both(rng, (n, d)).astype(bool), mask_of_both(rng, (n, h))
        z = x * kept_in / 0.8 @ w1 + b1
        on, dropped = z > 0, kept == 0
        through = (on & ~dropped).any(axis=1) & kept_in.any(axis=1)
        if not mixed_signs(z) or not (on & dropped).any() or not through.any():
            continue
        if (~on & ~dropped).mean() < 0.15:
            continue
        labels = labels_of_all_sorts(rng, n, k)
        return x, labels, kept_in, kept.astype(int), {"w1": w1, "b1": b1, "w2": w2, "b2": b2}


CASES.append(
    case(
        dropout_classifier,
        _dropout_classifier,
        ("dropout", "hidden mask forgotten", "dhd * kept / 0.5", "dhd / 0.5"),
        ("dropout", "hidden scale forgotten", "dhd * kept / 0.5", "dhd * kept"),
        ("dropout", "input's mask forgotten", "dxd * kept_in / 0.8", "dxd / 0.8"),
        ("dropout", "w1 from the whole input", "xd.T @ dz", "x.T @ dz"),
        ("dropout", "w2 from the whole hidden layer", "hd.T @ dlogits", "relu(z).T @ dlogits"),
        ("softmax-twice", "softmax of p", "(p - np", "(softmax(p) - np"),
        ("regulariser", "w2's forgotten", " + dloss * 0.1 * w2", ""),
        ("regulariser", "w1's halved", "dloss * 0.1 * w1", "dloss * 0.05 * w1"),
        ("regulariser", "b2 decayed too", '"b2"] = dlogits.sum(axis=0)',
         '"b2"] = dlogits.sum(axis=0) + dloss * 0.1 * b2'),
        ("activation-missing", "no rectifier", "np.where(z > 0, dh, 0)", "dh"),
        ("updated-weights", "w2 after its step", "dlogits @ w2.T",
         "dlogits @ (w2 - 0.5 * grads[\"w2\"]).T"),
        ("updated-weights", "w1 after its step", "dz @ w1.T", "dz @ (w1 - 0.5 * grads[\"w1\"]).T"),
        ("wrong-axis", "b1 over the features", "dz.sum(axis=0)", "dz.sum(axis=1)"),
        ("upstream", "dloss ignored by the penalty", "dloss * 0.1 * w1", "0.1 * w1"),
    )
)  # fmt: skip


def drop_connect(x, w, b, kept):
    """Tanh layer half of whose weights are left out."""
    wd = 2 * np.where(kept, w, 0.0)
    a = np.tanh(x.dot(wd) + b)

    def backward(da):
        dz = da * (1 - a**2)
        dwd = x.T.dot(dz)
        dw = 2 * np.where(kept, dwd, 0.0)
        db = np.add.reduce(dz, axis=0)
        dx = dz.dot(wd.T)
        return dx, dw, db

    return a, backward


def _drop_connect(rng):
    n, d, h = sizes(rng, 2)
    x, w, b = normals(rng, (n, d), (d, h), h)
    return x, 0.4 * w, b, mask_of_both(rng, (d, h)).astype(bool)


CASES.append(
    case(
        drop_connect,
        _drop_connect,
        ("dropout", "mask forgotten for w", "2 * np.where(kept, dwd, 0.0)", "2 * dwd"),
        ("dropout", "scale forgotten for w", "2 * np.where(kept, dwd, 0.0)",
         "np.where(kept, dwd, 0.0)"),
        ("dropout", "x through all the weights", "dz.dot(wd.T)", "dz.dot(w.T)"),
        ("updated-weights", "w after its step", "dz.dot(wd.T)", "dz.dot((wd - 0.2 * dw).T)"),
        ("activation-missing", "tanh left out", "da * (1 - a**2)", "da"),
        ("activation-misplaced", "at what comes in", "(1 - a**2)", "(1 - (x.dot(wd) + b) ** 2)"),
        ("one-example", "db of the last row", "np.add.reduce(dz, axis=0)", "dz[-1]"),
        ("wrong-axis", "db over the features", "reduce(dz, axis=0)", "reduce(dz, axis=1)"),
        ("not-summed", "db keeps the batch", "np.add.reduce(dz, axis=0)", "dz"),
        ("transposed", "dw transposed", "return dx, dw, db", "return dx, dw.T, db"),
        ("upstream", "da ignored", "da * (1 - a**2)", "(1 - a**2)"),
        ("integer", "upstream cast to int", "dz = da *", "dz = da.astype(int) *"),
    )
)  # fmt: skip


def heads_attention(x, wq, wk, wv, kept):
    """Attention of two heads over time, half of its weights dropped; x is (batch, time, d)."""
    n, t, _ = x.shape

    def split(y):
        return y.reshape(n, t, 2, 2).swapaxes(1, 2)

    def merge(y):
        return y.swapaxes(1, 2).reshape(n, t, 4)

    q, k, v = split(x @ wq), split(x @ wk), split(x @ wv)
    a = softmax(q @ k.swapaxes(2, 3) / np.sqrt(2))
    ad = a * kept * 2

    def backward(dout):
        dheads = split(dout)
        dv = merge(ad.swapaxes(2, 3) @ dheads)
        da = (dheads @ v.swapaxes(2, 3)) * kept * 2
        ds = a * (da - (da * a).sum(axis=3, keepdims=True)) / np.sqrt(2)
        dq = merge(ds @ k)
        dk = merge(ds.swapaxes(2, 3) @ q)
        dwq = np.einsum("ntd,nth->dh", x, dq)
        dwk = np.einsum("ntd,nth->dh", x, dk)
        dwv = np.einsum("ntd,nth->dh", x, dv)
        dx = dq @ wq.T + dk @ wk.T
        dx += dv @ wv.T
        return dx, dwq, dwk, dwv

    return merge(ad @ v), backward


def _heads_attention(rng):
    n, t, d = sizes(rng, 2)
    t = max(t, 3)
    arrays = normals(rng, (n, t, d), (d, 4), (d, 4), (d, 4))
    return (*arrays, mask_of_both(rng, (n, 2, t, t)).astype(bool))


CASES.append(
    case(
        heads_attention,
        _heads_attention,
        ("dropout", "mask forgotten", "v.swapaxes(2, 3)) * kept * 2", "v.swapaxes(2, 3)) * 2"),
        ("dropout", "scale forgotten", "v.swapaxes(2, 3)) * kept * 2", "v.swapaxes(2, 3)) * kept"),
        ("dropout", "values' from the whole attention", "merge(ad.swapaxes", "merge(a.swapaxes"),
        ("softmax-twice", "softmax of a", "ds = a * (da - (da * a).sum",
         "b = softmax(a)\n        ds = b * (da - (da * b).sum"),
        ("wrong-axis", "inner sum over queries", "axis=3, keepdims", "axis=2, keepdims"),
        ("wrong-axis", "inner sum over heads", "axis=3, keepdims", "axis=1, keepdims"),
        ("transposed", "scores not transposed for the keys", "ds.swapaxes(2, 3) @ q", "ds @ q"),
        ("transposed", "scores transposed for the queries", "merge(ds @ k)",
         "merge(ds.swapaxes(2, 3) @ k)"),
        ("transposed", "attention not transposed for the values",
         "ad.swapaxes(2, 3) @ dheads", "ad @ dheads"),
        ("swapped", "queries' and keys' weights", "return dx, dwq, dwk", "return dx, dwk, dwq"),
        ("swapped", "queries and keys in the products", "merge(ds @ k)", "merge(ds @ q)",
         "ds.swapaxes(2, 3) @ q", "ds.swapaxes(2, 3) @ k"),
        ("updated-weights", "wv after its step", "dv @ wv.T", "dv @ (wv - 0.1 * dwv).T"),
        ("updated-weights", "wq after its step", "dq @ wq.T", "dq @ (wq - 0.5 * dwq).T"),
        ("activation-missing", "softmax left out", "a * (da - (da * a).sum(axis=3, keepdims=True))",
         "da"),
        ("factor", "scale of the scores forgotten", "keepdims=True)) / np.sqrt(2)",
         "keepdims=True))"),
        ("one-example", "wk sees the first sequence", 'np.einsum("ntd,nth->dh", x, dk)',
         "x[0].T @ dk[0]"),
        ("overwritten", "values' part over the others", "dx += dv", "dx = dv"),
    )
)  # fmt: skip


def scaled_branch(x, kept, w, gain):
    """x plus a rectified branch, dropped by whole channels, each with its gain; (n, time, d)."""
    h = x @ w
    r = relu(h)
    branch = r * np.broadcast_to(kept[:, None, :], r.shape) / 0.75
    y = x + branch * gain

    def backward(dy):
        dgain = np.sum(dy * branch, axis=(0, 1))
        dr = dy * gain * kept[:, None, :] / 0.75
        dh = dr.copy()
        dh[h <= 0] = 0
        dw = np.tensordot(x, dh, axes=([0, 1], [0, 1]))
        dx = dy + np.tensordot(dh, w, axes=([2], [1]))
        return dx, dw, dgain

    return y, backward


def _scaled_branch(rng):
    while True:
        n, t, d = sizes(rng, 2)
        d = max(d, 3)
        x, w = normals(rng, (n, t, d), (d, d))
        if mixed_signs(x @ w):
            kept = mask_of_both(rng, (n, d)).astype(int)
            return x, kept, w, rng.uniform(0.5, 2, size=d)


CASES.append(
    case(
        scaled_branch,
        _scaled_branch,
        ("dropout", "mask forgotten", "dy * gain * kept[:, None, :] / 0.75", "dy * gain / 0.75"),
        ("dropout", "scale forgotten", "kept[:, None, :] / 0.75\n        dh",
         "kept[:, None, :]\n        dh"),
        ("dropout", "gain's from the whole branch", "dy * branch", "dy * r"),
        ("activation-missing", "no rectifier", "        dh[h <= 0] = 0\n", ""),
        ("activation-misplaced", "rectifier's mask from x", "dh[h <= 0]", "dh[x <= 0]"),
        ("activation-misplaced", "rectifier's mask from y", "dh[h <= 0]", "dh[y <= 0]"),
        ("transposed", "w the wrong way round", "([2], [1])", "([2], [0])"),
        ("transposed", "dw transposed", "np.tensordot(x, dh,", "np.tensordot(dh, x,"),
        ("wrong-axis", "gain's over time and channels", "branch, axis=(0, 1)",
         "branch, axis=(1, 2)"),
        ("not-summed", "gain's for each time", "branch, axis=(0, 1)", "branch, axis=0"),
        ("detached", "skip forgotten", "dx = dy + np", "dx = np"),
        ("integer", "dr of the mask's type", "dh = dr.copy()", "dh = dr.astype(kept.dtype)"),
        ("updated-weights", "w after its step", "np.tensordot(dh, w, axes",
         "np.tensordot(dh, w - 0.05 * dw, axes"),
    )
)  # fmt: skip


def random_depth(x, kept, weights):
    """Residual tanh layers, each of which is left out for some of the examples."""
    inputs, branches = [x], []
    for w, keep in zip(weights, kept, strict=True):
        branches.append(np.tanh(inputs[-1] @ w))
        inputs.append(inputs[-1] + branches[-1] * keep[:, None] / 0.6)

    def backward(dy):
        dweights = []
        for layer in reversed(range(len(weights))):
            w, keep, a, h = weights[layer], kept[layer], branches[layer], inputs[layer]
            da = dy * keep[:, None] / 0.6
            dz = da * (1 - a**2)
            dw = h.T @ dz
            dweights.insert(0, dw)
            dy = dy + dz @ w.T
        return dy, np.stack(dweights)

    return inputs[-1], backward


def _random_depth(rng):
    n, d = sizes(rng, 1)
    d = max(d, 3)
    x, *weights = normals(rng, (n, d), (d, d), (d, d), (d, d))
    kept = np.stack([rng.permutation(np.arange(n) % 3 > 0) for _ in weights])
    return x, kept, 0.7 * np.stack(weights)


CASES.append(
    case(
        random_depth,
        _random_depth,
        ("dropout", "mask forgotten", "dy * keep[:, None] / 0.6", "dy / 0.6"),
        ("dropout", "scale forgotten", "dy * keep[:, None] / 0.6", "dy * keep[:, None]"),
        ("dropout", "mask and scale forgotten", "dy * keep[:, None] / 0.6", "dy"),
        ("activation-missing", "tanh left out", "da * (1 - a**2)", "da"),
        ("activation-misplaced", "at the layer's input", "(1 - a**2)", "(1 - h**2)"),
        ("activation-misplaced", "at the derivative that comes in", "(1 - a**2)", "(1 - da**2)"),
        ("transposed", "w not transposed", "dz @ w.T", "dz @ w"),
        ("transposed", "dw transposed", "h.T @ dz", "dz.T @ h"),
        ("swapped", "layers in the order they were met", "dweights.insert(0, dw)",
         "dweights.append(dw)"),
        ("updated-weights", "each w after its step", "dz @ w.T", "dz @ (w - 0.1 * dw).T"),
        ("one-example", "dw of the first row kept", "h.T @ dz",
         "np.outer(h[keep][0], dz[keep][0])"),
        ("detached", "skip forgotten", "dy = dy + dz", "dy = dz"),
        ("overwritten", "last layer's in all", "            dweights.insert(0, dw)\n",
         "            dweights = [dw] * len(weights)\n"),
    )
)  # fmt: skip


# Over time and space


def gated_recurrence(xs, wz, uz, wc, uc):
    """States of a recurrence whose gate mixes old and new; xs is (batch, time, features)."""
    n, steps, _ = xs.shape
    before, gates, news = [], [], []
    h = np.zeros((n, len(uz)))
    for t in range(steps):
        before.append(h)
        gates.append(sigmoid(xs[:, t] @ wz + h @ uz))
        news.append(np.tanh(xs[:, t] @ wc + h @ uc))
        h = (1 - gates[t]) * h + gates[t] * news[t]
    states = np.stack([*before[1:], h], axis=1)

    def backward(dstates):
        dxs = np.zeros(xs.shape)
        dwz, duz, dwc, duc = (np.zeros(matrix.shape) for matrix in (wz, uz, wc, uc))
        carry = 0
        for t in reversed(range(steps)):
            dh = dstates[:, t] + carry
            dgate = dh * (news[t] - before[t])
            dnew = dh * gates[t]
            az = dgate * gates[t] * (1 - gates[t])
            ac = dnew * (1 - news[t] ** 2)
            dwz += xs[:, t].T @ az
            duz += before[t].T @ az
            dwc += xs[:, t].T @ ac
            duc += before[t].T @ ac
            dxs[:, t] = az @ wz.T + ac @ wc.T
            carry = dh * (1 - gates[t]) + az @ uz.T + ac @ uc.T
        return dxs, dwz, duz, dwc, duc

    return states, backward


def _gated_recurrence(rng):
    n, d, h = sizes(rng, 2)
    xs, wz, uz, wc, uc = normals(rng, (n, 3, d), (d, h), (h, h), (d, h), (h, h))
    return xs, wz, 0.7 * uz, 0.7 * wc, 0.7 * uc


CASES.append(
    case(
        gated_recurrence,
        _gated_recurrence,
        ("swapped", "gate and its rest", "dnew = dh * gates[t]", "dnew = dh * (1 - gates[t])",
         "carry = dh * (1 - gates[t])", "carry = dh * gates[t]"),
        ("swapped", "gate's and new state's weights", "return dxs, dwz, duz, dwc, duc",
         "return dxs, dwc, duc, dwz, duz"),
        ("activation-missing", "gate's sigmoid left out", "dgate * gates[t] * (1 - gates[t])",
         "dgate"),
        ("activation-missing", "tanh left out", "dnew * (1 - news[t] ** 2)", "dnew"),
        ("activation-misplaced", "tanh's at the state before", "(1 - news[t] ** 2)",
         "(1 - before[t] ** 2)"),
        ("activation-misplaced", "sigmoid of the gate", "dgate * gates[t] * (1 - gates[t])",
         "dgate * sigmoid(gates[t]) * (1 - sigmoid(gates[t]))"),
        ("transposed", "uz not transposed", "az @ uz.T", "az @ uz"),
        ("transposed", "uc not transposed", "ac @ uc.T", "ac @ uc"),
        ("transposed", "duc transposed", "before[t].T @ ac", "ac.T @ before[t]"),
        ("overwritten", "dwz of the first step only", "dwz += xs", "dwz[:] = xs"),
        ("overwritten", "carry over the step's own", "dh = dstates[:, t] + carry",
         "dh = dstates[:, t] if t == steps - 1 else carry"),
        ("updated-weights", "uc moved at each step", "ac @ uc.T", "ac @ (uc - 0.5 * duc).T"),
        ("one-example", "wc sees the first row", "xs[:, t].T @ ac", "xs[:1, t].T @ ac[:1]"),
        ("integer", "dxs of integers", "np.zeros(xs.shape)", "np.zeros(xs.shape, dtype=int)"),
        ("detached", "past through the gate as a constant", " + az @ uz.T", ""),
        ("precision", "sums in half precision", "np.zeros(matrix.shape)",
         "np.zeros(matrix.shape, np.float16)"),
        ("upstream", "new state's without dh", "dnew = dh * gates[t]", "dnew = gates[t]"),
    )
)  # fmt: skip


def sequence_convnet(xs, labels, kernel, w):
    """Convolution over time, rectifier, average over time, softmax and cross-entropy."""
    n, width = len(xs), len(kernel)
    steps = xs.shape[1] - width + 1
    z = np.zeros((n, steps, kernel.shape[2]))
    for i in range(steps):
        z[:, i] = np.einsum("nwd,wdk->nk", xs[:, i : i + width], kernel)
    pooled = relu(z).mean(axis=1)
    p = softmax(pooled @ w)
    loss = -np.log(p[np.arange(n), labels]).sum() / n

    def backward(dloss):
        dlogits = p.copy()
        dlogits[np.arange(n), labels] -= 1.0
        dlogits = dloss * dlogits / n
        dw = np.einsum("nk,nc->kc", pooled, dlogits)
        dpooled = np.einsum("nc,kc->nk", dlogits, w)
        dz = np.repeat(dpooled[:, None], steps, axis=1) / steps * (z > 0)
        dxs, dkernel = np.zeros_like(xs), np.zeros_like(kernel)
        for i in range(steps):
            dxs[:, i : i + width] += np.einsum("nk,wdk->nwd", dz[:, i], kernel)
            dkernel += np.einsum("nk,nwd->wdk", dz[:, i], xs[:, i : i + width])
        return dxs, dkernel, dw

    return loss, backward


def _sequence_convnet(rng):
    while True:
        n, d, k, c = sizes(rng, 3)
        xs, kernel, w = normals(rng, (n, 5, d), (2, d, k), (k, max(c, 3)))
        z = np.einsum("ntwd,wdk->ntk", np.stack([xs[:, :-1], xs[:, 1:]], axis=2), kernel)
        if mixed_signs(z):
            return xs, labels_of_all_sorts(rng, n, max(c, 3)), kernel, w


CASES.append(
    case(
        sequence_convnet,
        _sequence_convnet,
        ("softmax-twice", "softmax of p", "p.copy()", "softmax(p)"),
        ("one-hot-missing", "no 1 taken off", "        dlogits[np.arange(n), labels] -= 1.0\n", ""),
        ("wrong-axis", "softmax over the batch", "p.copy()", "softmax(pooled @ w, axis=0)"),
        ("activation-missing", "no rectifier", " / steps * (z > 0)", " / steps"),
        ("activation-misplaced", "mask from the average", "(z > 0)",
         "(z > pooled[:, None])"),
        ("factor", "average's share forgotten", " / steps * (z", " * (z"),
        ("overwritten", "windows overwrite", "dxs[:, i : i + width] +=", "dxs[:, i : i + width] ="),
        ("overwritten", "kernel's of the last window", "dkernel += np", "dkernel = np"),
        ("one-example", "kernel's of the first sequence", '"nk,nwd->wdk", dz[:, i], xs[:, i',
         '"nk,nwd->wdk", dz[:1, i], xs[:1, i'),
        ("updated-weights", "w after its step", '"nc,kc->nk", dlogits, w)',
         '"nc,kc->nk", dlogits, w - 0.4 * dw)'),
        ("transposed", "dw transposed", '"nk,nc->kc", pooled', '"nk,nc->ck", pooled',
         "dlogits, w)", "dlogits, w)"),
        ("integer", "floor division", "dloss * dlogits / n", "dloss * dlogits // n"),
        ("upstream", "dloss ignored", "dloss * dlogits / n", "dlogits / n"),
        ("batch", "no mean", "dloss * dlogits / n", "dloss * dlogits"),
    )
)  # fmt: skip


def image_convnet(images, kernel, bias, w):
    """Convolution of square images, sigmoid, greatest of each 2 by 2, and a linear layer."""
    n, size = images.shape[0], images.shape[1] - kernel.shape[0] + 1
    rows, columns = kernel.shape
    z = np.empty((n, size, size))
    for i in range(size):
        for j in range(size):
            patch = images[:, i : i + rows, j : j + columns]
            z[:, i, j] = np.sum(patch * kernel, axis=(1, 2)) + bias
    a = sigmoid(z)
    cells = a.reshape(n, size // 2, 2, size // 2, 2)
    top = cells.max(axis=(2, 4), keepdims=True)
    flat = top.reshape(n, -1)
    y = flat @ w

    def backward(dy):
        dw = flat.T @ dy
        dtop = (dy @ w.T).reshape(top.shape)
        da = np.where(cells == top, dtop, 0).reshape(a.shape)
        dz = da * a * (1 - a)
        dbias = dz.sum()
        dimages, dkernel = np.zeros(images.shape), np.zeros(kernel.shape)
        for i in range(size):
            for j in range(size):
                here = dz[:, i, j][:, None, None]
                dimages[:, i : i + rows, j : j + columns] += here * kernel
                dkernel += (here * images[:, i : i + rows, j : j + columns]).sum(axis=0)
        return dimages, dkernel, dbias, dw

    return y, backward


def _image_convnet(rng):
    n = int(rng.integers(3, 7))
    images, kernel, w = normals(rng, (n, 5, 5), (2, 2), (4, 2))
    return images, kernel, rng.normal(), w


CASES.append(
    case(
        image_convnet,
        _image_convnet,
        ("overwritten", "patches overwrite", "j : j + columns] += here", "j : j + columns] = here"),
        ("overwritten", "kernel's of the last patch", "dkernel += (here", "dkernel = (here"),
        ("activation-missing", "sigmoid left out", "da * a * (1 - a)", "da"),
        ("activation-missing", "spread over each cell", "np.where(cells == top, dtop, 0)",
         "np.broadcast_to(dtop, cells.shape)"),
        ("activation-misplaced", "fed with z", "da * a * (1 - a)", "da * z * (1 - z)"),
        ("activation-misplaced", "sigmoid of a", "da * a * (1 - a)",
         "da * sigmoid(a) * (1 - sigmoid(a))"),
        ("wrong-axis", "greatest of each column of the cells", "np.where(cells == top, dtop, 0)",
         "np.where(cells == cells.max(axis=2, keepdims=True), dtop, 0)"),
        ("wrong-axis", "greatest over the images", "np.where(cells == top, dtop, 0)",
         "np.where(cells == cells.max(axis=0), dtop, 0)"),
        ("one-example", "bias of the first image", "dbias = dz.sum()", "dbias = dz[0].sum()"),
        ("not-summed", "bias for each image", "dbias = dz.sum()", "dbias = dz.sum(axis=(1, 2))"),
        ("not-summed", "bias for each place", "dbias = dz.sum()", "dbias = dz.sum(axis=0)"),
        ("updated-weights", "w after its step", "(dy @ w.T)", "(dy @ (w - 0.1 * dw).T)"),
        ("transposed", "kernel transposed", "here * kernel", "here * kernel.T"),
        ("integer", "images' of integers", "np.zeros(images.shape)",
         "np.zeros(images.shape, dtype=int)",
         "                dimages[:, i : i + rows, j : j + columns] += here * kernel",
         "                part = dimages[:, i : i + rows, j : j + columns]\n"
         "                part[:] = part + here * kernel"),
        ("upstream", "dy ignored for w", "flat.T @ dy", "flat.T @ np.ones(dy.shape)"),
    )
)  # fmt: skip


def running_mean(xs, speeds):
    """Running totals over time, then each column's own power of the number of steps divides."""
    totals = np.cumsum(xs, axis=1)
    steps = np.arange(1, xs.shape[1] + 1)[:, None]
    share = steps ** -sigmoid(speeds)
    y = totals * share

    def backward(dy):
        dtotals = dy * share
        dxs = np.flip(np.cumsum(np.flip(dtotals, axis=1), axis=1), axis=1)
        dshare = np.sum(dy * totals, axis=0)
        dpower = np.sum(dshare * share * -np.log(steps), axis=0)
        s = sigmoid(speeds)
        return dxs, dpower * s * (1 - s)

    return y, backward


def _running_mean(rng):
    n, t, d = sizes(rng, 2)
    return normals(rng, (n, max(t, 3), d), d)


CASES.append(
    case(
        running_mean,
        _running_mean,
        ("wrong-axis", "totals over the batch",
         "np.flip(np.cumsum(np.flip(dtotals, axis=1), axis=1), axis=1)",
         "np.flip(np.cumsum(np.flip(dtotals, axis=0), axis=0), axis=0)"),
        ("activation-missing", "sigmoid left out", "dpower * s * (1 - s)", "dpower"),
        ("activation-misplaced", "sigmoid's fed with the speeds", "s * (1 - s)",
         "speeds * (1 - speeds)"),
        ("activation-misplaced", "sigmoid of s", "s = sigmoid(speeds)",
         "s = sigmoid(sigmoid(speeds))"),
        ("one-example", "share's of the last row", "np.sum(dy * totals, axis=0)",
         "dy[-1] * totals[-1]"),
        ("batch", "share's is a mean", "np.sum(dy * totals, axis=0)",
         "np.mean(dy * totals, axis=0)"),
        ("not-summed", "speeds for each time", "np.sum(dshare * share * -np.log(steps), axis=0)",
         "dshare * share * -np.log(steps)"),
        ("sign", "power's sign", "-np.log(steps)", "np.log(steps)"),
        ("swapped", "share and totals", "dtotals = dy * share", "dtotals = dy * totals",
         "np.sum(dy * totals, axis=0)", "np.sum(dy * share, axis=0)"),
        ("integer", "totals cast to int", "dtotals = dy * share",
         "dtotals = (dy * share).astype(steps.dtype)"),
        ("upstream", "dy ignored for the speeds", "np.sum(dy * totals", "np.sum(totals"),
    )
)  # fmt: skip


# Normalisation


def group_norm(x, gamma, beta):
    """Each example's features standardised in two groups, then scaled and shifted."""
    n, d = x.shape
    groups = x.reshape(n, 2, d // 2)
    centred = groups - groups.mean(axis=2, keepdims=True)
    std = np.sqrt(np.mean(centred**2, axis=2, keepdims=True) + 1e-3)
    hat = (centred / std).reshape(n, d)

    def backward(dy):
        dgamma = np.einsum("nd,nd->d", dy, hat)
        dbeta = np.einsum("nd->d", dy)
        g = (dy * gamma).reshape(n, 2, d // 2)
        h = hat.reshape(n, 2, d // 2)
        slope = np.mean(g * h, axis=2, keepdims=True)
        dx = (g - np.mean(g, axis=2, keepdims=True) - h * slope) / std
        return dx.reshape(n, d), dgamma, dbeta

    return gamma * hat + beta, backward


def _group_norm(rng):
    n = int(rng.integers(3, 7))
    return 2 * rng.normal(size=(n, 8)) + 1, rng.uniform(0.5, 2, size=8), rng.normal(size=8)


CASES.append(
    case(
        group_norm,
        _group_norm,
        ("statistics", "mean and deviation as constants",
         "(g - np.mean(g, axis=2, keepdims=True) - h * slope) / std", "g / std"),
        ("statistics", "deviation as a constant", " - h * slope", ""),
        ("statistics", "mean as a constant", "g - np.mean(g, axis=2, keepdims=True)", "g"),
        ("wrong-axis", "mean over the groups", "np.mean(g, axis=2", "np.mean(g, axis=1"),
        ("wrong-axis", "slope over the batch", "np.mean(g * h, axis=2", "np.mean(g * h, axis=0"),
        ("swapped", "gamma and beta", "dgamma, dbeta\n", "dbeta, dgamma\n"),
        ("one-example", "beta's of the first row", 'np.einsum("nd->d", dy)', "dy[0]"),
        ("one-example", "gamma's of the last row", 'np.einsum("nd,nd->d", dy, hat)',
         "dy[-1] * hat[-1]"),
        ("batch", "gamma's over N", '"nd,nd->d", dy, hat)', '"nd,nd->d", dy, hat) / n'),
        ("sign", "mean added", "g - np.mean(g, axis=2", "g + np.mean(g, axis=2"),
        ("precision", "slope in half precision", "np.mean(g * h,", "np.mean((g * h).astype('f2'),"),
        ("upstream", "gamma's without dy", '"nd,nd->d", dy, hat', '"nd,nd->d", dy * 0 + 1, hat'),
    )
)  # fmt: skip


def unit_projection(x, w, scale):
    """Projected rows made of length one, times a scale."""
    z = np.matmul(x, w)
    length = np.linalg.norm(z, axis=1, keepdims=True)
    u = z / length

    def backward(dy):
        dscale = np.sum(dy * u)
        du = scale * dy
        along = np.sum(du * u, axis=1, keepdims=True)
        dz = (du - along * u) / length
        dw = np.matmul(x.T, dz)
        dx = np.matmul(dz, w.T)
        return dx, dw, dscale

    return scale * u, backward


def _unit_projection(rng):
    n, d = sizes(rng, 1)
    d = max(d, 3)
    return (*normals(rng, (n, d), (d, d)), rng.uniform(1.5, 3))


CASES.append(
    case(
        unit_projection,
        _unit_projection,
        ("statistics", "length as a constant", "(du - along * u) / length", "du / length"),
        ("wrong-axis", "along over the batch", "du * u, axis=1", "du * u, axis=0"),
        ("wrong-axis", "length of the columns", "along * u) / length",
         "along * u) / np.linalg.norm(z, axis=0)"),
        ("activation-missing", "normalisation left out", "(du - along * u) / length", "du"),
        ("activation-misplaced", "projected on z", "along * u) / length", "along * z) / length"),
        ("transposed", "w not transposed", "np.matmul(dz, w.T)", "np.matmul(dz, w)"),
        ("transposed", "dw transposed", "np.matmul(x.T, dz)", "np.matmul(dz.T, x)"),
        ("updated-weights", "w after its step", "np.matmul(dz, w.T)",
         "np.matmul(dz, (w - 0.1 * dw).T)"),
        ("one-example", "scale's of the first row", "np.sum(dy * u)", "np.sum(dy[0] * u[0])"),
        ("not-summed", "scale's for each row", "np.sum(dy * u)", "np.sum(dy * u, axis=1)"),
        ("factor", "scale forgotten", "du = scale * dy", "du = dy"),
        ("swapped", "dx and dw", "return dx, dw,", "return dw, dx,"),
        ("precision", "length in single precision", "along * u) / length",
         "along * u) / length.astype(np.float32)"),
    )
)  # fmt: skip


def instance_standardise(x):
    """Each channel of each example standardised over time; x is (batch, time, channels)."""
    out, stds = [], []
    for signal in x:
        stds.append(np.sqrt(signal.var(axis=0) + 1e-2))
        out.append((signal - signal.mean(axis=0)) / stds[-1])
    y = np.stack(out)

    def backward(dy):
        dx = np.zeros_like(y)
        for i, g in enumerate(dy):
            dx[i] = g - g.mean(axis=0)
            dx[i] -= y[i] * (g * y[i]).mean(axis=0)
            dx[i] /= stds[i]
        return dx

    return y, backward


def _instance_standardise(rng):
    n, t, c = sizes(rng, 2)
    return (2 * rng.normal(size=(n, t + 2, c)) + 1,)


CASES.append(
    case(
        instance_standardise,
        _instance_standardise,
        ("statistics", "mean as a constant", "g - g.mean(axis=0)", "g"),
        ("statistics", "deviation as a constant",
         "            dx[i] -= y[i] * (g * y[i]).mean(axis=0)\n", ""),
        ("statistics", "mean and deviation as constants", "g - g.mean(axis=0)", "g",
         "            dx[i] -= y[i] * (g * y[i]).mean(axis=0)\n", ""),
        ("wrong-axis", "mean over the channels", "g - g.mean(axis=0)",
         "g - g.mean(axis=1)[:, None]"),
        ("wrong-axis", "slope over the channels", "(g * y[i]).mean(axis=0)",
         "(g * y[i]).mean(axis=1, keepdims=True)"),
        ("one-example", "only the first example's", "        return dx",
         "            break\n        return dx"),
        ("one-example", "deviations of the first example", "dx[i] /= stds[i]", "dx[i] /= stds[0]"),
        ("activation-misplaced", "slope at x", "(g * y[i])", "(g * x[i])"),
        ("precision", "dx in single precision", "np.zeros_like(y)",
         "np.zeros(y.shape, np.float32)"),
    )
)  # fmt: skip


# Losses


def dropped_words(ids, kept, target, table, v):
    """Squared error of a tanh of the sum of each text's words, some of the words left out."""
    n = len(ids)
    total = np.zeros((n, table.shape[1]))
    for row in range(n):
        for word, keep in zip(ids[row], kept[row], strict=True):
            if keep:
                total[row] += table[word] / 0.75
    h = np.tanh(total)
    error = h @ v - target
    loss = np.sum(error**2) / (2 * n)

    def backward(dloss):
        dy = dloss * error / n
        dv = h.T @ dy
        dh = dy[:, None] * v
        dtotal = dh * (1 - h**2)
        dtable = np.zeros_like(table)
        for row in range(n):
            for word, keep in zip(ids[row], kept[row], strict=True):
                if keep:
                    dtable[word] += dtotal[row] / 0.75
        return -dy, dtable, dv

    return loss, backward


def _dropped_words(rng):
    n, d = sizes(rng, 1)
    ids = ids_with_repeats(rng, 4, (n, 4))
    kept = np.stack([rng.permutation([True, True, True, False]) for _ in range(n)])
    return ids, kept, *normals(rng, n), 0.6 * rng.normal(size=(4, d)), rng.normal(size=d)


CASES.append(
    case(
        dropped_words,
        _dropped_words,
        ("dropout", "mask forgotten",
         "                if keep:\n                    dtable[word] += dtotal[row] / 0.75",
         "                dtable[word] += dtotal[row] / 0.75"),
        ("dropout", "scale forgotten", "dtotal[row] / 0.75", "dtotal[row]"),
        ("overwritten", "= for +=", "dtable[word] += dtotal", "dtable[word] = dtotal"),
        ("one-example", "only the first text's words", "        return -dy",
         "            break\n        return -dy"),
        ("one-example", "dv of the first text", "h.T @ dy", "h[0] * dy[0]"),
        ("activation-missing", "tanh left out", "dh * (1 - h**2)", "dh"),
        ("activation-misplaced", "at the sum of the words", "(1 - h**2)", "(1 - total**2)"),
        ("updated-weights", "v after its step", "dy[:, None] * v", "dy[:, None] * (v - 0.3 * dv)"),
        ("integer", "table's of the ids' type", "dtable = np.zeros_like(table)",
         "dtable = np.zeros(table.shape, ids.dtype)", "dtable[word] += dtotal[row] / 0.75",
         "dtable[word] = dtable[word] + dtotal[row] / 0.75"),
        ("factor", "2 although halved", "dloss * error / n", "2 * dloss * error / n"),
        ("upstream", "dloss ignored", "dloss * error", "error"),
    )
)  # fmt: skip


def hinge_classes(x, labels, w):
    """Hinge loss of the scores of the wrong classes against the right one's, and weight decay."""
    n = len(x)
    rows = np.arange(n)
    scores = x @ w
    margins = np.clip(scores - scores[rows, labels][:, None] + 1, 0, None)
    margins[rows, labels] = 0
    loss = margins.sum() / n + 0.2 * np.linalg.norm(w) ** 2

    def backward(dloss):
        dscores = np.zeros_like(scores)
        dscores[margins > 0] = 1
        dscores[rows, labels] = -dscores.sum(axis=1)
        dscores *= dloss / n
        dw = np.zeros_like(w)
        for i in range(n):
            dw += np.outer(x[i], dscores[i])
        dw += dloss * 0.4 * w
        return np.einsum("nk,dk->nd", dscores, w), dw

    return loss, backward


def _hinge_classes(rng):
    while True:
        n, d, k = sizes(rng, 2)
        k = max(k, 3)
        x, w = normals(rng, (n, d), (d, k))
        labels = labels_of_all_sorts(rng, n, k)
        gaps = x @ w - (x @ w)[np.arange(n), labels][:, None] + 1
        violated = (gaps > 0).sum() - n
        wrong = gaps > 0
        wrong[np.arange(n), labels] = False
        if (wrong.sum(axis=0)[labels] == wrong.sum(axis=1)).all():
            continue
        last = (gaps[-1] > 0).sum() - 1
        if np.abs(gaps).min() > 1e-3 and 0 < last < violated < n * (k - 1):
            return x, labels, w


CASES.append(
    case(
        hinge_classes,
        _hinge_classes,
        ("regulariser", "forgotten", "        dw += dloss * 0.4 * w\n", ""),
        ("regulariser", "its 2 forgotten", "dloss * 0.4 * w", "dloss * 0.2 * w"),
        ("regulariser", "its norm's for its square's", "dloss * 0.4 * w",
         "dloss * 0.2 * w / np.linalg.norm(w)"),
        ("activation-missing", "no margin, all classes", "dscores[margins > 0] = 1",
         "dscores[:] = 1", "dscores[rows, labels] = -dscores.sum(axis=1)",
         "dscores[rows, labels] = 1 - dscores.sum(axis=1)"),
        ("one-example", "dw of the last row", "dw += np.outer", "dw = np.outer"),
        ("wrong-axis", "violations counted down the columns", "-dscores.sum(axis=1)",
         "-dscores.sum(axis=0)[labels]"),
        ("one-hot-missing", "right class's score left out",
         "        dscores[rows, labels] = -dscores.sum(axis=1)\n", ""),
        ("sign", "right class's sign", "-dscores.sum", "dscores.sum"),
        ("integer", "floor division", "        dscores *= dloss / n\n",
         "        dscores = dscores * dloss // n\n"),
        ("upstream", "dloss ignored by the penalty", "dloss * 0.4 * w", "0.4 * w"),
        ("batch", "no mean", "dscores *= dloss / n", "dscores *= dloss"),
        ("transposed", "dw of scores and x", "np.outer(x[i], dscores[i])",
         "np.outer(dscores[i], x[i])", "np.zeros_like(w)", "np.zeros_like(w.T)",
         "        dw += dloss * 0.4 * w\n", "        dw += dloss * 0.4 * w.T\n"),
    )
)  # fmt: skip


def robust_regression(x, target, w, b):
    """Huber loss of a linear prediction with both a square and an absolute penalty."""
    residual = np.dot(x, w) + b - target
    near = np.abs(residual) <= 1
    each = np.where(near, residual**2 / 2, np.abs(residual) - 0.5)
    loss = each.mean() + 0.1 * np.sum(w**2) + 0.3 * np.sum(np.abs(w))

    def backward(dloss):
        dresidual = dloss * np.clip(residual, -1, 1) / len(target)
        dw = np.dot(dresidual, x)
        db = np.sum(dresidual)
        dx = np.multiply.outer(dresidual, w)
        dw = dw + dloss * (0.2 * w + 0.3 * np.sign(w))
        return dx, -dresidual, dw, db

    return loss, backward


def _robust_regression(rng):
    while True:
        n, d = sizes(rng, 1)
        x, target, w = normals(rng, (n, d), n, d)
        residual = np.abs(x @ w + 0.4 - 2 * target)
        both = residual.max() > 1.2 and 0.1 < residual.min() < 0.9
        if both and np.abs(residual - 1).min() > 1e-3:
            return x, 2 * target, w, 0.4


CASES.append(
    case(
        robust_regression,
        _robust_regression,
        ("activation-missing", "residual not clipped", "np.clip(residual, -1, 1)", "residual"),
        ("regulariser", "both forgotten", " + dloss * (0.2 * w + 0.3 * np.sign(w))", ""),
        ("regulariser", "square's forgotten", "(0.2 * w + 0.3 * np.sign(w))", "0.3 * np.sign(w)"),
        ("regulariser", "absolute one's forgotten", "(0.2 * w + 0.3 * np.sign(w))", "0.2 * w"),
        ("integer", "clipped residual cast to int", "np.clip(residual, -1, 1)",
         "np.clip(residual, -1, 1).astype(int)"),
        ("not-summed", "b's for each example", "np.sum(dresidual)", "dresidual"),
        ("updated-weights", "w after a step", "outer(dresidual, w)",
         "outer(dresidual, w - 0.5 * dw)"),
        ("one-example", "dw of the first row", "np.dot(dresidual, x)", "dresidual[0] * x[0]"),
        ("sign", "target's sign", "dx, -dresidual", "dx, dresidual"),
        ("batch", "no mean", " / len(target)", ""),
        ("detached", "target as a constant", "dx, -dresidual", "dx, np.zeros_like(target)"),
        ("upstream", "dloss ignored", "dloss * np.clip", "np.clip"),
    )
)  # fmt: skip


def many_tags(x, tags, kept, w1, w2):
    """Cross-entropy of independent tags from their logits, after a tanh layer with dropout."""
    h = np.tanh(x @ w1)
    hd = h * kept / 0.5
    z = hd @ w2
    loss = np.mean(np.maximum(z, 0) - z * tags + np.log1p(np.exp(-np.abs(z))))

    def backward(dloss):
        dz = dloss * (sigmoid(z) - tags) / z.size
        dw2 = np.einsum("nh,nk->hk", hd, dz)
        dhd = np.einsum("nk,hk->nh", dz, w2)
        dh = dhd * kept / 0.5
        da = dh * (1 - h**2)
        dw1 = np.einsum("nd,nh->dh", x, da)
        dx = np.einsum("nh,dh->nd", da, w1)
        return dx, dw1, dw2

    return loss, backward


def _many_tags(rng):
    n, d, h, k = sizes(rng, 3)
    x, w1, w2 = normals(rng, (n, d), (d, h), (h, k))
    tags, kept = mask_of_both(rng, (n, k)), mask_of_both(rng, (n, h))
    return x, tags.astype(int), kept.astype(bool), 0.5 * w1, w2


CASES.append(
    case(
        many_tags,
        _many_tags,
        ("activation-missing", "sigmoid of the logits left out", "(sigmoid(z) - tags)",
         "(z - tags)"),
        ("activation-missing", "tanh left out", "dh * (1 - h**2)", "dh"),
        ("activation-misplaced", "at the dropped-out value", "(1 - h**2)", "(1 - hd**2)"),
        ("one-hot-missing", "tags not taken off", "(sigmoid(z) - tags)", "sigmoid(z)"),
        ("dropout", "mask forgotten", "dhd * kept / 0.5", "dhd / 0.5"),
        ("dropout", "scale forgotten", "dhd * kept / 0.5", "dhd * kept"),
        ("dropout", "w2 from the whole layer", '"nh,nk->hk", hd, dz', '"nh,nk->hk", h, dz'),
        ("updated-weights", "w2 after its step", "dz, w2)", "dz, w2 - dw2)"),
        ("updated-weights", "w1 after its step", "da, w1)", "da, w1 - dw1)"),
        ("transposed", "dw1 transposed", '"nd,nh->dh"', '"nd,nh->hd"'),
        ("integer", "sigmoid rounded to a decision", "(sigmoid(z) - tags)",
         "((z > 0).astype(int) - tags)"),
        ("integer", "floor division", "- tags) / z.size", "- tags) // z.size"),
        ("swapped", "layers' weights", "return dx, dw1, dw2", "return dx, dw2, dw1"),
        ("batch", "divided by N alone", "/ z.size", "/ len(z)"),
        ("upstream", "dloss ignored", "dloss * (sig", "(sig"),
    )
)  # fmt: skip


def bottleneck(x, noise, wm, wv, wd):
    """Squared error of x decoded from a Gaussian code, plus the code's divergence."""
    n = x.shape[0]
    mu, log_var = x @ wm, x @ wv
    std = np.exp(log_var / 2)
    code = mu + std * noise
    error = code @ wd - x
    divergence = 0.5 * np.sum(mu**2 + std**2 - 1 - log_var)
    loss = (np.sum(error**2) + divergence) / n

    def backward(dloss):
        dout = dloss * 2 * error / n
        dwd = code.T @ dout
        dcode = dout @ wd.T
        dmu = dcode + dloss * mu / n
        dlog_var = dcode * noise * std / 2
        dlog_var += dloss * 0.5 * (std**2 - 1) / n
        dwm, dwv = x.T @ dmu, x.T @ dlog_var
        dx = dmu @ wm.T + dlog_var @ wv.T - dout
        return dx, dcode * std, dwm, dwv, dwd

    return loss, backward


def _bottleneck(rng):
    n, d, c = sizes(rng, 2)
    x, noise, wm, wv, wd = normals(rng, (n, d), (n, c), (d, c), (d, c), (c, d))
    return x, noise, wm, 0.5 * wv, wd


CASES.append(
    case(
        bottleneck,
        _bottleneck,
        ("regulariser", "divergence forgotten for mu", " + dloss * mu / n", ""),
        ("regulariser", "divergence forgotten for the variance",
         "        dlog_var += dloss * 0.5 * (std**2 - 1) / n\n", ""),
        ("overwritten", "divergence over the error's", "dlog_var += dloss", "dlog_var = dloss"),
        ("swapped", "mean's and variance's weights", "dwm, dwv, dwd\n", "dwv, dwm, dwd\n"),
        ("swapped", "noise and std", "dcode * noise * std / 2", "dcode * noise * noise / 2",
         "dcode * std, dwm", "dcode * noise, dwm"),
        ("detached", "noise as a constant", "dcode * std, dwm", "np.zeros_like(noise), dwm"),
        ("detached", "x as a constant target", "wv.T - dout", "wv.T"),
        ("activation-missing", "exp's left out", "dcode * noise * std / 2", "dcode * noise / 2"),
        ("activation-misplaced", "exp of std", "dcode * noise * std / 2",
         "dcode * noise * np.exp(std / 2) / 2"),
        ("factor", "half of the exponent forgotten", "noise * std / 2", "noise * std"),
        ("updated-weights", "decoder after its step", "dout @ wd.T", "dout @ (wd - 0.05 * dwd).T"),
        ("updated-weights", "encoder after its step", "dmu @ wm.T", "dmu @ (wm - 0.05 * dwm).T"),
        ("one-example", "decoder sees the last row", "code.T @ dout",
         "np.outer(code[-1], dout[-1])"),
        ("upstream", "dloss ignored by the divergence", "dloss * mu / n", "mu / n"),
        ("sign", "variance's sign in the divergence", "(std**2 - 1)", "(1 - std**2)"),
    )
)  # fmt: skip


# Products


def factor_machine(x, w, v):
    """Linear terms plus the products of pairs of features, weighted by a low-rank matrix."""
    s = x @ v
    pairs = np.sum(s**2, axis=1) - np.sum(x**2 @ v**2, axis=1)
    y = np.inner(x, w) + 0.5 * pairs

    def backward(dy):
        g = np.expand_dims(dy, 1)
        dw = np.dot(dy, x)
        ds = g * s
        dv = x.T @ ds
        dv = dv - v * (x.T**2 @ dy)[:, None]
        dx = np.outer(dy, w)
        dx = dx + ds @ v.T - g * x * np.sum(v**2, axis=1)
        return dx, dw, dv

    return y, backward


def _factor_machine(rng):
    n, d, r = sizes(rng, 2)
    return normals(rng, (n, d), d, (d, r))


CASES.append(
    case(
        factor_machine,
        _factor_machine,
        ("overwritten", "products over the linear terms", "dx = dx + ds", "dx = ds"),
        ("overwritten", "squares over the products", "dv = dv - v", "dv = -v"),
        ("one-example", "dw of the first row", "np.dot(dy, x)", "dy[0] * x[0]"),
        ("one-example", "dv of the last row", "x.T @ ds", "np.outer(x[-1], ds[-1])"),
        ("wrong-axis", "v's squares over the features", "np.sum(v**2, axis=1)\n",
         "np.sum(v**2, axis=0).sum()\n"),
        ("transposed", "dv transposed", "return dx, dw, dv", "return dx, dw, dv.T"),
        ("updated-weights", "v after its step", "ds @ v.T", "ds @ (v - 0.1 * dv).T"),
        ("factor", "squares' doubled", "dv - v * (x", "dv - 2 * v * (x"),
        ("upstream", "dy ignored for the squares", "(x.T**2 @ dy)", "(x.T**2).sum(axis=1)"),
        ("batch", "dw is a mean", "np.dot(dy, x)", "np.dot(dy, x) / len(x)"),
        ("sign", "squares added", "ds @ v.T - g", "ds @ v.T + g"),
        ("swapped", "x and w in the linear term", "np.dot(dy, x)", "dy.sum() * w",
         "np.outer(dy, w)", "g * x"),
    )
)  # fmt: skip


def whitened_distance(x, centre, root):
    """Length of what root makes of each row's distance from the centre."""
    delta = x - centre
    z = delta @ root
    distance = np.linalg.norm(z, axis=1)

    def backward(ddistance):
        dz = np.zeros(z.shape)
        for i in range(len(z)):
            dz[i] = ddistance[i] * z[i] / distance[i]
        ddelta = dz @ root.T
        droot = delta.T @ dz
        return ddelta, -ddelta.sum(axis=0), droot

    return distance, backward


def _whitened_distance(rng):
    n, d = sizes(rng, 1)
    return normals(rng, (n, d), d, (d, d))


CASES.append(
    case(
        whitened_distance,
        _whitened_distance,
        ("transposed", "root not transposed", "dz @ root.T", "dz @ root"),
        ("transposed", "droot transposed", "delta.T @ dz", "dz.T @ delta"),
        ("not-summed", "centre's for each row", "-ddelta.sum(axis=0)", "-ddelta"),
        ("sign", "centre's sign", "-ddelta.sum", "ddelta.sum"),
        ("swapped", "x's and root's", "return ddelta, -ddelta.sum(axis=0), droot",
         "return droot, -ddelta.sum(axis=0), ddelta"),
        ("one-example", "centre's of the first row", "-ddelta.sum(axis=0)", "-ddelta[0]"),
        ("one-example", "distance of the first row", "/ distance[i]", "/ distance[0]"),
        ("batch", "centre's is a mean", "-ddelta.sum(axis=0)", "-ddelta.mean(axis=0)"),
        ("factor", "2 as of the square", "ddistance[i] * z", "2 * ddistance[i] * z"),
        ("integer", "dz of integers", "np.zeros(z.shape)", "np.zeros(z.shape, dtype=np.int64)"),
        ("detached", "centre as a constant", "-ddelta.sum(axis=0)", "np.zeros_like(centre)"),
        ("upstream", "ddistance ignored", "ddistance[i] * z", "z"),
        ("precision", "dz in single precision", "np.zeros(z.shape)", "np.zeros(z.shape, 'f4')"),
    )
)  # fmt: skip


def sinusoids(x, w, phase, v):
    """Sines and cosines of projections, side by side, weighted by v."""
    angle = np.tensordot(x, w, axes=1) + phase
    features = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
    y = features @ v

    def backward(dy):
        dv = np.matmul(dy, features)
        dfeatures = np.outer(dy, v)
        dsine, dcosine = np.split(dfeatures, 2, axis=1)
        dangle = dsine * np.cos(angle) - dcosine * np.sin(angle)
        dw = np.tensordot(x, dangle, axes=(0, 0))
        dphase = np.sum(dangle, axis=0)
        dx = np.tensordot(dangle, w, axes=(1, 1))
        return dx, dw, dphase, dv

    return y, backward


def _sinusoids(rng):
    n, d, h = sizes(rng, 2)
    return normals(rng, (n, d), (d, h), h, 2 * h)


CASES.append(
    case(
        sinusoids,
        _sinusoids,
        ("swapped", "sine's and cosine's halves", "dsine, dcosine =", "dcosine, dsine ="),
        ("swapped", "phase and weights", "dw, dphase, dv", "dphase, dw, dv"),
        ("activation-misplaced", "cosine of the sine", "dsine * np.cos(angle)",
         "dsine * np.cos(np.sin(angle))"),
        ("activation-misplaced", "both at their values",
         "dsine * np.cos(angle) - dcosine * np.sin(angle)",
         "dsine * np.cos(np.sin(angle)) - dcosine * np.sin(np.cos(angle))"),
        ("activation-missing", "sine and cosine left out",
         "dsine * np.cos(angle) - dcosine * np.sin(angle)", "dsine + dcosine"),
        ("sign", "cosine's sign", "np.cos(angle) - dcosine", "np.cos(angle) + dcosine"),
        ("overwritten", "cosine's over the sine's",
         "dangle = dsine * np.cos(angle) - dcosine * np.sin(angle)",
         "dangle = dsine * np.cos(angle)\n        dangle = -dcosine * np.sin(angle)"),
        ("updated-weights", "v after its step", "np.outer(dy, v)", "np.outer(dy, v - 0.1 * dv)"),
        ("updated-weights", "w after its step", "(dangle, w, axes", "(dangle, w - 0.1 * dw, axes"),
        ("wrong-axis", "phase's over the projections", "np.sum(dangle, axis=0)",
         "np.sum(dangle, axis=1)"),
        ("one-example", "dv of the first row", "np.matmul(dy, features)", "dy[0] * features[0]"),
        ("transposed", "dw transposed", "np.tensordot(x, dangle,", "np.tensordot(dangle, x,"),
        ("not-summed", "phase's keeps the batch", "np.sum(dangle, axis=0)", "dangle"),
        ("upstream", "dy ignored for v", "np.matmul(dy, features)", "features.sum(axis=0)"),
    )
)  # fmt: skip

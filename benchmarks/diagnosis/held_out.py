"""Further functions with a right backward pass and mistaken ones, written by other habits."""

import numpy as np

from benchmarks.diagnosis.cases import (
    case,
    ids_with_repeats,
    labels_of_all_sorts,
    mask_of_both,
    sizes,
)


def logistic(v):
    """1 / (1 + exp(-v))."""
    return np.divide(1, 1 + np.exp(-v))


def normalised(v, axis=-1):
    """Exponentials of v divided by their sum over the axis."""
    e = np.exp(v)
    return e / np.sum(e, axis=axis, keepdims=True)


def through_softmax(p, grad):
    """Gradient of the logits from the gradient of their softmax p, row by row."""
    return p * (grad - np.sum(p * grad, axis=-1, keepdims=True))


def matrix(rng, least=2):
    """Draw a small matrix of at least so many columns."""
    rows, columns = sizes(rng, 1)
    return rng.standard_normal((rows, max(columns, least)))


def draws(*shapes):
    """Make a draw of arrays whose shapes are spelled with n (batch), d, h and k."""

    def draw(rng):
        named = dict(zip("ndhk", sizes(rng, 3), strict=True))
        return tuple(rng.standard_normal([named[axis] for axis in shape]) for shape in shapes)

    return draw


# Of one array


def softplus(x):
    """log(1 + exp(x))."""
    y = np.log1p(np.exp(x))
    return y, lambda g: g * logistic(x)


SOFTPLUS = case(
    softplus,
    lambda rng: (2 * matrix(rng),),
    ("activation-misplaced", "at the output", "logistic(x)", "logistic(y)"),
    ("activation-missing", "derivative of 1", "g * logistic(x)", "g * 1.0"),
    ("upstream", "g ignored", "g * logistic(x)", "logistic(x)"),
    ("integer", "derivative rounded", "logistic(x)", "np.rint(logistic(x))"),
    ("precision", "in half precision", "logistic(x)", "logistic(np.float16(x))"),
    ("sign", "negated", "g * logistic(x)", "-g * logistic(x)"),
)


def gelu(x):
    """Gaussian error linear unit by its tanh formula."""
    c = np.sqrt(2 / np.pi)
    t = np.tanh(c * (x + 0.044715 * np.power(x, 3)))

    def grad(g):
        slope = c * (1 + 3 * 0.044715 * np.square(x))
        through_t = 0.5 * x * (1 - np.square(t)) * slope
        return np.multiply(g, 0.5 * (1 + t) + through_t)

    return 0.5 * x * (1 + t), grad


GELU = case(
    gelu,
    lambda rng: (matrix(rng),),
    ("detached", "t a constant", "0.5 * (1 + t) + through_t)", "0.5 * (1 + t))"),
    ("detached", "x a constant", "0.5 * (1 + t) + through_t)", "through_t)"),
    ("activation-missing", "tanh's derivative", "x * (1 - np.square(t)) * slope", "x * slope"),
    ("activation-misplaced", "tanh of t", "np.square(t)", "np.square(np.tanh(t))"),
    ("precision", "single precision", "np.multiply(g", "np.multiply(g.astype(np.float32)"),
    ("upstream", "g ignored", "np.multiply(g", "np.multiply(1"),
    ("factor", "half counted twice", "through_t = 0.5 * x", "through_t = 0.25 * x"),
)  # fmt: skip


def cube(x):
    """x**3."""
    return x**3, lambda g: g * 3 * x**2


CUBE = case(
    cube,
    lambda rng: (matrix(rng) * 1.5,),
    ("factor", "exponent not brought down", "g * 3 * x**2", "g * x**2"),
    ("sign", "negated", "g * 3", "-g * 3"),
    ("integer", "x cast to int", "* x**2", "* x.astype(int)**2"),
    ("precision", "difference quotient", "3 * x**2", "((x + 1e-4)**3 - x**3) / 1e-4"),
    ("upstream", "g ignored", "g * 3", "3"),
)  # fmt: skip


def bump(x):
    """x * exp(-x**2), element by element."""
    e = np.exp(-(x**2))
    y = x * e

    def grad(g):
        direct = g * e
        through_e = g * x * e * (-2 * x)
        return direct + through_e

    return y, grad


BUMP = case(
    bump,
    lambda rng: (rng.uniform(0.4, 1.2, int(rng.integers(3, 7))) * rng.choice([-1, 1]),),
    ("detached", "exponential a constant", "direct + through_e", "direct"),
    ("detached", "factor x a constant", "direct + through_e", "through_e"),
    ("factor", "2 of the square", "(-2 * x)", "(-x)"),
    ("sign", "minus of the exponent", "(-2 * x)", "(2 * x)"),
    ("activation-missing", "exp's derivative", "x * e * (-2 * x)", "x * (-2 * x)"),
    ("activation-misplaced", "exp at the product", "x * e *", "x * np.exp(-(y**2)) *"),
    ("precision", "e in half precision", "direct = g * e", "direct = g * np.float16(e)"),
    ("upstream", "g ignored", "direct = g * e", "direct = e", "through_e = g * x", "through_e = x"),
)  # fmt: skip


def variance(table):
    """Variance of each column."""
    n = table.shape[0]
    mean = np.mean(table, axis=0)

    def grad(g):
        return np.broadcast_to(g, table.shape) * 2 * (table - mean) / n

    return np.var(table, axis=0), grad


VARIANCE = case(
    variance,
    lambda rng: (3 * matrix(rng) + 1,),
    ("factor", "2 of the square", "* 2 *", "*"),
    ("batch", "not over n", "(table - mean) / n", "(table - mean)"),
    ("batch", "over n twice", "(table - mean) / n", "(table - mean) / n**2"),
    ("wrong-axis", "mean of each row", "(table - mean)",
     "(table - np.mean(table, axis=1, keepdims=True))"),
    ("sign", "mean minus value", "(table - mean)", "(mean - table)"),
    ("upstream", "g ignored", "np.broadcast_to(g, table.shape) *", "1.0 *"),
    ("integer", "floor division", "(table - mean) / n", "(table - mean) // n"),
)  # fmt: skip


def standardise(table):
    """Each column less its mean, over its deviation."""
    deviation = np.std(table, axis=0)
    scaled = (table - np.mean(table, axis=0)) / deviation

    def grad(g):
        result = np.empty_like(table)
        for j in range(table.shape[1]):
            s, u = scaled[:, j], g[:, j]
            centred = u - np.mean(u)
            result[:, j] = (centred - s * np.mean(u * s)) / deviation[j]
        return result

    return scaled, grad


STANDARDISE = case(
    standardise,
    lambda rng: (2 * rng.standard_normal((int(rng.integers(4, 7)), 3)) + 1,),
    ("statistics", "mean constant", "u - np.mean(u)", "u"),
    ("statistics", "deviation constant", "(centred - s * np.mean(u * s))", "centred"),
    ("statistics", "both constant", "(centred - s * np.mean(u * s))", "u"),
    ("integer", "result of ints", "np.empty_like(table)", "np.empty(table.shape, int)"),
    ("sign", "negated", "return result", "return -result"),
    ("precision", "kept in half precision", "np.empty_like(table)",
     "np.empty(table.shape, np.float16)"),
    ("wrong-axis", "mean over the row", "u - np.mean(u)", "u - np.mean(g, axis=1)"),
)  # fmt: skip


def instance_norm(signals):
    """Each channel of each example normalised over time; signals are (batch, channel, time)."""
    centred = signals - np.mean(signals, axis=2)[:, :, None]
    scale = 1 / np.sqrt(np.mean(np.square(centred), axis=2)[:, :, None] + 0.01)
    out = centred * scale

    def grad(g):
        average = np.mean(g, axis=2)[:, :, None]
        along = np.einsum("nct,nct->nc", g, out)[:, :, None] / g.shape[2]
        return scale * (g - average - out * along)

    return out, grad


INSTANCE_NORM = case(
    instance_norm,
    lambda rng: (rng.standard_normal((int(rng.integers(3, 5)), 2, int(rng.integers(5, 7)))),),
    ("statistics", "mean constant", "(g - average - out", "(g - out"),
    ("statistics", "variance constant", "average - out * along", "average"),
    ("statistics", "both constant", "(g - average - out * along)", "g"),
    ("wrong-axis", "as batch norm's mean", "np.mean(g, axis=2)[:, :, None]",
     "np.mean(g, axis=(0, 2))[None, :, None]"),
    ("wrong-axis", "mean over channels", "np.mean(g, axis=2)[:, :, None]",
     "np.mean(g, axis=1)[:, None, :]"),
    ("precision", "single precision", "scale * (g -", "np.float32(scale) * np.float32(g -"),
)  # fmt: skip


def unit_rows(v):
    """Rows divided by their length."""
    length = np.sqrt(np.sum(np.square(v), axis=1))
    u = v / length[:, np.newaxis]

    def grad(g):
        rows = []
        for gi, ui, li in zip(g, u, length, strict=True):
            rows.append((gi - ui * np.dot(ui, gi)) / li)
        return np.stack(rows)

    return u, grad


UNIT_ROWS = case(
    unit_rows,
    lambda rng: (matrix(rng, least=3),),
    ("statistics", "length a constant", "(gi - ui * np.dot(ui, gi))", "gi"),
    ("sign", "projection added", "gi - ui * np.dot", "gi + ui * np.dot"),
    ("integer", "floor division", ") / li", ") // li"),
    ("upstream", "g ignored", "in zip(g, u", "in zip(np.ones_like(g), u"),
    ("precision", "half precision", "np.stack(rows)", "np.stack(rows).astype(np.float16)"),
    ("wrong-axis", "projection over the batch", "np.dot(ui, gi)", "np.sum(u * g, axis=0)"),
)  # fmt: skip


def log_sum_exp(x):
    """Logarithm of the sum of each row's exponentials."""
    top = np.max(x, axis=1)
    y = top + np.log(np.sum(np.exp(x - top[:, None]), axis=1))
    return y, lambda g: np.expand_dims(g, 1) * normalised(x)


LOG_SUM_EXP = case(
    log_sum_exp,
    lambda rng: (1.5 * matrix(rng, least=3),),
    ("softmax-twice", "softmax of the softmax", "normalised(x)", "normalised(normalised(x))"),
    ("wrong-axis", "softmax over rows", "normalised(x)", "normalised(x, axis=0)"),
    ("batch", "over the batch size", "* normalised(x)", "* normalised(x) / len(x)"),
    ("sign", "negated", "* normalised(x)", "* -normalised(x)"),
    ("integer", "hard maximum by rounding", "normalised(x)", "normalised(x).round()"),
    ("upstream", "g ignored", "np.expand_dims(g, 1) *", "1.0 *"),
)


def running_total(x):
    """Sums of each row's beginnings."""

    def grad(g):
        out = np.zeros_like(x)
        total = np.zeros(len(x))
        for t in range(x.shape[1] - 1, -1, -1):
            total = total + g[:, t]
            out[:, t] = total
        return out

    return np.cumsum(x, axis=1), grad


RUNNING_TOTAL = case(
    running_total,
    lambda rng: (matrix(rng, least=3),),
    ("overwritten", "= for +=", "total = total + g[:, t]", "total = g[:, t]"),
    ("wrong-axis", "down the columns", "return out", "return np.cumsum(g[::-1], axis=0)[::-1]"),
    ("upstream", "g ignored", "g[:, t]", "1"),
    ("sign", "subtracted", "total + g", "total - g"),
    ("integer", "total of ints", "np.zeros_like(x)", "np.zeros(x.shape, dtype=int)"),
    ("precision", "half precision", "np.zeros_like(x)", "np.zeros(x.shape, dtype='f2')"),
)


def geometric_mean(x):
    """Geometric mean of each row of positive numbers."""
    y = np.exp(np.mean(np.log(x), axis=1))

    def grad(g):
        through_exp = g * y
        return np.expand_dims(through_exp, axis=1) / x / x.shape[1]

    return y, grad


GEOMETRIC_MEAN = case(
    geometric_mean,
    lambda rng: (np.exp(0.7 * matrix(rng)),),
    ("activation-missing", "exp left out", "g * y", "g * 1.0"),
    ("activation-misplaced", "exp of the output", "g * y", "g * np.exp(y)"),
    ("integer", "floor division", ") / x /", ") // x /"),
    ("precision", "single precision", "g * y", "(g * y).astype('f4')"),
    ("sign", "negated", "through_exp = g", "through_exp = -g"),
    ("upstream", "g ignored", "g * y", "y"),
)


# Of several arrays


def leaky_layer(weights, bias, inputs):
    """Dense layer whose negative values are divided by five."""
    pre = np.einsum("nd,dh->nh", inputs, weights) + bias[None, :]
    slope = np.where(pre > 0, 1.0, 0.2)

    def grad(upstream):
        delta = slope * upstream
        grad_weights = np.einsum("nd,nh->dh", inputs, delta)
        grad_bias = np.einsum("nh->h", delta)
        grad_inputs = np.einsum("nh,dh->nd", delta, weights)
        return grad_weights, grad_bias, grad_inputs

    return np.multiply(slope, pre), grad


def _leaky_layer(rng):
    while True:
        weights, bias, inputs = draws("dh", "h", "nd")(rng)
        if 0.3 < np.mean(inputs @ weights + bias > 0) < 0.7:
            return weights, bias, inputs


LEAKY_LAYER = case(
    leaky_layer,
    _leaky_layer,
    ("activation-missing", "slope left out", "slope * upstream", "np.copy(upstream)"),
    ("integer", "slope cast to int", "slope * upstream", "slope.astype(int) * upstream"),
    ("transposed", "axes in the wrong order", "nd,nh->dh", "nd,nh->hd"),
    ("not-summed", "bias by example", 'np.einsum("nh->h", delta)', "delta"),
    ("one-example", "weights by row 0", "inputs, delta)", "inputs[:1], delta[:1])"),
    ("swapped", "in the order of the formula", "grad_weights, grad_bias, grad_inputs",
     "grad_inputs, grad_weights, grad_bias"),
    ("detached", "inputs' zero", 'np.einsum("nh,dh->nd", delta, weights)',
     "np.zeros(inputs.shape)"),
    ("upstream", "bias counts its ones", 'np.einsum("nh->h", delta)', "np.sum(slope, axis=0)"),
)  # fmt: skip


def ratio(x, divisor):
    """Columns divided, each by its own number, which is (1, d)."""

    def grad(g):
        gx = g / divisor
        gd = np.sum(-g * x / np.square(divisor), axis=0, keepdims=True)
        return gx, gd

    return x / divisor, grad


def _ratio(rng):
    x = matrix(rng)
    return x, rng.uniform(1.2, 2.5, (1, x.shape[1])) * rng.choice([-1, 1])


RATIO = case(
    ratio,
    _ratio,
    ("not-summed", "divisor by example",
     "np.sum(-g * x / np.square(divisor), axis=0, keepdims=True)",
     "-g * x / np.square(divisor)"),
    ("wrong-axis", "summed over the columns", "axis=0", "axis=1"),
    ("sign", "of the quotient rule", "np.sum(-g", "np.sum(g"),
    ("integer", "floor division", "g / divisor", "g // divisor"),
    ("detached", "divisor a constant", "return gx, gd", "return gx, np.zeros_like(divisor)"),
    ("one-example", "last row", "np.sum(-g * x", "np.sum((-g * x)[-1:]"),
    ("upstream", "g ignored for the divisor", "np.sum(-g * x", "np.sum(-x"),
    ("factor", "2 as if squared", "np.sum(-g", "np.sum(-2 * g"),
)  # fmt: skip


def channel_scale(x, scale):
    """Channels multiplied; x is (batch, channel, time), scale is (channel,)."""
    wide = scale.reshape(1, -1, 1)

    def grad(g):
        by_channel = np.swapaxes(g * x, 0, 1).reshape(len(scale), -1)
        return g * wide, np.sum(by_channel, axis=1)

    return x * wide, grad


CHANNEL_SCALE = case(
    channel_scale,
    draws("ndh", "d"),
    ("not-summed", "time only", "np.sum(by_channel, axis=1)", "np.sum(g * x, axis=2)"),
    ("batch", "mean over the batch", "np.sum(by_channel, axis=1)",
     "np.sum(by_channel / len(x), axis=1)"),
    ("one-example", "first example", "np.sum(by_channel, axis=1)", "np.sum(g[0] * x[0], axis=1)"),
    ("detached", "scale a constant", "np.sum(by_channel, axis=1)",
     "np.sum(0 * by_channel, axis=1)"),
    ("upstream", "g ignored", "return g * wide", "return np.ones_like(g) * wide"),
    ("integer", "scale's truncated", "return g * wide", "return g * wide.astype(int)"),
)  # fmt: skip


def outer_product(u, v):
    """Table of all products of the elements of two vectors as long as each other."""

    def grad(g):
        du = np.dot(g, v)
        dv = np.dot(g.T, u)
        return du, dv

    return np.outer(u, v), grad


def _outer_product(rng):
    n = int(rng.integers(3, 6))
    return rng.standard_normal(n), rng.standard_normal(n)


OUTER_PRODUCT = case(
    outer_product,
    _outer_product,
    ("transposed", "g not transposed", "np.dot(g.T, u)", "np.dot(g, u)"),
    ("swapped", "returned v first", "return du, dv", "return dv, du"),
    ("swapped", "each with its own vector", "np.dot(g, v)", "np.dot(g, u)",
     "np.dot(g.T, u)", "np.dot(g.T, v)"),
    ("not-summed", "products only", "np.dot(g, v)", "g * v"),
    ("detached", "v a constant", "np.dot(g.T, u)", "np.zeros_like(v)"),
    ("upstream", "g of ones", "du = np.dot(g, v)", "du = np.dot(np.ones_like(g), v)"),
    ("precision", "single precision", "np.dot(g, v)", "np.dot(np.float32(g), np.float32(v))"),
)  # fmt: skip


def matrix_chain(a, b, c):
    """Product of three square matrices."""
    ab = np.matmul(a, b)

    def grad(g):
        gab = np.matmul(g, c.T)
        gc = np.matmul(ab.T, g)
        ga = np.matmul(gab, b.T)
        gb = np.matmul(a.T, gab)
        return ga, gb, gc

    return np.matmul(ab, c), grad


def _matrix_chain(rng):
    n = int(rng.integers(3, 6))
    return tuple(rng.standard_normal((3, n, n)))


MATRIX_CHAIN = case(
    matrix_chain,
    _matrix_chain,
    ("transposed", "c as it is", "np.matmul(g, c.T)", "np.matmul(g, c)"),
    ("transposed", "gb the other way round", "np.matmul(a.T, gab)", "np.matmul(gab.T, a)"),
    ("transposed", "ab as it is", "np.matmul(ab.T, g)", "np.matmul(ab, g)"),
    ("swapped", "in the order computed", "return ga, gb, gc", "return gc, ga, gb"),
    ("updated-weights", "c moved first",
     "        gab = np.matmul(g, c.T)\n        gc = np.matmul(ab.T, g)\n",
     "        gc = np.matmul(ab.T, g)\n        gab = np.matmul(g, (c - 0.02 * gc).T)\n"),
    ("detached", "a a constant", "np.matmul(gab, b.T)", "a * 0"),
    ("sign", "gc negated", "gc = np.matmul(ab.T, g)", "gc = -np.matmul(ab.T, g)"),
    ("factor", "gb doubled", "np.matmul(a.T, gab)", "np.matmul(2 * a.T, gab)"),
)  # fmt: skip


def bilinear(a, m, b):
    """a' M b for each pair of rows."""
    y = np.einsum("nd,de,ne->n", a, m, b)

    def grad(g):
        grad_a = np.einsum("n,de,ne->nd", g, m, b)
        grad_m = np.einsum("n,nd,ne->de", g, a, b)
        grad_b = np.einsum("n,nd,de->ne", g, a, m)
        return grad_a, grad_m, grad_b

    return y, grad


BILINEAR = case(
    bilinear,
    draws("nd", "dd", "nd"),
    ("transposed", "m for a", "n,de,ne->nd", "n,ed,ne->nd"),
    ("transposed", "m's gradient", "nd,ne->de", "nd,ne->ed"),
    ("swapped", "a and b returned", "return grad_a, grad_m, grad_b",
     "return grad_b, grad_m, grad_a"),
    ("not-summed", "m by example", "n,nd,ne->de", "n,nd,ne->nde"),
    ("one-example", "m by the last pair", '"n,nd,ne->de", g, a, b',
     '"n,nd,ne->de", g[-1:], a[-1:], b[-1:]'),
    ("batch", "m's over the pairs", 'np.einsum("n,nd,ne->de", g',
     'np.einsum("n,nd,ne->de", g / len(g)'),
    ("detached", "b a constant", 'np.einsum("n,nd,de->ne", g', 'np.einsum("n,nd,de->ne", 0 * g'),
    ("upstream", "g left out of b's", '"n,nd,de->ne", g, a', '"nd,de->ne", a'),
    ("sign", "b's negated", 'grad_b = np', 'grad_b = -np'),
)  # fmt: skip


def weighted_average(values, weights):
    """Average of the rows of values by positive weights."""
    total = np.sum(weights)
    average = np.dot(weights, values) / total

    def grad(g):
        grad_values = np.outer(weights, g) / total
        grad_weights = np.dot(values - average, g) / total
        return grad_values, grad_weights

    return average, grad


def _weighted_average(rng):
    values = matrix(rng)
    return values + 1, rng.uniform(0.5, 2, len(values))


WEIGHTED_AVERAGE = case(
    weighted_average,
    _weighted_average,
    ("statistics", "total a constant", "np.dot(values - average, g)", "np.dot(values, g)"),
    ("sign", "weights'", "values - average", "average - values"),
    ("integer", "floor division", "np.outer(weights, g) / total", "np.outer(weights, g) // total"),
    ("detached", "weights constant", "np.dot(values - average, g) / total",
     "np.zeros(len(weights))"),
    ("not-summed", "weights by column", "np.dot(values - average, g)", "((values - average) * g)"),
    ("upstream", "g ignored for values", "np.outer(weights, g)", "np.outer(weights, g * 0 + 1)"),
)  # fmt: skip


def mahalanobis(x, centre, s):
    """(x - centre)' S (x - centre) for each row, S any square matrix."""
    d = x - centre
    y = np.sum(np.dot(d, s) * d, axis=1)

    def grad(g):
        gd = np.expand_dims(g, 1) * np.dot(d, s + s.T)
        gs = np.zeros_like(s)
        for gi, di in zip(g, d, strict=True):
            gs += gi * np.outer(di, di)
        return gd, -np.sum(gd, axis=0), gs

    return y, grad


MAHALANOBIS = case(
    mahalanobis,
    draws("nd", "d", "dd"),
    ("transposed", "S for its transpose", "s + s.T", "s + s"),
    ("sign", "centre's", "-np.sum(gd, axis=0)", "np.sum(gd, axis=0)"),
    ("not-summed", "centre by example", "-np.sum(gd, axis=0)", "-gd"),
    ("one-example", "S by the last row", "gs += gi", "gs = gi"),
    ("factor", "2 although both are there", "np.dot(d, s + s.T)", "2 * np.dot(d, s + s.T)"),
    ("batch", "S's over the batch", "gs += gi *", "gs += gi / len(x) *"),
    ("detached", "no gradient for the centre", "-np.sum(gd, axis=0)", "np.zeros_like(centre)"),
    ("swapped", "S before the centre", "return gd, -np.sum(gd, axis=0), gs",
     "return gd, gs, -np.sum(gd, axis=0)"),
)  # fmt: skip


def fourier_features(x, frequencies):
    """Sines and then cosines of the products with the frequencies."""
    angle = np.dot(x, frequencies)
    sin, cos = np.sin(angle), np.cos(angle)
    k = frequencies.shape[1]

    def grad(g):
        g_angle = g[:, :k] * cos
        g_angle -= g[:, k:] * sin
        return np.dot(g_angle, frequencies.T), np.dot(x.T, g_angle)

    return np.concatenate([sin, cos], axis=1), grad


FOURIER_FEATURES = case(
    fourier_features,
    draws("nd", "dh"),
    ("sign", "cosine's derivative", "g_angle -= g", "g_angle += g"),
    ("overwritten", "cosine's over the sine's", "g_angle -= g[:, k:]", "g_angle = -g[:, k:]"),
    ("activation-misplaced", "cosine at the sine", "g[:, :k] * cos", "g[:, :k] * np.cos(sin)"),
    ("activation-missing", "sine passed on", "g[:, :k] * cos", "g[:, :k] * 1"),
    ("swapped", "halves of g", "g[:, :k] * cos", "g[:, k:] * cos", "g[:, k:] * sin",
     "g[:, :k] * sin"),
    ("batch", "mean over the rows", "np.dot(x.T, g_angle)", "np.dot(x.T, g_angle) / len(x)"),
    ("one-example", "row 0", "np.dot(x.T, g_angle)", "np.outer(x[0], g_angle[0])"),
    ("detached", "frequencies fixed", "np.dot(x.T, g_angle)", "np.zeros_like(frequencies)"),
)  # fmt: skip


def two_branches(x, a, b):
    """A tanh branch and a linear one, side by side."""
    left = np.tanh(np.dot(x, a))
    right = np.dot(x, b)
    split = a.shape[1]

    def grad(g):
        g_left, g_right = np.split(g, [split], axis=1)
        g_left = g_left * (1 - left**2)
        gx = np.dot(g_left, np.transpose(a))
        gx = gx + np.dot(g_right, np.transpose(b))
        return gx, np.dot(np.transpose(x), g_left), np.dot(np.transpose(x), g_right)

    return np.hstack([left, right]), grad


TWO_BRANCHES = case(
    two_branches,
    draws("nd", "dh", "dh"),
    ("overwritten", "one branch over the other", "gx = gx + np.dot", "gx = np.dot"),
    ("swapped", "halves of g", "g_left, g_right = np", "g_right, g_left = np"),
    ("activation-missing", "tanh", "g_left * (1 - left**2)", "g_left"),
    ("activation-misplaced", "at the other branch", "1 - left**2", "1 - np.tanh(right) ** 2"),
    ("detached", "right branch's weights", "np.dot(np.transpose(x), g_right)", "np.zeros(b.shape)"),
    ("integer", "derivative rounded", "(1 - left**2)", "np.round(1 - left**2)"),
    ("precision", "left in half precision", "left**2", "left.astype(np.float16) ** 2"),
    ("one-example", "a by the first row", "np.dot(np.transpose(x), g_left)",
     "np.outer(x[0], g_left[0])"),
)  # fmt: skip


def clipped_product(x, gain):
    """x times gain, kept between -1 and 1."""
    raw = x * gain
    inside = np.abs(raw) < 1

    def grad(g):
        g_raw = np.zeros_like(raw)
        g_raw[inside] = g[inside]
        return g_raw * gain, np.sum(g_raw * x, axis=0)

    return np.clip(raw, -1, 1), grad


def _clipped_product(rng):
    while True:
        x = matrix(rng)
        gain = rng.uniform(1, 2.5, x.shape[1])
        inside, other = np.abs(x * gain) < 1, np.abs(x) < 1
        if 0.3 < inside.mean() < 0.7 and (inside != other).any():
            return x, gain


CLIPPED_PRODUCT = case(
    clipped_product,
    _clipped_product,
    ("activation-missing", "clip left out", "g_raw[inside] = g[inside]", "g_raw[:] = g"),
    ("activation-misplaced", "inside by x", "g_raw[inside] = g[inside]",
     "g_raw[np.abs(x) < 1] = g[np.abs(x) < 1]"),
    ("activation-missing", "mask of ones from the output", "g_raw[inside] = g[inside]",
     "g_raw[...] = g * (np.abs(np.clip(raw, -1, 1)) <= 1)"),
    ("not-summed", "gain by example", "np.sum(g_raw * x, axis=0)", "g_raw * x"),
    ("integer", "g_raw of ints", "np.zeros_like(raw)", "np.zeros_like(raw, dtype=int)"),
    ("upstream", "g ignored", "= g[inside]", "= 1"),
    ("swapped", "each with its own factor", "g_raw * gain, np.sum(g_raw * x, axis=0)",
     "g_raw * x, np.sum(g_raw * gain, axis=0)"),
)  # fmt: skip


# Losses


def soft_cross_entropy(logits, targets):
    """Mean cross-entropy of the softmax of logits with target distributions."""
    n = logits.shape[0]
    log_p = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    p = np.exp(log_p)

    def grad(g):
        return g * np.subtract(p, targets) / n, -g * log_p / n

    return -np.sum(targets * log_p) / n, grad


def _soft_cross_entropy(rng):
    logits = 1.5 * matrix(rng, least=3)
    return logits, rng.dirichlet(np.ones(logits.shape[1]), len(logits))


SOFT_CROSS_ENTROPY = case(
    soft_cross_entropy,
    _soft_cross_entropy,
    ("one-hot-missing", "p for p - t", "np.subtract(p, targets)", "p"),
    ("softmax-twice", "of p", "subtract(p, targets)", "subtract(normalised(p), targets)"),
    ("sign", "t - p", "subtract(p, targets)", "subtract(targets, p)"),
    ("swapped", "targets first", "g * np.subtract(p, targets) / n, -g * log_p / n",
     "-g * log_p / n, g * np.subtract(p, targets) / n"),
    ("batch", "sum for mean", "targets) / n, -g", "targets), -g"),
    ("detached", "targets constant", "-g * log_p / n", "0 * targets"),
    ("wrong-axis", "softmax of columns", "np.subtract(p,", "np.subtract(normalised(logits, 0),"),
    ("upstream", "g ignored", "return g * np", "return np"),
)  # fmt: skip


def binary_cross_entropy(z, y):
    """Mean cross-entropy of logits with labels of 0 and 1."""
    loss = np.mean(np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0) - z * y)

    def grad(g):
        p = np.where(z > 0, 1 / (1 + np.exp(-z)), np.exp(z) / (1 + np.exp(z)))
        return g * (p - y) / z.size

    return loss, grad


def _binary_cross_entropy(rng):
    n = int(rng.integers(4, 8))
    return 2 * rng.standard_normal(n), labels_of_all_sorts(rng, n, 2)


BINARY_CROSS_ENTROPY = case(
    binary_cross_entropy,
    _binary_cross_entropy,
    ("one-hot-missing", "p for p - y", "(p - y)", "p"),
    ("batch", "sum for mean", "(p - y) / z.size", "(p - y)"),
    ("batch", "mean twice", "/ z.size", "/ z.size / len(z)"),
    ("sign", "y - p", "(p - y)", "(y - p)"),
    ("integer", "floor division", "(p - y) / z.size", "(p - y) // z.size"),
    ("upstream", "g ignored", "g * (p", "1 * (p"),
    ("precision", "half precision", "(p - y) /", "np.float16(p - y) /"),
    ("factor", "doubled", "g * (p", "2 * g * (p"),
)


def elastic_net(x, y, w):
    """Summed logistic loss of labels 0 and 1 with penalties on |w| and w**2; no mean."""
    p = logistic(np.dot(x, w))
    loss = -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))
    loss = loss + 0.3 * np.sum(np.abs(w)) + 0.2 * np.sum(np.square(w))

    def grad(g):
        gz = p - y
        penalty = 0.3 * np.sign(w) + 0.4 * w
        gw = np.einsum("n,nd->d", gz, x) + penalty
        return g * np.einsum("n,d->nd", gz, w), g * gw

    return loss, grad


def _elastic_net(rng):
    x = matrix(rng)
    return x, labels_of_all_sorts(rng, len(x), 2), rng.standard_normal(x.shape[1])


ELASTIC_NET = case(
    elastic_net,
    _elastic_net,
    ("regulariser", "both forgotten", ", x) + penalty", ", x)"),
    ("regulariser", "|w| forgotten", "0.3 * np.sign(w) + 0.4 * w", "0.4 * w"),
    ("regulariser", "2 of the square", "0.4 * w", "0.2 * w"),
    ("regulariser", "added twice", "+ penalty", "+ 2 * penalty"),
    ("one-hot-missing", "p for p - y", "gz = p - y", "gz = p"),
    ("batch", "mean although the loss sums", "gz = p - y", "gz = (p - y) / len(y)"),
    ("one-example", "last example only", '"n,nd->d", gz, x', '"n,nd->d", gz[-1:], x[-1:]'),
    ("not-summed", "w by example", '"n,nd->d"', '"n,nd->nd"'),
    ("updated-weights", "w after a step", "gz, w), g", "gz, w - 0.1 * gw), g"),
)


def support_vectors(x, side, w, b):
    """Mean hinge loss, side being -1 or 1, and a quarter of the squared weights."""
    n = len(side)
    short = 1 - side * (np.dot(x, w) + b)
    loss = np.sum(np.maximum(0, short)) / n + 0.25 * np.dot(w, w)

    def grad(g):
        active = np.where(short > 0, 1, 0)
        gs = -g * (active * side) / n
        gw = np.dot(gs, x) + g * 0.5 * w
        return gs[:, None] * w, gw, np.sum(gs)

    return loss, grad


def _support_vectors(rng):
    while True:
        x = matrix(rng)
        side = 2 * labels_of_all_sorts(rng, len(x), 2) - 1
        w, b = rng.standard_normal(x.shape[1]), rng.standard_normal()
        active = side * (x @ w + b) < 1
        if 1 < active.sum() < len(x) and abs(np.sum(side[active])) > 0 and abs(side @ active) > 0:
            return x, side, w, b


SUPPORT_VECTORS = case(
    support_vectors,
    _support_vectors,
    ("regulariser", "forgotten", " + g * 0.5 * w", ""),
    ("regulariser", "2 of the square", "g * 0.5 * w", "g * 0.25 * w"),
    ("activation-missing", "all taken for active", "(active * side)", "side"),
    ("integer", "ints floor-divided", "-g * (active * side) / n", "-g * (active * side // n)"),
    ("sign", "minus forgotten", "gs = -g", "gs = g"),
    ("batch", "sum for mean", "(active * side) / n", "(active * side)"),
    ("not-summed", "b by example", "np.sum(gs)\n", "gs\n"),
    ("detached", "x a constant", "return gs[:, None] * w", "return np.zeros_like(x)"),
)


def huber(prediction, target):
    """Mean over examples of the square near zero and the line beyond, as Huber's."""
    r = prediction - target
    small = np.abs(r) <= 1
    loss = np.mean(np.where(small, 0.5 * r**2, np.abs(r) - 0.5))

    def grad(g):
        dr = np.where(small, r, np.sign(r)) * g / len(r)
        return dr, -dr

    return loss, grad


def _huber(rng):
    while True:
        prediction, target = 1.5 * rng.standard_normal((2, int(rng.integers(4, 8))))
        if 0.3 < np.mean(np.abs(prediction - target) < 1) < 0.7:
            return prediction, target


HUBER = case(
    huber,
    _huber,
    ("sign", "target minus prediction", "np.where(small, r, np.sign(r))",
     "np.where(small, -r, np.sign(-r))"),
    ("sign", "same for both", "return dr, -dr", "return dr, dr"),
    ("batch", "sum for mean", "* g / len(r)", "* g"),
    ("integer", "r cast to int", "(small, r, np", "(small, r.astype(int), np"),
    ("detached", "target a constant", "return dr, -dr", "return dr, np.zeros_like(dr)"),
    ("upstream", "g ignored", ") * g / len", ") / len"),
    ("factor", "2 although halved", "np.where(small, r, np.sign(r))",
     "2 * np.where(small, r, np.sign(r))"),
    ("precision", "single precision", "return dr, -dr", "return dr.astype('f4'), -dr.astype('f4')"),
)  # fmt: skip


def gaussian_divergence(mu, log_var):
    """Divergence of Gaussians from the standard one, averaged over the batch."""
    n = mu.shape[0]
    var = np.exp(log_var)
    loss = 0.5 * np.sum(var + np.square(mu) - 1 - log_var) / n

    def grad(g):
        g_mu = g * mu / n
        g_log_var = g * 0.5 * (var - 1) / n
        return g_mu, g_log_var

    return loss, grad


GAUSSIAN_DIVERGENCE = case(
    gaussian_divergence,
    draws("nd", "nd"),
    ("factor", "half forgotten", "g * 0.5 * (var", "g * (var"),
    ("factor", "half counted though the square has its 2", "g * mu / n", "g * 0.5 * mu / n"),
    ("batch", "sum for mean", "g * mu / n", "g * mu"),
    ("swapped", "the other order", "return g_mu, g_log_var", "return g_log_var, g_mu"),
    ("sign", "1 - var", "(var - 1)", "(1 - var)"),
    ("activation-misplaced", "exp of exp", "(var - 1)", "(np.exp(var) - 1)"),
    ("detached", "the - log_var term left out", "(var - 1)", "var"),
    ("upstream", "g ignored for mu", "g * mu / n", "mu / n"),
)  # fmt: skip


def triplet(anchor, near, far):
    """Mean of how much further near is than far, plus 1, where positive."""
    to_near = anchor - near
    to_far = anchor - far
    excess = 1 + np.sum(to_near**2, axis=1) - np.sum(to_far**2, axis=1)
    active = excess > 0

    def grad(g):
        weight = np.expand_dims(active * g / len(anchor), axis=1)
        g_near = -2 * weight * to_near
        g_far = 2 * weight * to_far
        return -g_near - g_far, g_near, g_far

    return np.mean(np.maximum(excess, 0)), grad


def _triplet(rng):
    while True:
        anchor, near, far = draws("nd", "nd", "nd")(rng)
        excess = 1 + ((anchor - near) ** 2).sum(1) - ((anchor - far) ** 2).sum(1)
        if 0.3 < np.mean(excess > 0) < 0.8:
            return anchor, near, far


TRIPLET = case(
    triplet,
    _triplet,
    ("activation-missing", "all active", "active * g", "np.ones(len(anchor)) * g"),
    ("swapped", "near and far", "g_near, g_far\n", "g_far, g_near\n"),
    ("sign", "far's", "g_far = 2", "g_far = -2", "-g_near - g_far,", "-g_near + g_far,"),
    ("factor", "2 of the squares", "-2 * weight", "-weight", "= 2 * weight", "= weight"),
    ("detached", "anchor a constant", "return -g_near - g_far", "return np.zeros_like(anchor)"),
    ("overwritten", "far's over near's", "return -g_near - g_far", "return -g_far"),
    ("batch", "sum for mean", "active * g / len(anchor)", "active * g"),
    ("integer", "difference truncated", "weight * to_far", "weight * to_far.astype(int)"),
)  # fmt: skip


def contrastive(left, right, same, w):
    """Squared distance of codes where same is 1, its shortfall from 2 elsewhere; a mean."""
    a, b = np.tanh(np.dot(left, w)), np.tanh(np.dot(right, w))
    apart = a - b
    squared = np.sum(apart * apart, axis=1)
    loss = np.mean(np.where(same == 1, squared, np.maximum(2 - squared, 0)))

    def grad(g):
        pull = np.where(same == 1, 1, np.where(squared < 2, -1, 0)) * g / len(same)
        ga = 2 * pull[:, None] * apart
        gb = -ga
        ga = ga * (1 - a * a)
        gb = gb * (1 - b * b)
        gw = np.zeros_like(w)
        for rows, codes in ((left, ga), (right, gb)):
            gw += np.dot(rows.T, codes)
        return np.dot(ga, w.T), np.dot(gb, w.T), gw

    return loss, grad


def _contrastive(rng):
    left, right, w = draws("nd", "nd", "dh")(rng)
    return left, right, labels_of_all_sorts(rng, len(left), 2), 0.4 * w


CONTRASTIVE = case(
    contrastive,
    _contrastive,
    ("overwritten", "right's over left's", "gw += np.dot", "gw = np.dot"),
    ("swapped", "left and right", "np.dot(ga, w.T), np.dot(gb, w.T)",
     "np.dot(gb, w.T), np.dot(ga, w.T)"),
    ("sign", "apart the other way round", "2 * pull[:, None] * apart",
     "2 * pull[:, None] * (b - a)"),
    ("factor", "2 of the square", "ga = 2 * pull", "ga = pull"),
    ("activation-missing", "tanh on the right", "gb = gb * (1 - b * b)", "gb = gb * 1"),
    ("activation-misplaced", "left's derivative at the right", "ga * (1 - a * a)",
     "ga * (1 - b * b)"),
    ("batch", "sum for mean", "* g / len(same)", "* g"),
    ("detached", "right a constant", "np.dot(gb, w.T), gw", "np.zeros_like(right), gw"),
    ("integer", "ints floor-divided", "* g / len(same)", "// len(same) * g"),
)  # fmt: skip


def squared_distances(x, y):
    """Squared distance of each row of x from each of as many rows of y."""
    difference = np.stack([row - y for row in x])

    def grad(g):
        spread = 2 * g[:, :, None] * difference
        gx = np.sum(spread, axis=1)
        gy = -np.sum(spread, axis=0)
        return gx, gy

    return np.sum(difference**2, axis=2), grad


SQUARED_DISTANCES = case(
    squared_distances,
    draws("nd", "nd"),
    ("sign", "y's", "gy = -np", "gy = np"),
    ("wrong-axis", "x over its own rows", "gx = np.sum(spread, axis=1)",
     "gx = np.sum(spread, axis=0)"),
    ("not-summed", "y by pair", "-np.sum(spread, axis=0)", "-spread"),
    ("swapped", "returned y first", "return gx, gy", "return gy, gx"),
    ("factor", "2 of the square", "2 * g[", "g["),
    ("transposed", "table of g", "2 * g[:, :, None]", "2 * g.T[:, :, None]"),
    ("one-example", "y by the first row of x", "-np.sum(spread, axis=0)", "-spread[0]"),
    ("upstream", "g ignored", "2 * g[:, :, None]", "2"),
)  # fmt: skip


# Networks


def three_layers(x, target, weights):
    """Half the summed squared error of three softplus layers; no mean."""
    names = "first", "second", "third"
    acts, pres = [x], []
    for name in names:
        pres.append(np.dot(acts[-1], weights[name]))
        acts.append(np.log1p(np.exp(pres[-1])))

    def grad(g):
        grads = {}
        delta = g * (acts[3] - target)
        grad_target = -delta
        for layer in (2, 1, 0):
            delta = delta * logistic(pres[layer])
            name = names[layer]
            grads[name] = np.dot(acts[layer].T, delta)
            delta = np.dot(delta, weights[name].T)
        return delta, grad_target, grads

    return 0.5 * np.sum((acts[3] - target) ** 2), grad


def _three_layers(rng):
    x, target, first, second, third = draws("nd", "nk", "dh", "hh", "hk")(rng)
    return x, target, {"first": first, "second": second, "third": third}


THREE_LAYERS = case(
    three_layers,
    _three_layers,
    ("batch", "mean although the loss sums", "g * (acts[3] - target)",
     "g * (acts[3] - target) / len(x)"),
    ("factor", "2 although halved", "g * (acts[3]", "2 * g * (acts[3]"),
    ("sign", "target minus output", "g * (acts[3] - target)", "g * (target - acts[3])"),
    ("sign", "target's", "grad_target = -delta", "grad_target = +delta"),
    ("updated-weights", "each layer moved before the next", "weights[name].T)",
     "(weights[name] - 0.02 * grads[name]).T)"),
    ("activation-misplaced", "at the layer's output", "logistic(pres[layer])",
     "logistic(acts[layer + 1])"),
    ("activation-missing", "below the top layer", "delta * logistic(pres[layer])",
     "delta * (logistic(pres[layer]) if layer == 2 else 1)"),
    ("one-example", "last row", "np.dot(acts[layer].T, delta)",
     "np.outer(acts[layer][-1], delta[-1])"),
    ("transposed", "second layer as it is", "weights[name].T)",
     "weights[name] if layer == 1 else weights[name].T)"),
    ("precision", "single precision", "g * (acts[3] - target)",
     "np.float32(g * (acts[3] - target))"),
    ("upstream", "g ignored", "delta = g *", "delta = 1 *"),
    ("detached", "target a constant", "grad_target = -delta", "grad_target = np.zeros_like(delta)"),
)  # fmt: skip


def decayed_network(x, t, W, V):
    """Half the mean squared error of a rectifier network with both weights penalised."""
    n = x.shape[0]
    A = np.matmul(x, W)
    on = (A > 0) * 1
    H = A * on
    E = np.matmul(H, V) - t

    def grad(g):
        D = g * E / n
        gV = np.matmul(np.transpose(H), D)
        B = np.matmul(D, np.transpose(V)) * on
        gW = np.matmul(np.transpose(x), B)
        return np.matmul(B, np.transpose(W)), -D, gW + g * 0.2 * W, gV + g * 0.2 * V

    return np.sum(E**2) / (2 * n) + 0.1 * (np.sum(W**2) + np.sum(V**2)), grad


def _decayed_network(rng):
    while True:
        x, t, first, second = draws("nd", "nk", "dh", "hk")(rng)
        if 0.3 < np.mean(x @ first > 0) < 0.7:
            return x, t, first, second


DECAYED_NETWORK = case(
    decayed_network,
    _decayed_network,
    ("regulariser", "W's forgotten", "gW + g * 0.2 * W", "gW"),
    ("regulariser", "V's without 2", "gV + g * 0.2 * V", "gV + g * 0.1 * V"),
    ("regulariser", "both forgotten", "gW + g * 0.2 * W, gV + g * 0.2 * V", "gW, gV"),
    ("updated-weights", "V moved before B", "np.transpose(V)) * on",
     "np.transpose(V - 0.1 * gV)) * on"),
    ("activation-missing", "rectifier", "np.transpose(V)) * on", "np.transpose(V))"),
    ("activation-missing", "mask of ones", "np.transpose(V)) * on", "np.transpose(V)) * (H >= 0)"),
    ("factor", "2 although halved", "g * E / n", "2 * g * E / n"),
    ("sign", "t's", ", -D, gW", ", D, gW"),
    ("batch", "W's data term over n again", "gW = np.matmul(np.transpose(x), B)",
     "gW = np.matmul(np.transpose(x), B) / n"),
    ("one-example", "V by the first row", "np.matmul(np.transpose(H), D)", "np.outer(H[0], D[0])"),
    ("integer", "floor division", "g * E / n", "g * E // n"),
    ("detached", "x zero", "np.matmul(B, np.transpose(W)), -D", "np.zeros_like(x), -D"),
)  # fmt: skip


def smoothed_classifier(x, labels, w1, w2):
    """Tanh network, softmax and smoothed labels, example by example; a mean."""
    n, classes = len(x), w2.shape[1]
    hidden, probabilities, targets, loss = [], [], [], 0.0
    for row, label in zip(x, labels, strict=True):
        target = np.full(classes, 0.1 / classes)
        target[label] += 0.9
        hidden.append(np.tanh(np.dot(row, w1)))
        probabilities.append(normalised(np.dot(hidden[-1], w2)))
        targets.append(target)
        loss = loss - np.dot(target, np.log(probabilities[-1])) / n

    def grad(g):
        gx, gw1, gw2 = np.zeros_like(x), np.zeros_like(w1), np.zeros_like(w2)
        for i in range(n):
            top = g * (probabilities[i] - targets[i]) / n
            gw2 += np.outer(hidden[i], top)
            below = np.dot(w2, top) * (1 - hidden[i] ** 2)
            gw1 += np.outer(x[i], below)
            gx[i] = np.dot(w1, below)
        return gx, gw1, gw2

    return loss, grad


def _smoothed_classifier(rng):
    x, w1, w2 = draws("nd", "dh", "hk")(rng)
    return x, labels_of_all_sorts(rng, len(x), w2.shape[1]), 0.7 * w1, w2


SMOOTHED_CLASSIFIER = case(
    smoothed_classifier,
    _smoothed_classifier,
    ("one-hot-missing", "no target", "(probabilities[i] - targets[i])", "probabilities[i]"),
    ("softmax-twice", "softmax again", "(probabilities[i] -", "(normalised(probabilities[i]) -"),
    ("one-example", "= for += in the loop", "gw2 += np", "gw2 = np"),
    ("batch", "sum for mean", "targets[i]) / n", "targets[i])"),
    ("activation-missing", "tanh", "np.dot(w2, top) * (1 - hidden[i] ** 2)", "np.dot(w2, top)"),
    ("activation-misplaced", "tanh of hidden", "(1 - hidden[i] ** 2)",
     "(1 - np.tanh(hidden[i]) ** 2)"),
    ("updated-weights", "w2 moved within the loop", "np.dot(w2, top)",
     "np.dot(w2 - 0.2 * gw2, top)"),
    ("sign", "target minus p", "(probabilities[i] - targets[i])",
     "(targets[i] - probabilities[i])"),
    ("precision", "w1's in half precision", "np.zeros_like(w1)", "np.zeros(w1.shape, np.float16)"),
    ("upstream", "g ignored", "top = g *", "top = 1 *"),
)  # fmt: skip


def dropped_layer(x, kept_in, w, kept_out):
    """Sigmoid layer with a fifth of its inputs and half of its outputs dropped."""
    fed = np.where(kept_in, x, 0) / 0.8
    s = logistic(np.dot(fed, w))
    out = np.where(kept_out, s, 0) / 0.5

    def grad(g):
        gs = np.where(kept_out, g, 0) / 0.5
        gz = gs * s * (1 - s)
        gw = np.dot(fed.T, gz)
        gfed = np.dot(gz, w.T)
        gx = np.where(kept_in, gfed, 0) / 0.8
        return gx, gw

    return out, grad


def _dropped_layer(rng):
    x, w = draws("nd", "dh")(rng)
    kept_in = mask_of_both(rng, x.shape).astype(bool)
    return x, kept_in, w, mask_of_both(rng, (len(x), w.shape[1])).astype(bool)


DROPPED_LAYER = case(
    dropped_layer,
    _dropped_layer,
    ("dropout", "outputs' mask", "np.where(kept_out, g, 0) / 0.5", "g / 0.5"),
    ("dropout", "outputs' scale", "np.where(kept_out, g, 0) / 0.5", "np.where(kept_out, g, 0)"),
    ("dropout", "inputs' mask", "np.where(kept_in, gfed, 0)", "gfed"),
    ("dropout", "inputs' scale", "np.where(kept_in, gfed, 0) / 0.8", "np.where(kept_in, gfed, 0)"),
    ("activation-misplaced", "at the scaled outputs", "gs * s * (1 - s)", "gs * out * (1 - out)"),
    ("activation-missing", "sigmoid", "gs * s * (1 - s)", "gs"),
    ("one-example", "w by the first row", "np.dot(fed.T, gz)", "np.outer(fed[0], gz[0])"),
    ("transposed", "gw", "np.dot(fed.T, gz)", "np.dot(gz.T, fed)"),
    ("updated-weights", "w after its step", "np.dot(gz, w.T)", "np.dot(gz, (w - 0.1 * gw).T)"),
)  # fmt: skip


def dropped_attention(scores, kept, values):
    """Softmax of the scores, half of it dropped, averaging the values."""
    p = normalised(scores)
    d = p * kept * 2

    def grad(g):
        gd = np.einsum("qe,ke->qk", g, values)
        gp = gd * kept * 2
        return through_softmax(p, gp), np.einsum("qk,qe->ke", d, g)

    return np.einsum("qk,ke->qe", d, values), grad


def _dropped_attention(rng):
    scores, values = draws("nd", "dh")(rng)
    return scores, mask_of_both(rng, scores.shape).astype(int), values


DROPPED_ATTENTION = case(
    dropped_attention,
    _dropped_attention,
    ("dropout", "mask", "gp = gd * kept * 2", "gp = gd * 2"),
    ("dropout", "scale", "gp = gd * kept * 2", "gp = gd * kept"),
    ("dropout", "values by p undropped", '"qk,qe->ke", d, g', '"qk,qe->ke", p, g'),
    ("softmax-twice", "of p", "through_softmax(p,", "through_softmax(normalised(p),"),
    ("activation-missing", "softmax passed on", "through_softmax(p, gp)", "gp"),
    ("activation-misplaced", "softmax's at the dropped", "through_softmax(p,",
     "through_softmax(d,"),
    ("detached", "values constant", 'np.einsum("qk,qe->ke", d, g)', "np.zeros_like(values)"),
    ("integer", "gradient truncated", "gp = gd * kept * 2", "gp = gd.astype(int) * kept * 2"),
    ("wrong-axis", "softmax's sum over queries", "through_softmax(p, gp)",
     "p * (gp - np.sum(p * gp, axis=0))"),
)  # fmt: skip


def bag_of_words(ids, kept, table):
    """Sum of the embeddings of each text's words, half of them dropped."""
    totals = [np.dot(k * 2.0, table[row]) for row, k in zip(ids, kept, strict=True)]

    def grad(g):
        g_table = np.zeros(table.shape)
        for text in range(len(ids)):
            for place in range(ids.shape[1]):
                word = ids[text, place]
                g_table[word] += 2.0 * kept[text, place] * g[text]
        return g_table

    return np.stack(totals), grad


def _bag_of_words(rng):
    n, d = sizes(rng, 1)
    ids = ids_with_repeats(rng, 4, (n, 4))
    kept = mask_of_both(rng, ids.shape)
    ids[0, :2], kept[0, :2], kept[1, :2] = 1, 1, 0
    return ids, kept.astype(int), rng.standard_normal((4, d))


BAG_OF_WORDS = case(
    bag_of_words,
    _bag_of_words,
    ("overwritten", "= for +=", "g_table[word] += 2.0", "g_table[word] = 2.0"),
    ("dropout", "mask", "2.0 * kept[text, place] *", "2.0 *"),
    ("dropout", "scale", "2.0 * kept[text, place] *", "kept[text, place] *"),
    ("one-example", "last text", "for text in range(len(ids)):", "for text in [len(ids) - 1]:"),
    ("integer", "rounded", "* g[text]", "* np.round(g[text])"),
    ("upstream", "words counted", "* g[text]", "* np.ones_like(g[text])"),
    ("precision", "half precision", "np.zeros(table.shape)", "np.zeros(table.shape, dtype='e')"),
)


def skip_gram(words, contexts, table):
    """Mean log-loss of the products of words' and contexts' rows, of one table."""
    u, v = table[words], table[contexts]
    score = np.sum(u * v, axis=1)
    loss = np.mean(np.log1p(np.exp(-score)))

    def grad(g):
        g_score = -g * logistic(-score) / len(score)
        g_table = np.zeros_like(table)
        np.add.at(g_table, words, g_score[:, None] * v)
        np.add.at(g_table, contexts, g_score[:, None] * u)
        return g_table

    return loss, grad


def _skip_gram(rng):
    n, d = sizes(rng, 1)
    words = ids_with_repeats(rng, 4, n)
    contexts = (words + rng.integers(1, 4, n)) % 4
    contexts[0] = contexts[-1]
    return words, contexts, rng.standard_normal((4, d))


SKIP_GRAM = case(
    skip_gram,
    _skip_gram,
    ("overwritten", "contexts' over words'", "np.add.at(g_table, contexts, g_score[:, None] * u)",
     "g_table[contexts] = g_score[:, None] * u"),
    ("overwritten", "words' repeats", "np.add.at(g_table, words, g_score[:, None] * v)",
     "g_table[words] = g_score[:, None] * v"),
    ("detached", "contexts constant",
     "        np.add.at(g_table, contexts, g_score[:, None] * u)\n", ""),
    ("swapped", "u and v", "words, g_score[:, None] * v", "words, g_score[:, None] * u",
     "contexts, g_score[:, None] * u", "contexts, g_score[:, None] * v"),
    ("sign", "minus forgotten", "g_score = -g", "g_score = g"),
    ("batch", "sum for mean", "logistic(-score) / len(score)", "logistic(-score)"),
    ("integer", "floor division", "logistic(-score) / len(score)",
     "logistic(-score) // len(score)"),
    ("one-hot-missing", "probability for its error", "-g * logistic(-score)",
     "g * logistic(score)"),
    ("upstream", "g ignored", "g_score = -g * logistic", "g_score = -logistic"),
)  # fmt: skip


def convolve_image(image, kernel):
    """Square kernel laid over every place of the image where it fits."""
    k = kernel.shape[0]
    rows, columns = image.shape[0] - k + 1, image.shape[1] - k + 1
    out = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            out[i, j] = np.sum(image[i : i + k, j : j + k] * kernel)

    def grad(g):
        g_image, g_kernel = np.zeros_like(image), np.zeros_like(kernel)
        for i in range(rows):
            for j in range(columns):
                g_image[i : i + k, j : j + k] += g[i, j] * kernel
                g_kernel[...] += g[i, j] * image[i : i + k, j : j + k]
        return g_image, g_kernel

    return out, grad


def _convolve_image(rng):
    shape = rng.integers(3, 6, 2)
    return rng.standard_normal(shape), rng.standard_normal((2, 2))


CONVOLVE_IMAGE = case(
    convolve_image,
    _convolve_image,
    ("overwritten", "places of the image", "j : j + k] += g[i, j] * kernel",
     "j : j + k] = g[i, j] * kernel"),
    ("overwritten", "kernel by the last place", "g_kernel[...] +=", "g_kernel[...] ="),
    ("transposed", "kernel", "g[i, j] * kernel", "g[i, j] * kernel.T"),
    ("transposed", "patches", "g[i, j] * image[i : i + k, j : j + k]\n",
     "g[i, j] * image[i : i + k, j : j + k].T\n"),
    ("upstream", "g ignored for the kernel", "+= g[i, j] * image", "+= image"),
    ("integer", "g truncated", "g[i, j] * kernel", "int(g[i, j]) * kernel"),
    ("detached", "image constant", "return g_image", "return 0 * g_image"),
    ("sign", "kernel's", "return g_image, g_kernel", "return g_image, -g_kernel"),
    ("precision", "image in half precision", "np.zeros_like(image)", "np.zeros(image.shape, 'e')"),
)  # fmt: skip


def causal_attention(x, wq, wk, wv):
    """Self-attention of a sequence in which no step sees a later one."""
    t, width = x.shape
    later = np.triu(np.ones((t, t), dtype=bool), 1)
    q, k, v = np.dot(x, wq), np.dot(x, wk), np.dot(x, wv)
    scores = np.where(later, -1e30, np.dot(q, k.T) / np.sqrt(width))
    p = normalised(scores - np.max(scores, axis=1, keepdims=True))

    def grad(g):
        gp, gv = np.dot(g, v.T), np.dot(p.T, g)
        gs = through_softmax(p, gp) / np.sqrt(width)
        gq, gk = np.dot(gs, k), np.dot(gs.T, q)
        gx = np.dot(gq, wq.T)
        gx += np.dot(gk, wk.T)
        gx += np.dot(gv, wv.T)
        return gx, np.dot(x.T, gq), np.dot(x.T, gk), np.dot(x.T, gv)

    return np.dot(p, v), grad


CAUSAL_ATTENTION = case(
    causal_attention,
    draws("nd", "dd", "dd", "dd"),
    ("overwritten", "values' over the others", "gx += np.dot(gv, wv.T)", "gx = np.dot(gv, wv.T)"),
    ("overwritten", "keys' over the queries'", "gx += np.dot(gk, wk.T)", "gx = np.dot(gk, wk.T)"),
    ("softmax-twice", "of p", "through_softmax(p,", "through_softmax(normalised(p),"),
    ("wrong-axis", "softmax by columns", "through_softmax(p, gp)", "through_softmax(p.T, gp.T).T"),
    ("transposed", "gs for the keys", "np.dot(gs.T, q)", "np.dot(gs, q)"),
    ("transposed", "p for the values", "np.dot(p.T, g)", "np.dot(p, g)"),
    ("transposed", "wv", "np.dot(gv, wv.T)", "np.dot(gv, wv)"),
    ("swapped", "queries' and keys' weights", "np.dot(x.T, gq), np.dot(x.T, gk)",
     "np.dot(x.T, gk), np.dot(x.T, gq)"),
    ("detached", "keys' weights", "np.dot(x.T, gk), np", "np.zeros_like(wk), np"),
    ("updated-weights", "wv after its step", "np.dot(gv, wv.T)",
     "np.dot(gv, (wv - 0.1 * np.dot(x.T, gv)).T)"),
    ("activation-missing", "softmax passed on", "through_softmax(p, gp)", "gp"),
)  # fmt: skip


def same_layer_twice(x, w):
    """Sigmoid layer applied to its own output."""
    first = logistic(np.dot(x, w))
    second = logistic(np.dot(first, w))

    def grad(g):
        z2 = g * second * (1 - second)
        gw = np.dot(first.T, z2)
        z1 = np.dot(z2, w.T) * first * (1 - first)
        gw = gw + np.dot(x.T, z1)
        return np.dot(z1, w.T), gw

    return second, grad


SAME_LAYER_TWICE = case(
    same_layer_twice,
    draws("nd", "dd"),
    ("overwritten", "first use over the second", "gw = gw + np.dot(x.T, z1)",
     "gw = np.dot(x.T, z1)"),
    ("overwritten", "last use only", "        gw = gw + np.dot(x.T, z1)\n", ""),
    ("transposed", "w between the layers", "np.dot(z2, w.T)", "np.dot(z2, w)"),
    ("activation-misplaced", "at the next layer's value", "first * (1 - first)",
     "second * (1 - second)"),
    ("activation-missing", "of the first", "np.dot(z2, w.T) * first * (1 - first)",
     "np.dot(z2, w.T)"),
    ("updated-weights", "w moved between", "np.dot(z2, w.T)", "np.dot(z2, (w - 0.3 * gw).T)"),
    ("batch", "divided by the batch", "return np.dot(z1, w.T), gw",
     "return np.dot(z1, w.T), gw / len(x)"),
    ("one-example", "first layer by row 0", "np.dot(x.T, z1)", "np.outer(x[0], z1[0])"),
    ("precision", "single precision", "z2 = g * second", "z2 = np.float32(g) * np.float32(second)"),
)  # fmt: skip


def sequence_classifier(xs, labels, w, u, v):
    """Softmax cross-entropy on the last tanh state; xs is (batch, time, features)."""
    n, steps, _ = xs.shape
    states = [np.zeros((n, u.shape[0]))]
    for t in range(steps):
        states.append(np.tanh(np.dot(xs[:, t], w) + np.dot(states[t], u)))
    p = normalised(np.dot(states[steps], v))
    wanted = np.equal.outer(labels, np.arange(v.shape[1])).astype(float)

    def grad(g):
        g_xs, g_w, g_u = np.zeros_like(xs), np.zeros_like(w), np.zeros_like(u)
        g_logits = g * (p - wanted) / n
        g_v = np.dot(states[steps].T, g_logits)
        g_state = np.dot(g_logits, v.T)
        for t in range(steps - 1, -1, -1):
            g_pre = g_state * (1 - states[t + 1] ** 2)
            g_w += np.dot(xs[:, t].T, g_pre)
            g_u += np.dot(states[t].T, g_pre)
            g_xs[:, t] = np.dot(g_pre, w.T)
            g_state = np.dot(g_pre, u.T)
        return g_xs, g_w, g_u, g_v

    return -np.sum(wanted * np.log(p)) / n, grad


def _sequence_classifier(rng):
    n, d, h, k = sizes(rng, 3)
    xs, labels = rng.standard_normal((n, 3, d)), labels_of_all_sorts(rng, n, k)
    w, u, v = (0.7 * rng.standard_normal(shape) for shape in ((d, h), (h, h), (h, k)))
    return xs, labels, w, u, v


SEQUENCE_CLASSIFIER = case(
    sequence_classifier,
    _sequence_classifier,
    ("one-hot-missing", "p alone", "(p - wanted)", "p"),
    ("softmax-twice", "of p", "(p - wanted)", "(normalised(p) - wanted)"),
    ("sign", "wanted - p", "(p - wanted)", "(wanted - p)"),
    ("batch", "sum for mean", "(p - wanted) / n", "(p - wanted)"),
    ("overwritten", "w by one step", "g_w += np", "g_w = np"),
    ("detached", "gradient stopped after one step", "g_state = np.dot(g_pre, u.T)",
     "g_state = 0 * g_state"),
    ("transposed", "u", "np.dot(g_pre, u.T)", "np.dot(g_pre, u)"),
    ("activation-misplaced", "at the state before", "states[t + 1] ** 2", "states[t] ** 2"),
    ("activation-missing", "tanh", "g_state * (1 - states[t + 1] ** 2)", "g_state"),
    ("updated-weights", "v moved first", "np.dot(g_logits, v.T)",
     "np.dot(g_logits, (v - 0.3 * g_v).T)"),
    ("one-example", "v by the last sequence", "np.dot(states[steps].T, g_logits)",
     "np.outer(states[steps][-1], g_logits[-1])"),
    ("precision", "u's in half precision", "np.zeros_like(u)", "np.zeros(u.shape, np.float16)"),
)  # fmt: skip


def mixture(x, gates, experts):
    """Softmax-weighted sum of linear experts, which are (expert, feature, output)."""
    p = normalised(np.dot(x, gates))
    said = np.einsum("nd,kdh->nkh", x, experts)

    def grad(g):
        gp = np.einsum("nh,nkh->nk", g, said)
        gz = through_softmax(p, gp)
        g_said = p[:, :, None] * g[:, None, :]
        gx = np.einsum("nkh,kdh->nd", g_said, experts)
        gx += np.dot(gz, gates.T)
        return gx, np.dot(x.T, gz), np.einsum("nd,nkh->kdh", x, g_said)

    return np.einsum("nk,nkh->nh", p, said), grad


MIXTURE = case(
    mixture,
    draws("nd", "dk", "kdh"),
    ("detached", "gates constant", "gz = through_softmax(p, gp)", "gz = np.zeros_like(gp)"),
    ("softmax-twice", "of p", "through_softmax(p,", "through_softmax(normalised(p),"),
    ("wrong-axis", "softmax by columns", "through_softmax(p, gp)", "through_softmax(p.T, gp.T).T"),
    ("activation-missing", "softmax passed on", "through_softmax(p, gp)", "gp"),
    ("overwritten", "gates' over experts'", "gx += np.dot", "gx = np.dot"),
    ("one-example", "experts by the first row", '"nd,nkh->kdh", x, g_said',
     '"nd,nkh->kdh", x[:1], g_said[:1]'),
    ("swapped", "gates' and experts'", "np.dot(x.T, gz), np.einsum(\"nd,nkh->kdh\", x, g_said)",
     "np.einsum(\"nd,nkh->kdh\", x, g_said), np.dot(x.T, gz)"),
    ("not-summed", "experts by example", "nd,nkh->kdh", "nd,nkh->nkdh"),
    ("upstream", "g ignored by the experts", "p[:, :, None] * g[:, None, :]",
     "p[:, :, None] * np.ones_like(g)[:, None, :]"),
)  # fmt: skip


def highway(x, wh, wt):
    """A gate's share of a tanh layer and the rest of x itself."""
    h = np.tanh(np.dot(x, wh))
    t = logistic(np.dot(x, wt))

    def grad(g):
        gh = g * t * (1 - np.power(h, 2))
        gt = g * (h - x) * t * (1 - t)
        carried = g * (1 - t)
        gx = carried + np.dot(gh, wh.T) + np.dot(gt, wt.T)
        return gx, np.dot(x.T, gh), np.dot(x.T, gt)

    return t * h + (1 - t) * x, grad


HIGHWAY = case(
    highway,
    draws("nd", "dd", "dd"),
    ("detached", "carried x", "gx = carried + np", "gx = np"),
    ("detached", "gate constant", "gt = g * (h - x) * t", "gt = 0 * g * t"),
    ("detached", "gate's other share", "(h - x)", "h"),
    ("sign", "x - h", "(h - x)", "(x - h)"),
    ("swapped", "weights", "np.dot(x.T, gh), np.dot(x.T, gt)", "np.dot(x.T, gt), np.dot(x.T, gh)"),
    ("activation-missing", "tanh", "g * t * (1 - np.power(h, 2))", "g * t"),
    ("activation-misplaced", "at the gated value", "np.power(h, 2)", "np.power(t * h, 2)"),
    ("transposed", "wt", "np.dot(gt, wt.T)", "np.dot(gt, wt)"),
    ("integer", "gate decided", "gh = g * t", "gh = g * np.rint(t)"),
    ("updated-weights", "wh after its step", "np.dot(gh, wh.T)",
     "np.dot(gh, (wh - 0.2 * np.dot(x.T, gh)).T)"),
)  # fmt: skip


def root_mean_square_norm(x, gain):
    """Rows over the root of their mean square, columns multiplied by the gain."""
    r = np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-3)

    def grad(g):
        h = g * gain
        gx = h / r - x * np.mean(h * x, axis=-1, keepdims=True) / r**3
        return gx, np.einsum("nd,nd->d", g, x / r)

    return gain * x / r, grad


def _root_mean_square_norm(rng):
    x = matrix(rng, least=3)
    return x, rng.uniform(0.5, 2, x.shape[1])


ROOT_MEAN_SQUARE_NORM = case(
    root_mean_square_norm,
    _root_mean_square_norm,
    ("statistics", "root a constant", " - x * np.mean(h * x, axis=-1, keepdims=True) / r**3", ""),
    ("wrong-axis", "mean over the batch", "np.mean(h * x, axis=-1, keepdims=True)",
     "np.mean(h * x, axis=0)"),
    ("factor", "2 of the square", "- x * np.mean", "- 2 * x * np.mean"),
    ("sign", "correction added", "h / r - x", "h / r + x"),
    ("not-summed", "gain by example", "nd,nd->d", "nd,nd->nd"),
    ("one-example", "gain by row 0", 'np.einsum("nd,nd->d", g, x / r)', "g[0] * x[0] / r[0]"),
    ("batch", "gain's over the batch", 'g, x / r)', 'g, x / r) / len(x)'),
    ("detached", "gain constant", 'np.einsum("nd,nd->d", g, x / r)', "np.zeros_like(gain)"),
)  # fmt: skip


CASES = (
    SOFTPLUS,
    GELU,
    CUBE,
    BUMP,
    VARIANCE,
    STANDARDISE,
    INSTANCE_NORM,
    UNIT_ROWS,
    LOG_SUM_EXP,
    RUNNING_TOTAL,
    GEOMETRIC_MEAN,
    LEAKY_LAYER,
    RATIO,
    CHANNEL_SCALE,
    OUTER_PRODUCT,
    MATRIX_CHAIN,
    BILINEAR,
    WEIGHTED_AVERAGE,
    MAHALANOBIS,
    FOURIER_FEATURES,
    TWO_BRANCHES,
    CLIPPED_PRODUCT,
    SOFT_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY,
    ELASTIC_NET,
    SUPPORT_VECTORS,
    HUBER,
    GAUSSIAN_DIVERGENCE,
    TRIPLET,
    CONTRASTIVE,
    SQUARED_DISTANCES,
    THREE_LAYERS,
    DECAYED_NETWORK,
    SMOOTHED_CLASSIFIER,
    DROPPED_LAYER,
    DROPPED_ATTENTION,
    BAG_OF_WORDS,
    SKIP_GRAM,
    CONVOLVE_IMAGE,
    CAUSAL_ATTENTION,
    SAME_LAYER_TWICE,
    SEQUENCE_CLASSIFIER,
    MIXTURE,
    HIGHWAY,
    ROOT_MEAN_SQUARE_NORM,
)

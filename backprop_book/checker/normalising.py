"""Mistakes about softmax and about what is centred or scaled: more rules for `diagnose`.

What a step makes is recognised by its values: y is a softmax of z if it equals one, whoever
computed it and how.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from backprop_book.activations import sigmoid
from backprop_book.arrays import Array
from backprop_book.checker.mistakes import Case, Change, Suspect
from backprop_book.losses import softmax


def detour(case: Case, end: int, start: int, gradient: Array) -> Change:
    """Return the leaves' gradients if a step handed this to an earlier one, and nothing else."""
    parents = range(len(case.circuit.steps[end].parents))
    pulls = {(end, k): case.nothing((end, k)) for k in parents}
    shape = case.value(start).shape
    added = {start: lambda total: total + gradient.reshape(shape)}
    return Change(pulls, added)


def softmaxes(case: Case) -> Iterator[Suspect]:
    """Yield a softmax's, log-softmax's or log-sum-exp's backward with one thing wrong in it."""
    for start, step in enumerate(case.circuit.steps):
        z = step.value
        if z.ndim == 0 or z.shape[-1] < 2:
            continue
        for axis in range(z.ndim) if z.ndim < 3 else (z.ndim - 1,):
            p = softmax(z, axis)[0]
            log_p = np.log(np.maximum(p, 1e-300))
            for end in range(start + 1, len(case.circuit.steps)):
                y, g = case.value(end), case.totals[end]
                if start not in case.circuit.ancestors(end) or not np.any(g):
                    continue
                if _same(y, p) or _is_share(y, z, axis):
                    yield from _wrong_softmax(case, start, end, y, g, axis)
                elif _same(y, log_p):
                    yield from _wrong_log_softmax(case, start, end, p, g, axis)
                elif _same(np.squeeze(y), (z - log_p).mean(axis=axis)):
                    spread = np.expand_dims(g.reshape(p.sum(axis=axis).shape), axis)
                    yield from _wrong_shares(case, start, end, spread, z, p, axis)


def _is_share(y: Array, z: Array, axis: int) -> bool:
    """Tell whether a value holds shares that add up to 1 along an axis, as a softmax's do."""
    if y.shape != z.shape or y.min() < 0 or y.max() > 1 or (z.min() >= 0 and z.max() <= 1):
        return False
    return bool(np.allclose(y.sum(axis=axis), 1))


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-9, atol=1e-12))


def _wrong_softmax(
    case: Case, start: int, end: int, p: Array, g: Array, axis: int
) -> Iterator[Suspect]:
    where = f"at {case.place(end)}"

    def pulled(p: Array, axis: int = axis, sign: float = 1.0) -> Any:
        return p * (g - sign * (g * p).sum(axis=axis, keepdims=True))

    twice = softmax(np.where(p > 0, p, -np.inf), axis)[0]
    for kind, gradient, cost in (
        ("activation-missing", g, 0.6),
        ("softmax-twice", pulled(twice), 0.5),
        ("softmax-twice", twice * (g - (g * p).sum(axis=axis, keepdims=True)), 0.6),
        ("softmax-twice", p * (g - (g * twice).sum(axis=axis, keepdims=True)), 0.6),
        ("sign", pulled(p, sign=-1.0), 0.8),
        ("statistics", p * g, 0.8),
        ("detached", p * g, 0.9),
        ("activation-misplaced", p * (1 - p) * g, 0.9),
    ):
        yield Suspect(kind, where, detour(case, end, start, gradient), cost)
    for other in set(range(p.ndim)) - {axis}:
        across = softmax(case.value(start), other)[0]
        for gradient in (pulled(p, other), pulled(across, other), pulled(across)):
            yield Suspect("wrong-axis", where, detour(case, end, start, gradient), 0.5)
    yield from _wrong_inner_product(case, start, end, p, g, axis)


def _wrong_inner_product(
    case: Case, start: int, end: int, p: Array, g: Array, axis: int
) -> Iterator[Suspect]:
    """Yield a softmax whose inner product is rounded, or taken from one example for all."""
    where = f"at {case.place(end)}"
    inner = (g * p).sum(axis=axis, keepdims=True)
    for how in (np.trunc, np.rint, np.floor):
        yield Suspect("integer", where, detour(case, end, start, p * how(g - inner)), 1.0)
    for other in set(range(p.ndim)) - {axis}:
        for part in (0, p.shape[other] - 1):
            one = np.take(p, [part], axis=other)
            its = (g * one).sum(axis=axis, keepdims=True)
            for gradient in (p * (g - np.take(inner, [part], axis=other)), one * (g - its)):
                spread = np.broadcast_to(gradient, p.shape)
                yield Suspect("one-example", where, detour(case, end, start, spread), 0.9)


def _wrong_log_softmax(
    case: Case, start: int, end: int, p: Array, g: Array, axis: int
) -> Iterator[Suspect]:
    where = f"at {case.place(end)}"
    total = g.sum(axis=axis, keepdims=True)
    for kind, gradient, cost in (
        ("softmax-twice", g - softmax(p, axis)[0] * total, 0.5),
        ("sign", g + p * total, 0.8),
        ("detached", g, 0.7),
        ("statistics", g, 0.8),
        ("activation-missing", g, 0.9),
        ("one-hot-missing", -p * total, 0.5),
    ):
        yield Suspect(kind, where, detour(case, end, start, gradient), cost)
    for other in set(range(p.ndim)) - {axis}:
        across = softmax(case.value(start), other)[0]
        summed = g.sum(axis=other, keepdims=True)
        for gradient in (g - across * total, g - p * summed, g - across * summed):
            yield Suspect("wrong-axis", where, detour(case, end, start, gradient), 0.5)


def _wrong_shares(
    case: Case, start: int, end: int, g: Array, z: Array, p: Array, axis: int
) -> Iterator[Suspect]:
    where = f"at {case.place(end)}"
    for kind, shares in (
        ("softmax-twice", softmax(p, axis)[0]),
        ("activation-missing", np.ones_like(p)),
        ("activation-missing", np.exp(z)),
        *(("wrong-axis", softmax(z, other)[0]) for other in set(range(p.ndim)) - {axis}),
    ):
        yield Suspect(kind, where, detour(case, end, start, g * shares), 0.6)


def labels(case: Case) -> Iterator[Suspect]:
    """Yield p for p - y, or other probabilities, wherever a gradient is a multiple of p - y."""
    for node, step in enumerate(case.circuit.steps):
        gradient, z = case.totals[node], step.value
        if not np.any(gradient) or z.ndim > 2:
            continue
        if z.ndim and z.shape[-1] > 1:
            p = softmax(z, -1)[0]
            for scale, y in _targets(case, gradient, p):
                yield from _softmax_suspects(case, node, z, p, y, scale)
        p = sigmoid(z)[0]
        for scale, y in _binary_targets(case, gradient, p):
            yield from _wrong_probabilities(case, node, p, sigmoid(p)[0], y, scale)
            where = f"at {case.place(node)}"
            yield _at(case, node, "activation-missing", where, scale * (z - y), 0.8)


def _softmax_suspects(
    case: Case, node: int, z: Array, p: Array, y: Array, scale: Array
) -> Iterator[Suspect]:
    totals = y.sum(axis=-1, keepdims=True)
    yield from _wrong_probabilities(case, node, p * totals, softmax(p, -1)[0] * totals, y, scale)
    where = f"at {case.place(node)}"
    yield _at(case, node, "softmax-twice", f"{where}: none at all", scale * (z * totals - y), 1.0)
    if z.ndim == 2:
        yield _at(case, node, "wrong-axis", where, scale * (softmax(z, 0)[0] * totals - y), 0.3)


def _wrong_probabilities(
    case: Case, node: int, p: Array, twice: Array, y: Array, scale: Array
) -> Iterator[Suspect]:
    where = f"at {case.place(node)}"
    yield _at(case, node, "one-hot-missing", where, scale * p, 0.3)
    yield _at(case, node, "one-hot-missing", where, -scale * y, 1.2)
    yield _at(case, node, "softmax-twice", where, scale * (twice - y), 0.3)
    for how in (np.rint, np.trunc):
        yield _at(case, node, "integer", where, scale * (how(p) - y), 0.7)
        yield _at(case, node, "integer", where, scale * how(p - y), 0.9)
        yield _at(case, node, "integer", where, how(scale * (how(p) - y)), 1.0)


def _at(case: Case, node: int, kind: str, where: str, gradient: Array, cost: float) -> Suspect:
    return Suspect(kind, where, Change(nodes={node: lambda _: gradient}), cost)


def _targets(case: Case, gradient: Array, p: Array) -> Iterator[tuple[Array, Array]]:
    """Yield scales and targets with gradient = scale * (p - target): one-hot, and any leaf's."""
    rows, shares = np.atleast_2d(gradient), np.atleast_2d(p)
    for sign in (1.0, -1.0):
        y = np.zeros_like(rows)
        y[np.arange(len(rows)), np.argmin(sign * rows, axis=1)] = 1
        off = shares - y
        scale = (rows * off).sum(axis=1) / (off**2).sum(axis=1)
        if _same(scale[:, None] * off, rows):
            yield scale.reshape((*p.shape[:-1], 1)), y.reshape(p.shape)
    yield from _targets_among_leaves(case, gradient, p, True)


def _targets_among_leaves(
    case: Case, gradient: Array, p: Array, shared: bool
) -> Iterator[tuple[Array, Array]]:
    for leaf in case.circuit.leaves:
        t = case.value(leaf)
        if t.shape != p.shape:
            continue
        off = (p * t.sum(axis=-1, keepdims=True) if shared else p) - t
        scale = float((gradient * off).sum() / max((off**2).sum(), 1e-300))
        if _same(scale * off, gradient):
            yield np.array(scale), t


def _binary_targets(case: Case, gradient: Array, p: Array) -> Iterator[tuple[Array, Array]]:
    """Yield scales and targets with gradient = scale * (p - target) for p of a sigmoid."""
    for sign in (1.0, -1.0):
        y = (sign * gradient < 0).astype(float)
        scales = gradient / (p - y)
        if np.ptp(scales) <= 1e-7 * np.abs(scales).max():
            yield np.array(scales.mean()), y
    yield from _targets_among_leaves(case, gradient, p, False)


def normalised(case: Case) -> Iterator[Suspect]:
    """Yield the backward of centring and scaling with means over other axes, or left out."""
    for start, step in enumerate(case.circuit.steps):
        u = step.value
        if u.ndim not in (2, 3) or min(u.shape) < 2:
            continue
        for end in range(start + 1, len(case.circuit.steps)):
            y, g = case.value(end), case.totals[end]
            if y.shape != u.shape or not np.any(g) or start not in case.circuit.ancestors(end):
                continue
            for axes in _axes_of(u.ndim):
                scale = _scale(u, y, axes)
                if scale is not None:
                    yield from _wrong_means(case, start, end, g, scale, axes)


def _axes_of(n: int) -> list[tuple[int, ...]]:
    """Return the sets of axes that a mean may be over, but for all of them."""
    return [axes for size in range(1, n) for axes in combinations(range(n), size)]


def _scale(u: Array, y: Array, axes: tuple[int, ...]) -> Array | None:
    """Return s if y = (u - m) / s with m and s constant along axes, and not everywhere.

    Of two entries that would be true whatever they are.
    """
    if np.prod([u.shape[axis] for axis in axes]) < 3:
        return None
    centred_u = u - u.mean(axis=axes, keepdims=True)
    centred_y = y - y.mean(axis=axes, keepdims=True)
    lengths = (centred_u**2).sum(axis=axes, keepdims=True)
    ratio = (centred_u * centred_y).sum(axis=axes, keepdims=True) / np.maximum(lengths, 1e-300)
    apart = np.ptp(ratio) > 1e-6 and np.abs(ratio).min() > 1e-9
    fits = apart and _same(centred_u * ratio, centred_y)
    return 1 / ratio if fits else None


def _wrong_means(
    case: Case, start: int, end: int, g: Array, scale: Array, axes: tuple[int, ...]
) -> Iterator[Suspect]:
    """Yield (g - mean(g) - y * mean(g * y)) / s with other means; sums, where y has length 1."""
    u, y = case.value(start), case.value(end)
    sums, centred = _has_length_1(y, axes), _is_centred(y, axes)
    where = f"at {case.place(end)}"
    own = _means(g, y, axes, sums, centred)
    for first, second in ((own[0], 0.0), (0.0, own[1]), (0.0, 0.0)):
        gradient = (g - first - y * second) / scale
        yield Suspect("statistics", where, detour(case, end, start, gradient), 0.7)
    yield from _wrong_parts(case, start, end, g, own, scale, axes)
    for other in set(_axes_of(y.ndim)) - {axes}:
        theirs = _means(g, y, other, sums, centred)
        by_input = (own[0], _gathered(g * u, other, sums) / scale)
        pairs = (theirs, (own[0], theirs[1]), (theirs[0], own[1]), by_input)
        for first, second in pairs:
            gradient = (g - first - y * second) / scale
            yield Suspect("wrong-axis", where, detour(case, end, start, gradient), 0.7)
        yield _renormalised(case, start, end, g, u, other, sums, centred)


def _wrong_parts(
    case: Case,
    start: int,
    end: int,
    g: Array,
    own: tuple[Any, Any],
    scale: Array,
    axes: tuple[int, ...],
) -> Iterator[Suspect]:
    """Yield the same with u for y, with another scale, or left out."""
    u, y = case.value(start), case.value(end)
    where = f"at {case.place(end)}"
    yield Suspect("activation-missing", where, detour(case, end, start, g), 0.8)
    sums = _has_length_1(y, axes)
    by_u = _gathered(g * u, axes, sums)
    for at_input in (u * own[1], y * by_u, u * by_u):
        gradient = (g - own[0] - at_input) / scale
        yield Suspect("activation-misplaced", where, detour(case, end, start, gradient), 0.9)
    whole = g - own[0] - y * own[1]
    for kind, other in _other_scales(u, scale, axes, sums, _is_centred(y, axes)):
        yield Suspect(kind, where, detour(case, end, start, whole / other), 0.8)


def _has_length_1(y: Array, axes: tuple[int, ...]) -> bool:
    return bool(np.allclose((y**2).sum(axis=axes), 1, atol=1e-2))


def _is_centred(y: Array, axes: tuple[int, ...]) -> bool:
    return bool(np.abs(y.mean(axis=axes)).max() < 1e-9)


def _other_scales(
    u: Array, scale: Array, axes: tuple[int, ...], sums: bool, centred: bool
) -> Iterator[tuple[str, Array]]:
    """Yield scales of one part for all the others, and scales along other axes."""
    for axis in range(u.ndim):
        for part in {0, scale.shape[axis] - 1} if scale.shape[axis] > 1 else ():
            yield "one-example", np.take(scale, [part], axis=axis)
    for other in set(_axes_of(u.ndim)) - {axes}:
        v = u - u.mean(axis=other, keepdims=True) if centred else u
        yield "wrong-axis", np.sqrt(_gathered(v**2, other, sums))


def _means(g: Array, y: Array, axes: tuple[int, ...], sums: bool, centred: bool) -> tuple[Any, Any]:
    first = g.mean(axis=axes, keepdims=True) if centred else 0.0
    return first, _gathered(g * y, axes, sums)


def _gathered(product: Array, axes: tuple[int, ...], sums: bool) -> Any:
    """Return the sums or the means of a product along axes, which stay as axes of length 1."""
    return (np.sum if sums else np.mean)(product, axis=axes, keepdims=True)


def _renormalised(
    case: Case,
    start: int,
    end: int,
    g: Array,
    u: Array,
    axes: tuple[int, ...],
    sums: bool,
    centred: bool,
) -> Suspect:
    """Return the suspect whose centring and scaling is along other axes altogether."""
    v = u - u.mean(axis=axes, keepdims=True) if centred else u
    scale = np.sqrt(_gathered(v**2, axes, sums))
    first, second = _means(g, v / scale, axes, sums, centred)
    gradient = (g - first - v / scale * second) / scale
    return Suspect("wrong-axis", f"at {case.place(end)}", detour(case, end, start, gradient), 0.8)

"""The gradient check refuses the mistakes that people make, each by its name."""

import copy

import graph_check
import numpy as np
import pytest
from gradient_check import CASES, gradient_faults, one_gradient
from graph_check import sweep_faults

from backprop_book import compose, count_users, gelu, sigmoid, squared_error, tanh, unbroadcast

ALONG = "along a direction"
SHAPE = "has shape"
DTYPE = "has dtype"
COUNT = "gradients for"
SECOND = "a second call"
INPUT = "an input is changed"
GIVEN = "what backward was given is changed"


def wrong_dense(backward, forward=lambda x, weights, bias: x @ weights + bias):
    """Return a dense layer whose backward is `backward(dy, x, weights)`."""

    def function(x, weights, bias):
        return forward(x, weights, bias), lambda dy: backward(dy, x, weights)

    return function


def wrong_loss(backward):
    """Return a squared error whose backward is `backward(dloss, residual)`."""

    def function(prediction, target):
        residual = prediction - target
        loss = 0.5 * (residual**2).sum() / len(residual)
        return loss, lambda dloss: backward(dloss, residual)

    return function


def wrong_regression(backward):
    """Return a regression whose backward is `backward(dloss, x, residual)`."""

    def function(weights, bias, x, target):
        loss, _ = squared_error(x @ weights + bias, target)
        return loss, lambda dloss: backward(dloss, x, x @ weights + bias - target)

    return function


def last_row_only(dy, x, weights):
    """`=` for `+=`: each row's gradient takes the place of the one before."""
    for i in range(len(x)):
        dweights = np.outer(x[i], dy[i])
    return dy @ weights.T, dweights, dy.sum(axis=0)


def first_column_only(dy, x, weights):
    """A return that is indented too far."""
    dx = np.zeros_like(x)
    for h in range(1):
        dx += np.outer(dy[:, h], weights[:, h])
    return dx, x.T @ dy, dy.sum(axis=0)


def adds_to_what_it_returned():
    """A buffer that is made once, not at each call."""
    total = {}

    def backward(dy, x, weights):
        total["weights"] = total.get("weights", 0) + x.T @ dy
        return dy @ weights.T, total["weights"], dy.sum(axis=0)

    return backward


def into_one_buffer():
    """A buffer that is handed out again: what was returned first is overwritten."""
    buffer = np.empty((4, 4))

    def backward(dy, x, weights):
        buffer[:] += 1
        np.matmul(x.T, dy, out=buffer)
        return dy @ weights.T, buffer, dy.sum(axis=0)

    return backward


def scales_what_it_is_given(dloss, residual):
    dloss /= len(residual)
    return dloss * residual, -dloss * residual


def scales_the_residual(dloss, residual):
    residual *= dloss / len(residual)
    return residual.copy(), -residual


def centres_its_input(x, weights, bias):
    x += 1.0
    return x @ weights + bias


def negates_in_place(dloss, residual):
    dprediction = dloss * residual / len(residual)
    return dprediction, np.negative(dprediction, out=dprediction)


def mean(residual):
    return residual / len(residual)


DENSE = {
    "weights not transposed": (lambda dy, x, w: (dy @ w, x.T @ dy, dy.sum(axis=0)), ALONG),
    "x not transposed": (lambda dy, x, w: (dy @ w.T, x @ dy, dy.sum(axis=0)), ALONG),
    "dweights transposed": (lambda dy, x, w: (dy @ w.T, dy.T @ x, dy.sum(axis=0)), ALONG),
    "product in the wrong order": (lambda dy, x, w: (w.T @ dy, x.T @ dy, dy.sum(axis=0)), ALONG),
    "bias gradient a mean": (lambda dy, x, w: (dy @ w.T, x.T @ dy, dy.mean(axis=0)), ALONG),
    "bias gradient over the outputs": (lambda dy, x, w: (dy @ w.T, x.T @ dy, dy.sum(1)), ALONG),
    "bias gradient not summed": (lambda dy, x, w: (dy @ w.T, x.T @ dy, dy), SHAPE),
    "bias gradient summed to one number": (lambda dy, x, w: (dy @ w.T, x.T @ dy, dy.sum()), SHAPE),
    "bias gradient a row": (lambda dy, x, w: (dy @ w.T, x.T @ dy, dy.sum(0, keepdims=1)), SHAPE),
    "bias gradient a 1": (lambda dy, x, w: (dy @ w.T, x.T @ dy, np.ones(len(w))), ALONG),
    "sign of dweights": (lambda dy, x, w: (dy @ w.T, -x.T @ dy, dy.sum(axis=0)), ALONG),
    "dweights a mean over the batch": (
        lambda dy, x, w: (dy @ w.T, mean(x.T @ dy), dy.sum(0)),
        ALONG,
    ),
    "dx forgotten: zeros": (lambda dy, x, w: (0 * x, x.T @ dy, dy.sum(axis=0)), ALONG),
    "dx passed on as it came": (lambda dy, x, w: (dy, x.T @ dy, dy.sum(axis=0)), ALONG),
    "what arrives is forgotten": (lambda dy, x, w: (0 * dy + w.sum(1), x.T @ dy, dy.sum(0)), ALONG),
    "dweights and dx exchanged": (lambda dy, x, w: (x.T @ dy, dy @ w.T, dy.sum(axis=0)), ALONG),
    "dx forgotten": (lambda dy, x, w: (x.T @ dy, dy.sum(axis=0)), COUNT),
    "dbias forgotten": (lambda dy, x, w: (dy @ w.T, x.T @ dy), COUNT),
    "no gradients": (lambda dy, x, w: (), COUNT),
    "too many gradients": (lambda dy, x, w: (dy, dy @ w.T, x.T @ dy, dy.sum(axis=0)), COUNT),
    "a list for a tuple": (lambda dy, x, w: [dy @ w.T, x.T @ dy, dy.sum(axis=0)], COUNT),
    "single precision on the way": (
        lambda dy, x, w: (dy @ w.T, (x.T @ dy).astype(np.float32), dy.sum(axis=0)),
        DTYPE,
    ),
    "rounded to single precision": (
        lambda dy, x, w: (dy @ w.T, (x.T @ dy).astype(np.float32).astype(float), dy.sum(axis=0)),
        ALONG,
    ),
    "one entry wrong by a millionth": (
        lambda dy, x, w: (dy @ w.T, x.T @ dy * (1 + 1e-6 * np.eye(4)), dy.sum(axis=0)),
        ALONG,
    ),
    "= for +=": (last_row_only, ALONG),
    "one column only": (first_column_only, ALONG),
    "adds to what it returned": (adds_to_what_it_returned(), SECOND),
    "= in a buffer": (into_one_buffer(), SECOND),
}

LOSS = {
    "the 2 not cancelled": (lambda d, r: (2 * d * mean(r), -2 * d * mean(r)), ALONG),
    "the half kept": (lambda d, r: (0.5 * d * mean(r), -0.5 * d * mean(r)), ALONG),
    "1/N forgotten": (lambda d, r: (d * r, -d * r), ALONG),
    "1/N taken twice": (lambda d, r: (d * mean(mean(r)), -d * mean(mean(r))), ALONG),
    "a mean over the outputs too": (lambda d, r: (d * r / r.size, -d * r / r.size), ALONG),
    "sign flipped": (lambda d, r: (-d * mean(r), d * mean(r)), ALONG),
    "target with the prediction's sign": (lambda d, r: (d * mean(r), d * mean(r)), ALONG),
    "target's gradient forgotten": (lambda d, r: (d * mean(r), 0 * r), ALONG),
    "dloss forgotten": (lambda d, r: (mean(r), -mean(r)), ALONG),
    "the error's size, not the error": (lambda d, r: (d * mean(abs(r)), -d * mean(r)), ALONG),
    "summed to the loss's shape": (lambda d, r: (d * mean(r).sum(), -d * mean(r).sum()), SHAPE),
    "not a number": (lambda d, r: (d * r * np.nan, -d * mean(r)), ALONG),
    "scales what it is given": (scales_what_it_is_given, GIVEN),
    "scales the residual": (scales_the_residual, SECOND),
    "negates in place": (negates_in_place, ALONG),
}

REGRESSION = {
    "the activations forgotten": (lambda d, x, r: (d * 0 * x.T @ r, d * mean(r).sum(0)), ALONG),
    "1/N for the weights alone": (lambda d, x, r: (d * x.T @ mean(r), d * r.sum(axis=0)), ALONG),
    "target minus prediction": (lambda d, x, r: (-d * x.T @ mean(r), -d * mean(r).sum(0)), ALONG),
    "bias gradient of the first example": (
        lambda d, x, r: (d * x.T @ mean(r), d * mean(r)[0]),
        ALONG,
    ),
}


# Chapter 6: functions in a chain


def times(weights):
    """Return a link whose backward does not commute with others, as a number's would."""
    return lambda x: (x @ weights, lambda dy: dy @ weights.T)


LINKS = [
    times(np.random.default_rng(3).normal(size=(4, 4))),
    tanh,
    times(np.random.default_rng(4).normal(size=(4, 4))),
    sigmoid,
]


def forward_through(functions, x):
    backwards = []
    for function in functions:
        x, backward = function(x)
        backwards.append(backward)
    return x, backwards


def wrong_chain(backward):
    """Return the links, composed, with a backward that is `backward(backwards, dy)`."""

    def function(x):
        output, backwards = forward_through(LINKS, x)
        return output, lambda dy: (backward(backwards, dy),)

    return function


def in_turn(backwards, dy):
    for backward in backwards:
        dy = backward(dy)
    return dy


def looked_up_late(x):
    """Each lambda looks up `backward` when it is called: all of them see the last one."""
    backwards = []
    for function in LINKS:
        x, backward = function(x)
        backwards.append(lambda dy: backward(dy))  # noqa: B023
    return x, lambda dy: (in_turn(reversed(backwards), dy),)


def overwritten(x):
    """Each lambda looks up `h` when it is called: all slopes are taken at the last value."""
    h, backwards = x, []
    for _ in range(3):
        backwards.append(lambda dh: dh * np.cos(h))  # noqa: B023
        h = np.sin(h)
    return h, lambda dy: (in_turn(reversed(backwards), dy),)


def overwritten_in_place(x):
    h, backwards = x.copy(), []
    for _ in range(3):
        backwards.append(lambda dh, h=h: dh * np.cos(h))
        np.sin(h, out=h)
    return h, lambda dy: (in_turn(reversed(backwards), dy),)


def kept_between_calls():
    """A list that is made once, not at each call."""
    kept = []

    def function(x):
        output, backwards = forward_through(LINKS, x)
        kept.extend(backwards)
        return output, lambda dy: (in_turn(reversed(kept), dy),)

    return function


def used_up(x):
    """An iterator in place of a list: the first call of backward takes all there is."""
    output, backwards = forward_through(LINKS, x)
    turned = reversed(backwards)
    return output, lambda dy: (in_turn(turned, dy),)


CHAINS = {
    "a closure that looks up its variable late": (looked_up_late, ALONG),
    "a variable that is overwritten": (overwritten, ALONG),
    "an array that is overwritten": (overwritten_in_place, ALONG),
    "backwards kept between calls": (kept_between_calls(), "a"),
    "backwards used up by the first call": (used_up, SECOND),
    "not reversed": (wrong_chain(in_turn), ALONG),
    "the first link forgotten": (wrong_chain(lambda b, dy: in_turn(b[:0:-1], dy)), ALONG),
    "the last link forgotten": (wrong_chain(lambda b, dy: in_turn(b[-2::-1], dy)), ALONG),
    "the last link alone": (wrong_chain(lambda b, dy: b[-1](dy)), ALONG),
    "each link given the same": (wrong_chain(lambda b, dy: sum(f(dy) for f in b)), ALONG),
    "1 in place of what arrives": (
        wrong_chain(lambda b, dy: in_turn(b[::-1], np.ones_like(dy))),
        ALONG,
    ),
    "a bare array": (compose(LINKS), COUNT),
}


# Chapter 7: forks


def swept(edges, output, add):
    """The package's sweep with `add(total, node, parent, local)` where it adds."""
    waiting_for = count_users(edges, output)
    total = dict.fromkeys(waiting_for, 0.0)
    total[output] = 1.0
    ready = [output]
    while ready:
        node = ready.pop()
        for parent, local in edges[node]:
            add(total, node, parent, local)
            waiting_for[parent] -= 1
            if waiting_for[parent] == 0:
                ready.append(parent)
    return total


def right_sweep(edges, output):
    def add(total, node, parent, local):
        total[parent] += total[node] * local

    return swept(edges, output, add)


def overwriting(edges, output):
    """`=` for `+=`."""

    def add(total, node, parent, local):
        total[parent] = total[node] * local

    return swept(edges, output, add)


def without_local(edges, output):
    def add(total, node, parent, local):
        total[parent] += total[node]

    return swept(edges, output, add)


def without_upstream(edges, output):
    def add(total, node, parent, local):
        total[parent] += local

    return swept(edges, output, add)


def naive_recursion(edges, output):
    """Passes on all that has been received so far."""

    def visit(node, share):
        total[node] = total.get(node, 0.0) + share
        for parent, local in edges[node]:
            visit(parent, total[node] * local)

    total = {}
    visit(output, 1.0)
    return total


def as_found(edges, output, last=False):
    """Visits each number once, in the order in which a search from the output finds them."""
    total, queue, seen = {output: 1.0}, [output], {output}
    while queue:
        node = queue.pop(-1 if last else 0)
        for parent, local in edges[node]:
            total[parent] = total.get(parent, 0.0) + total[node] * local
            if parent not in seen:
                seen.add(parent)
                queue.append(parent)
    return total


def parents_in_a_set(edges, output):
    """A parent that is used twice with the same derivative counts once."""
    return right_sweep({name: sorted(set(pairs)) for name, pairs in edges.items()}, output)


def counting_all_users(edges, output):
    """Waits for users that the output does not depend on, and so for ever."""
    waiting_for = dict.fromkeys(edges, 0)
    for parent in [parent for pairs in edges.values() for parent, _ in pairs]:
        waiting_for[parent] += 1
    total, ready = {output: 1.0}, [output]
    while ready:
        node = ready.pop()
        for parent, local in edges[node]:
            total[parent] = total.get(parent, 0.0) + total[node] * local
            waiting_for[parent] -= 1
            if waiting_for[parent] == 0:
                ready.append(parent)
    return total


def all_that_there_is(edges, output):
    """Goes through the record backwards: right, but tells of what the output does not use."""
    total = dict.fromkeys(edges, 0.0) | {output: 1.0}
    for node in reversed(edges):
        for parent, local in edges[node]:
            total[parent] += total[node] * local
    return total


def kept_sums():
    """A dictionary that is made once, not at each call."""
    kept = {}

    def sweep(edges, output):
        for name, gradient in right_sweep(edges, output).items():
            kept[name] = kept.get(name, 0.0) + gradient
        return {name: kept[name] for name in right_sweep(edges, output)}

    return sweep


def empties_the_graph(edges, output):
    total = right_sweep(edges, output)
    edges[output].clear()
    return total


SWEEPS = {
    "= for += at a fork": (overwriting, "x * x"),
    "the local derivative forgotten": (without_local, "chain"),
    "what arrives forgotten": (without_upstream, "chain"),
    "what has been received is passed on again": (naive_recursion, "counter-example"),
    "in the order of a search in width": (as_found, "random"),
    "in the order of a search in depth": (lambda e, o: as_found(e, o, last=True), "random"),
    "parents in a set": (parents_in_a_set, "x + x"),
    "users counted that do not matter": (counting_all_users, "shortcut"),
    "tells of what the output does not use": (all_that_there_is, "shortcut"),
    "sums kept between calls": (kept_sums(), "a second call"),
    "the graph is emptied": (empties_the_graph, "is changed"),
}


# Chapter 8: activations


def wrong_activation(slope, forward=lambda z: 1 / (1 + np.exp(-z))):
    """Return an activation whose backward multiplies by `slope(z, a)`."""

    def function(z):
        a = forward(z)
        return a, lambda da: (da * slope(z, a),)

    return function


def logistic(z):
    return 1 / (1 + np.exp(-z))


def rectified(z):
    return np.maximum(z, 0)


def leaky(z):
    return np.where(z > 0, z, 0.1 * z)


def scaled_tanh(z):
    return 1.7159 * np.tanh(2 * z / 3)


def bell(z):
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def masks_its_input(z):
    z *= z > 0
    return z.copy(), lambda da: (da * (z > 0),)


def masks_what_it_is_given(z):
    def backward(da):
        da *= z > 0
        return (da.copy(),)

    return rectified(z), backward


DROPPED = 2.0 * np.random.default_rng(5).integers(0, 2, size=(4, 4))

ACTIVATIONS = {
    "relu: >= on the output": (wrong_activation(lambda z, a: a >= 0, rectified), ALONG),
    "relu: the sign of the slope": (
        wrong_activation(lambda z, a: -1.0 * (z > 0), rectified),
        ALONG,
    ),
    "relu: the output for the slope": (wrong_activation(lambda z, a: a, rectified), ALONG),
    "relu: the mask turned round": (wrong_activation(lambda z, a: z < 0, rectified), ALONG),
    "relu: the mask of what arrives": (
        lambda z: (rectified(z), lambda da: (da * (da > 0),)),
        ALONG,
    ),
    "relu: no mask": (wrong_activation(lambda z, a: 1.0, rectified), ALONG),
    "relu: masks its input": (masks_its_input, INPUT),
    "relu: masks what it is given": (masks_what_it_is_given, GIVEN),
    "leaky relu: the slope of relu": (wrong_activation(lambda z, a: z > 0, leaky), ALONG),
    "leaky relu: the slope squared": (
        wrong_activation(lambda z, a: np.where(z > 0, 1.0, 0.01), leaky),
        ALONG,
    ),
    "leaky relu: the slope on both sides": (wrong_activation(lambda z, a: 0.1, leaky), ALONG),
    "sigmoid: a (1 - a) of the input": (wrong_activation(lambda z, a: z * (1 - z)), ALONG),
    "sigmoid: a (1 - a) of a sigmoid taken twice": (
        wrong_activation(lambda z, a: logistic(a) * (1 - logistic(a))),
        ALONG,
    ),
    "sigmoid: a (1 - a) taken twice": (wrong_activation(lambda z, a: (a * (1 - a)) ** 2), ALONG),
    "sigmoid: the slope of tanh": (wrong_activation(lambda z, a: 1 - a**2), ALONG),
    "sigmoid: a alone": (wrong_activation(lambda z, a: a), ALONG),
    "sigmoid: the slope forgotten": (wrong_activation(lambda z, a: 1.0), ALONG),
    "tanh: 1 - z^2": (wrong_activation(lambda z, a: 1 - z**2, np.tanh), ALONG),
    "tanh: 1 - a": (wrong_activation(lambda z, a: 1 - a, np.tanh), ALONG),
    "tanh: 1 - tanh(a)^2": (wrong_activation(lambda z, a: 1 - np.tanh(a) ** 2, np.tanh), ALONG),
    "tanh: the slope of the sigmoid": (wrong_activation(lambda z, a: a * (1 - a), np.tanh), ALONG),
    "a scaled tanh: the slope of what is scaled": (
        wrong_activation(lambda z, a: 1 - a**2, scaled_tanh),
        ALONG,
    ),
    "a scaled tanh: the inner factor forgotten": (
        wrong_activation(lambda z, a: 1.7159 * (1 - np.tanh(2 * z / 3) ** 2), scaled_tanh),
        ALONG,
    ),
    "a dropped sigmoid: the slope of what is dropped": (
        wrong_activation(lambda z, a: DROPPED * a * (1 - a), lambda z: DROPPED * logistic(z)),
        ALONG,
    ),
    "softplus: the slope of relu": (
        wrong_activation(lambda z, a: z > 0, lambda z: np.logaddexp(0, z)),
        ALONG,
    ),
    "softplus: a (1 - a)": (
        wrong_activation(lambda z, a: a * (1 - a), lambda z: np.logaddexp(0, z)),
        ALONG,
    ),
    "softplus: the sigmoid of -z": (
        wrong_activation(lambda z, a: logistic(-z), lambda z: np.logaddexp(0, z)),
        ALONG,
    ),
    "gelu: the product rule forgotten": (
        wrong_activation(lambda z, a: gelu(z)[0] / z, lambda z: gelu(z)[0]),
        ALONG,
    ),
    "gelu: the bell curve without its z": (
        wrong_activation(lambda z, a: gelu(z)[0] / z + bell(z), lambda z: gelu(z)[0]),
        ALONG,
    ),
    "gelu: the slope of an approximation": (
        wrong_activation(
            lambda z, a: logistic(1.702 * z) * (1 + 1.702 * z * (1 - logistic(1.702 * z))),
            lambda z: gelu(z)[0],
        ),
        ALONG,
    ),
    "a bare array": (tanh, COUNT),
}


# Chapters 9 and 10: two layers


def wrong_network(backward):
    """Return a two-layer network whose backward is `backward(d, x, a, w1, w2)`.

    a is the hidden activation, a sigmoid; the gradients are those of w1, b1, w2, b2 and x.
    """

    def function(w1, b1, w2, b2, x):
        a = logistic(x @ w1 + b1)
        return a @ w2 + b2, lambda d: backward(d, x, a, w1, w2)

    return function


def gradients_of(d, hidden, x, a, w1):
    """Return the five gradients, given those at the output and at the hidden pre-activation."""
    return x.T @ hidden, hidden.sum(axis=0), a.T @ d, d.sum(axis=0), hidden @ w1.T


def slope(a):
    return a * (1 - a)


def with_hidden(hidden):
    """Return a two-layer network, right where its hidden delta `hidden(d, x, a, w1, w2)` is."""
    return wrong_network(lambda d, x, a, w1, w2: gradients_of(d, hidden(d, x, a, w1, w2), x, a, w1))


def with_gradients(change):
    """Return a two-layer network whose gradients, right ones, are put through `change`."""
    return wrong_network(
        lambda d, x, a, w1, w2: change(*gradients_of(d, d @ w2.T * slope(a), x, a, w1))
    )


NETWORKS = {
    "hidden delta without the slope": (with_hidden(lambda d, x, a, w1, w2: d @ w2.T), ALONG),
    "hidden delta with the new weights": (
        with_hidden(lambda d, x, a, w1, w2: d @ (w2 - 0.2 * a.T @ d).T * slope(a)),
        ALONG,
    ),
    "hidden delta without the transpose": (
        with_hidden(lambda d, x, a, w1, w2: d @ w2 * slope(a)),
        ALONG,
    ),
    "hidden delta with the first layer's weights": (
        with_hidden(lambda d, x, a, w1, w2: d @ w1.T * slope(a)),
        ALONG,
    ),
    "hidden delta with the slope before the weights": (
        with_hidden(lambda d, x, a, w1, w2: (d * slope(a)) @ w2.T),
        ALONG,
    ),
    "hidden delta with the slope taken twice": (
        with_hidden(lambda d, x, a, w1, w2: d @ w2.T * slope(a) ** 2),
        ALONG,
    ),
    "hidden delta with the slope of the slope": (
        with_hidden(lambda d, x, a, w1, w2: d @ w2.T * slope(logistic(a))),
        ALONG,
    ),
    "hidden delta with the slope at the input": (
        with_hidden(lambda d, x, a, w1, w2: d @ w2.T * slope(x)),
        ALONG,
    ),
    "hidden delta by the outputs, not the weights": (
        with_hidden(lambda d, x, a, w1, w2: d * a * slope(a)),
        ALONG,
    ),
    "hidden delta summed, not shared out by weight": (
        with_hidden(lambda d, x, a, w1, w2: d.sum(axis=1, keepdims=True) * slope(a)),
        ALONG,
    ),
    "the output's delta with a slope that is not there": (
        wrong_network(
            lambda d, x, a, w1, w2: gradients_of(
                d * slope(a @ w2), (d * slope(a @ w2)) @ w2.T * slope(a), x, a, w1
            )
        ),
        ALONG,
    ),
    "one layer's sign": (with_gradients(lambda w1, b1, w2, b2, x: (-w1, -b1, w2, b2, x)), ALONG),
    "the other layer's sign": (
        with_gradients(lambda w1, b1, w2, b2, x: (w1, b1, -w2, -b2, x)),
        ALONG,
    ),
    "every sign": (with_gradients(lambda *gradients: tuple(-g for g in gradients)), ALONG),
    "the sign of a bias": (with_gradients(lambda w1, b1, w2, b2, x: (w1, -b1, w2, b2, x)), ALONG),
    "bias gradient summed over everything": (
        with_gradients(lambda w1, b1, w2, b2, x: (w1, b1.sum(), w2, b2, x)),
        SHAPE,
    ),
    "bias gradient summed over everything, and broadcast": (
        with_gradients(lambda w1, b1, w2, b2, x: (w1, b1.sum() + 0 * b1, w2, b2, x)),
        ALONG,
    ),
    "gradients of the layers swapped": (
        with_gradients(lambda w1, b1, w2, b2, x: (w2, b2, w1, b1, x)),
        ALONG,
    ),
    "gradients of the biases swapped": (
        with_gradients(lambda w1, b1, w2, b2, x: (w1, b2, w2, b1, x)),
        ALONG,
    ),
    "weights and bias swapped": (
        with_gradients(lambda w1, b1, w2, b2, x: (b1, w1, w2, b2, x)),
        SHAPE,
    ),
    "second layer's gradient from the input": (
        wrong_network(
            lambda d, x, a, w1, w2: (
                *gradients_of(d, d @ w2.T * slope(a), x, a, w1)[:2],
                x.T @ d,
                *gradients_of(d, d @ w2.T * slope(a), x, a, w1)[3:],
            )
        ),
        ALONG,
    ),
    "the first layer's gradient passed on as dx": (
        with_gradients(lambda w1, b1, w2, b2, x: (w1, b1, w2, b2, w1)),
        ALONG,
    ),
    "dx forgotten": (with_gradients(lambda w1, b1, w2, b2, x: (w1, b1, w2, b2)), COUNT),
}

# Chapters 12 and 14: losses and operations, each case's output with another backward


def mistaken(case, backward):
    """Return the function of a case with the backward `backward(d, *arrays)`, its options too."""

    def function(*arrays):
        output, _ = CASES[case].function(*arrays)
        options = CASES[case].options(*arrays)

        def wrong(d):
            gradients = backward(d, *arrays, **options)
            return gradients if isinstance(gradients, tuple) else (gradients,)

        return output, wrong

    return function


def p_of(z, axis=-1):
    return np.exp(z) / np.exp(z).sum(axis=axis, keepdims=True)


def one_hot(z, labels):
    return np.eye(z.shape[1])[labels]


def over_the_margin(scores, labels, margin=1.0):
    return scores - scores[np.arange(len(scores)), labels][:, None] + margin > 0


def written_into(x, index, d):
    dx = np.zeros_like(x)
    dx[index] += d
    return dx


def to_the_largest_of_all(d, x, axis):
    """Compare with the largest of all in place of the largest along the axis."""
    return np.where(x == x.max(), d, 0.0)


def scales_in_place(d, z):
    d *= p_of(z)
    return d - p_of(z) * d.sum(axis=-1, keepdims=True)


OPERATIONS = {
    "negative: the sign forgotten": ("negative", lambda d, x: d, ALONG),
    "exp: x for the output": ("exp", lambda d, x: d * x, ALONG),
    "exp: the slope of a power": ("exp", lambda d, x: d * x * np.exp(x - 1), ALONG),
    "log: multiplied by x": ("log", lambda d, x: d * x, ALONG),
    "log: divided by the output": ("log", lambda d, x: d / np.log(x), ALONG),
    "log: to base 2": ("log", lambda d, x: d / (x * np.log(2)), ALONG),
    "sqrt: the 2 forgotten": ("sqrt", lambda d, x: d / np.sqrt(x), ALONG),
    "sqrt: x for its root": ("sqrt", lambda d, x: d / (2 * x), ALONG),
    "sin: the output for the slope": ("sin", lambda d, x: d * np.sin(x), ALONG),
    "sin: the sign of the cosine": ("sin", lambda d, x: -d * np.cos(x), ALONG),
    "cos: the sign of the sine": ("cos", lambda d, x: d * np.sin(x), ALONG),
    "absolute: the size for the sign": ("absolute", lambda d, x: d * abs(x), ALONG),
    "absolute: 1 on either side": ("absolute", lambda d, x: d, ALONG),
    "absolute: the mask of relu": ("absolute", lambda d, x: d * (x > 0), ALONG),
    "power: the exponent not lowered": (
        "power of 3.0",
        lambda d, x, exponent: d * exponent * x**exponent,
        ALONG,
    ),
    "power: the exponent forgotten": (
        "power of 3.0",
        lambda d, x, exponent: d * x ** (exponent - 1),
        ALONG,
    ),
    "power: one less in front too": (
        "power of -1",
        lambda d, x, exponent: d * (exponent - 1) * x ** (exponent - 1),
        ALONG,
    ),
    "add: not summed": ("add of a scalar", lambda d, a, b: (d, d), SHAPE),
    "add: a mean over the copies": (
        "add of a column and a row",
        lambda d, a, b: (d.mean(axis=1, keepdims=True), d.mean(axis=0)),
        ALONG,
    ),
    "add: the axis that was stretched left out": (
        "add of a column and a row",
        lambda d, a, b: (d.sum(axis=1), d.sum(axis=0)),
        SHAPE,
    ),
    "add: summed over the other axis": (
        "add of a column and a row",
        lambda d, a, b: (d.sum(axis=0)[:, None], d.sum(axis=0)),
        ALONG,
    ),
    "unbroadcast: the first copy for the sum": (
        "add of a row and a matrix",
        lambda d, a, b: (d[0], d),
        ALONG,
    ),
    "subtract: the sign forgotten": ("subtract of equal shapes", lambda d, a, b: (d, d), ALONG),
    "subtract: the sign of both": ("subtract of equal shapes", lambda d, a, b: (-d, -d), ALONG),
    "subtract: a gradient too few": ("subtract of equal shapes", lambda d, a, b: d, COUNT),
    "multiply: the factors exchanged": (
        "multiply of equal shapes",
        lambda d, a, b: (d * a, d * b),
        ALONG,
    ),
    "multiply: summed before it is multiplied": (
        "multiply of a row and a matrix",
        lambda d, a, b: (d.sum(axis=0) * b.sum(axis=0), d * a),
        ALONG,
    ),
    "divide: the square forgotten": (
        "divide of equal shapes",
        lambda d, a, b: (d / b, -d * a / b),
        ALONG,
    ),
    "divide: the sign forgotten": (
        "divide of equal shapes",
        lambda d, a, b: (d / b, d * a / b**2),
        ALONG,
    ),
    "maximum: the loser takes it": (
        "maximum of equal shapes",
        lambda d, a, b: (d * (a < b), d * (b < a)),
        ALONG,
    ),
    "maximum: both take it": ("maximum of equal shapes", lambda d, a, b: (d, d), ALONG),
    "maximum: half to each": ("maximum of equal shapes", lambda d, a, b: (d / 2, d / 2), ALONG),
    "maximum: the mask of a relu": (
        "maximum of equal shapes",
        lambda d, a, b: (d * (a > 0), d * (b > 0)),
        ALONG,
    ),
    "minimum: that of the maximum": (
        "minimum of equal shapes",
        lambda d, a, b: (d * (a > b), d * (b > a)),
        ALONG,
    ),
    "matmul: b not transposed": (
        "matmul of two matrices",
        lambda d, a, b: (d @ b, a.T @ d),
        ALONG,
    ),
    "matmul: a not transposed": (
        "matmul of two matrices",
        lambda d, a, b: (d @ b.T, a @ d),
        ALONG,
    ),
    "matmul: in the wrong order": (
        "matmul of two matrices",
        lambda d, a, b: (d @ b.T, d @ a.T),
        ALONG,
    ),
    "matmul: all axes reversed": (
        "matmul of a stack and a matrix",
        lambda d, a, b: (d @ b.T, (a.reshape(-1, 4).T @ d.reshape(-1, 4)).T),
        ALONG,
    ),
    "matmul: one matrix of the stack": (
        "matmul of a stack and a matrix",
        lambda d, a, b: (d @ b.T, a[-1].T @ d[-1]),
        ALONG,
    ),
    "matmul: a mean over the stack": (
        "matmul of a stack and a matrix",
        lambda d, a, b: (d @ b.T, (a.swapaxes(-1, -2) @ d).mean(axis=0)),
        ALONG,
    ),
    "matmul: not summed over the stack": (
        "matmul of a stack and a matrix",
        lambda d, a, b: (d @ b.T, a.swapaxes(-1, -2) @ d),
        SHAPE,
    ),
    "reduce_sum: along the other axis": (
        "reduce_sum of axis 0",
        lambda d, x, axis: d[:, None] * np.ones_like(x),
        ALONG,
    ),
    "reduce_sum: a mean": (
        "reduce_sum of axis 0",
        lambda d, x, axis: d * np.ones_like(x) / len(x),
        ALONG,
    ),
    "reduce_sum: not spread": ("reduce_sum of axis 0", lambda d, x, axis: d, SHAPE),
    "reduce_mean: a sum": ("reduce_mean of axis 0", lambda d, x, axis: d + 0 * x, ALONG),
    "reduce_mean: divided by all entries": (
        "reduce_mean of axis 0",
        lambda d, x, axis: (d + 0 * x) / x.size,
        ALONG,
    ),
    "reduce_max: to the largest of all": ("reduce_max of axis 0", to_the_largest_of_all, ALONG),
    "reduce_max: to every entry": ("reduce_max of axis 0", lambda d, x, axis: d + 0 * x, ALONG),
    "reduce_max: to the smallest": (
        "reduce_max of axis 0",
        lambda d, x, axis: d * (x == x.min(axis=axis)),
        ALONG,
    ),
    "reduce_max: the value for the slope": (
        "reduce_max of axis 0",
        lambda d, x, axis: d * x * (x == x.max(axis=axis)),
        ALONG,
    ),
    "reshape: not shaped back": ("reshape to one axis", lambda d, x, shape: d, SHAPE),
    "reshape: column by column": (
        "reshape to one axis",
        lambda d, x, shape: d.reshape(x.shape, order="F"),
        ALONG,
    ),
    "reshape: a transpose": (
        "reshape to other lengths",
        lambda d, x, shape: d.T,
        ALONG,
    ),
    "transpose: not turned back": ("transpose", lambda d, x: d, ALONG),
    "transpose: shaped back": ("transpose", lambda d, x: d.reshape(x.shape), ALONG),
    "transpose: turned on, not back": (
        "transpose in a cycle",
        lambda d, x, axes: d.transpose(axes),
        ALONG,
    ),
    "transpose: reversed": ("transpose in a cycle", lambda d, x, axes: d.T, ALONG),
    "getitem: the last of those taken again": (
        "getitem of numbers, one three times",
        lambda d, x, index: written_into(x, index, d),
        ALONG,
    ),
    "scatter_add: the places from the last to the first": (
        "scatter_add of rows",
        lambda d, values, index, shape: d[index[::-1]],
        ALONG,
    ),
    "scatter_add: all of the gradient": (
        "scatter_add of rows",
        lambda d, values, index, shape: d,
        SHAPE,
    ),
    "getitem: only what was taken": ("getitem of a slice", lambda d, x, index: d, SHAPE),
    "getitem: to the first entries": (
        "getitem of a slice",
        lambda d, x, index: written_into(x, slice(0, len(d)), d),
        ALONG,
    ),
}

LOSSES = {
    "logsumexp: a hard maximum": (
        "logsumexp of rows",
        lambda d, z: d[:, None] * (z == z.max(axis=-1, keepdims=True)),
        ALONG,
    ),
    "logsumexp: not divided by the sum": (
        "logsumexp of rows",
        lambda d, z: d[:, None] * np.exp(z),
        ALONG,
    ),
    "logsumexp: spread along the other axis": (
        "logsumexp of rows",
        lambda d, z: d * p_of(z),
        ALONG,
    ),
    "logsumexp: the softmax of columns": (
        "logsumexp of rows",
        lambda d, z: d[:, None] * p_of(z, 0),
        ALONG,
    ),
    "softmax: the diagonal alone": (
        "softmax of rows",
        lambda d, z: d * p_of(z) * (1 - p_of(z)),
        ALONG,
    ),
    "softmax: the diagonal without its square": (
        "softmax of rows",
        lambda d, z: d * p_of(z),
        ALONG,
    ),
    "softmax: summed over everything": (
        "softmax of rows",
        lambda d, z: p_of(z) * (d - (d * p_of(z)).sum()),
        ALONG,
    ),
    "softmax: summed along the other axis": (
        "softmax of rows",
        lambda d, z: p_of(z) * (d - (d * p_of(z)).sum(axis=0)),
        ALONG,
    ),
    "softmax: what arrives is not weighed": (
        "softmax of rows",
        lambda d, z: p_of(z) * (d - d.sum(axis=-1, keepdims=True)),
        ALONG,
    ),
    "softmax: scales what it is given": ("softmax of rows", scales_in_place, GIVEN),
    "log_softmax: nothing taken off": ("log_softmax of rows", lambda d, z: d, ALONG),
    "log_softmax: that of a label": ("log_softmax of rows", lambda d, z: d - p_of(z), ALONG),
    "log_softmax: that of the softmax": (
        "log_softmax of rows",
        lambda d, z: p_of(z) * (d - (d * p_of(z)).sum(axis=-1, keepdims=True)),
        ALONG,
    ),
    "cross_entropy: 1/N forgotten": (
        "cross_entropy",
        lambda d, z, labels: d * (p_of(z) - one_hot(z, labels)),
        ALONG,
    ),
    "cross_entropy: divided by the classes too": (
        "cross_entropy",
        lambda d, z, labels: d * (p_of(z) - one_hot(z, labels)) / z.size,
        ALONG,
    ),
    "cross_entropy: one-hot minus p": (
        "cross_entropy",
        lambda d, z, labels: d * (one_hot(z, labels) - p_of(z)) / len(z),
        ALONG,
    ),
    "cross_entropy: the wrong classes forgotten": (
        "cross_entropy",
        lambda d, z, labels: d * (p_of(z) - 1) * one_hot(z, labels) / len(z),
        ALONG,
    ),
    "cross_entropy: the right class forgotten": (
        "cross_entropy",
        lambda d, z, labels: d * p_of(z) / len(z),
        ALONG,
    ),
    "cross_entropy: through the softmax twice": (
        "cross_entropy",
        lambda d, z, labels: d * (p_of(p_of(z)) - one_hot(z, labels)) / len(z),
        ALONG,
    ),
    "cross_entropy: with respect to p": (
        "cross_entropy",
        lambda d, z, labels: -d * one_hot(z, labels) / p_of(z) / len(z),
        ALONG,
    ),
    "cross_entropy: the first label for all": (
        "cross_entropy",
        lambda d, z, labels: d * (p_of(z) - one_hot(z, labels[:1])) / len(z),
        ALONG,
    ),
    "cross_entropy: dloss forgotten": (
        "cross_entropy",
        lambda d, z, labels: (p_of(z) - one_hot(z, labels)) / len(z),
        ALONG,
    ),
    "soft_cross_entropy: as if the targets summed to 1": (
        "soft_cross_entropy of what are no probabilities",
        lambda d, z, t: (d * (p_of(z) - t) / len(z), -d * np.log(p_of(z)) / len(z)),
        ALONG,
    ),
    "soft_cross_entropy: the sign of the targets": (
        "soft_cross_entropy",
        lambda d, z, t: (d * (p_of(z) - t) / len(z), d * np.log(p_of(z)) / len(z)),
        ALONG,
    ),
    "soft_cross_entropy: the targets forgotten": (
        "soft_cross_entropy",
        lambda d, z, t: (d * (p_of(z) - t) / len(z), 0 * t),
        ALONG,
    ),
    "soft_cross_entropy: a gradient too few": (
        "soft_cross_entropy",
        lambda d, z, t: d * (p_of(z) - t) / len(z),
        COUNT,
    ),
    "binary_cross_entropy: a p (1 - p) kept": (
        "binary_cross_entropy of (N,)",
        lambda d, z, t: (d * (logistic(z) - t) * slope(logistic(z)) / len(z), -d * z / len(z)),
        ALONG,
    ),
    "binary_cross_entropy: with respect to p": (
        "binary_cross_entropy of (N,)",
        lambda d, z, t: (
            d * (logistic(z) - t) / slope(logistic(z)) / len(z),
            -d * z / len(z),
        ),
        ALONG,
    ),
    "binary_cross_entropy: a mean over the outputs too": (
        "binary_cross_entropy of (N, H)",
        lambda d, z, t: (d * (logistic(z) - t) / z.size, -d * z / z.size),
        ALONG,
    ),
    "binary_cross_entropy: the half of the targets": (
        "binary_cross_entropy of (N,)",
        lambda d, z, t: (d * (logistic(z) - t) / len(z), -d * np.log(logistic(z)) / len(z)),
        ALONG,
    ),
    "hinge: the right class forgotten": (
        "hinge",
        lambda d, z, labels: d * (over_the_margin(z, labels) - one_hot(z, labels)) / len(z),
        ALONG,
    ),
    "hinge: 1 off the right class": (
        "hinge",
        lambda d, z, labels: d * (over_the_margin(z, labels) - 2 * one_hot(z, labels)) / len(z),
        ALONG,
    ),
    "hinge: the margin forgotten": (
        "hinge of margin 0.3",
        lambda d, z, labels, margin: (
            lambda over: d * (over - over.sum(1, keepdims=True) * one_hot(z, labels)) / len(z)
        )(over_the_margin(z, labels, 1.0)),
        ALONG,
    ),
    "hinge: the excess for its slope": (
        "hinge",
        lambda d, z, labels: (
            d * (z - z[np.arange(len(z)), labels][:, None] + 1) * over_the_margin(z, labels)
        ),
        ALONG,
    ),
    "hinge: 1/N forgotten": (
        "hinge",
        lambda d, z, labels: (
            lambda over: d * (over - over.sum(1, keepdims=True) * one_hot(z, labels))
        )(over_the_margin(z, labels)),
        ALONG,
    ),
}

MISTAKEN = OPERATIONS | LOSSES
LENGTHS = {"n": 4, "d": 4, "h": 4}  # square, so that a missing transpose fits


def faults_of(function, case):
    rng = np.random.default_rng(2)
    return gradient_faults(function, case.arrays(LENGTHS, rng), rng, case.n_gradients)


def refuse(function, case, message):
    faults = faults_of(function, CASES[case])
    assert any(message in fault for fault in faults), faults


@pytest.mark.parametrize(("backward", "message"), DENSE.values(), ids=DENSE)
def test_a_wrong_dense_layer_is_refused(backward, message):
    refuse(wrong_dense(backward), "dense", message)


@pytest.mark.parametrize(("backward", "message"), LOSS.values(), ids=LOSS)
def test_a_wrong_squared_error_is_refused(backward, message):
    refuse(wrong_loss(backward), "squared_error of (N, H)", message)


@pytest.mark.parametrize(("backward", "message"), REGRESSION.values(), ids=REGRESSION)
def test_a_wrong_regression_is_refused(backward, message):
    refuse(wrong_regression(backward), "linear_regression", message)


def test_a_forward_that_changes_its_input_is_refused():
    right = wrong_dense(lambda dy, x, w: (dy @ w.T, x.T @ dy, dy.sum(axis=0)), centres_its_input)
    refuse(right, "dense", INPUT)


def test_the_right_ones_pass():
    """The three ways to write a wrong function, given a right backward, are not refused."""
    right = {
        "dense": wrong_dense(lambda dy, x, w: (dy @ w.T, x.T @ dy, dy.sum(axis=0))),
        "squared_error of (N, H)": wrong_loss(lambda d, r: (d * mean(r), -d * mean(r))),
        "linear_regression": wrong_regression(
            lambda d, x, r: (d * x.T @ mean(r), d * mean(r).sum(axis=0))
        ),
    }
    right |= {
        "compose": wrong_chain(lambda backwards, dy: in_turn(reversed(backwards), dy)),
        "sigmoid": wrong_activation(lambda z, a: a * (1 - a)),
        "relu": wrong_activation(lambda z, a: a > 0, rectified),
        "leaky_relu": wrong_activation(lambda z, a: np.where(z > 0, 1.0, 0.1), leaky),
        "tanh": wrong_activation(
            lambda z, a: 1.7159 * 2 / 3 * (1 - (a / 1.7159) ** 2), scaled_tanh
        ),
        "softplus": wrong_activation(lambda z, a: logistic(z), lambda z: np.logaddexp(0, z)),
        "gelu": wrong_activation(lambda z, a: gelu(z)[0] / z + z * bell(z), lambda z: gelu(z)[0]),
        "network of 2 with sigmoid": with_hidden(lambda d, x, a, w1, w2: d @ w2.T * slope(a)),
    }
    for case, function in right.items():
        assert faults_of(function, CASES[case]) == []
    assert faults_of(one_gradient(compose(LINKS)), CASES["compose"]) == []
    assert list(sweep_faults(right_sweep)) == []


@pytest.mark.parametrize(("function", "message"), CHAINS.values(), ids=CHAINS)
def test_a_wrong_chain_is_refused(function, message):
    refuse(function, "compose", message)


@pytest.mark.parametrize(("sweep", "message"), SWEEPS.values(), ids=SWEEPS)
def test_a_wrong_sweep_is_refused(sweep, message, monkeypatch):
    monkeypatch.setattr("graph_check.EDGES", copy.deepcopy(graph_check.EDGES))
    faults = list(sweep_faults(sweep))
    assert any(message in fault for fault in faults), faults


@pytest.mark.parametrize(("function", "message"), ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_a_wrong_activation_is_refused(function, message):
    refuse(function, "relu", message)  # whose numbers keep away from a kink at 0


@pytest.mark.parametrize(("function", "message"), NETWORKS.values(), ids=NETWORKS)
def test_a_wrong_network_is_refused(function, message):
    refuse(function, "network of 2 with sigmoid", message)


def test_a_transpose_is_seen_to_be_missing_only_where_it_fits():
    """Where the layers differ in width NumPy itself refuses; where they do not, the check does."""
    without, _ = NETWORKS["hidden delta without the transpose"]
    rng = np.random.default_rng(6)
    arrays = CASES["network of 2 with sigmoid"].arrays({"n": 5, "d": 3, "h": 2}, rng)
    output, backward = without(*arrays)
    with pytest.raises(ValueError, match="matmul"):
        backward(np.ones_like(output))


def test_a_chain_alone_does_not_tell_an_overwriting_sweep():
    """Why a check needs forks: with `=` for `+=` every chain is right."""
    assert not [fault for fault in sweep_faults(overwriting) if fault.startswith("chain")]


@pytest.mark.parametrize(("case", "backward", "message"), MISTAKEN.values(), ids=MISTAKEN)
def test_a_wrong_operation_or_loss_is_refused(case, backward, message):
    refuse(mistaken(case, backward), case, message)


def test_every_differentiable_function_has_a_wrong_version():
    """Beside those above: dense, squared_error, a regression, chains, activations and networks."""
    above = {"dense", "squared_error", "linear_regression", "compose", "network", "network_loss"}
    above |= {"identity", "relu", "leaky_relu", "sigmoid", "tanh", "softplus", "gelu"}
    wrong = {case.split(" ")[0] for case, _, _ in MISTAKEN.values()}
    assert wrong | above == {name.split(" ")[0] for name in CASES}
    assert any(mistake.startswith("unbroadcast") for mistake in MISTAKEN)


def test_right_operations_and_losses_pass():
    """The way to write a wrong one, given a right backward, is not refused."""
    right = {
        "multiply of a column and a row": lambda d, a, b: (
            unbroadcast(d * b, a.shape),
            unbroadcast(d * a, b.shape),
        ),
        "power of 3.0": lambda d, x, exponent: d * exponent * x ** (exponent - 1),
        "reduce_max of axis 0": lambda d, x, axis: d * (x == x.max(axis=axis)),
        "softmax of rows": lambda d, z: p_of(z) * (d - (d * p_of(z)).sum(axis=-1, keepdims=True)),
        "cross_entropy": lambda d, z, labels: d * (p_of(z) - one_hot(z, labels)) / len(z),
        "getitem of a slice": lambda d, x, index: written_into(x, index, d),
    }
    for case, backward in right.items():
        assert faults_of(mistaken(case, backward), CASES[case]) == []


def test_shares_at_a_tie_are_seen_only_at_a_tie():
    """Why ties have tests of their own: away from them one winner and equal shares are the same."""
    one_winner = mistaken("reduce_max of axis 0", lambda d, x, axis: d * (x == x.max(axis=axis)))
    assert faults_of(one_winner, CASES["reduce_max of axis 0"]) == []
    tied = np.ones((3, 1))
    assert one_winner(tied)[1](np.ones(1))[0].sum() == 3
    assert CASES["reduce_max of axis 0"].function(tied)[1](np.ones(1))[0].sum() == 1

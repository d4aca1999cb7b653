"""The tensor engine: what is on the tape, what comes back along it, and what is told when not.

The derivatives themselves are compared in `test_engine_operations.py`.
"""

import functools
import gc
import operator
import sys
import threading
import tracemalloc

import numpy as np
import pytest

from backprop_book import (
    Tensor,
    add,
    apply,
    backpropagate,
    cross_entropy,
    dense,
    digits,
    grad,
    initialize,
    iterate_minibatches,
    lights,
    matmul,
    multiply,
    network,
    no_grad,
    numerical_gradient,
    sgd_step,
    sigmoid,
    tensor,
)
from backprop_book.tensor import Node, count_uses, recording, sweep

X = np.array([1.0, 2.0, 3.0, 4.0])


def leaf(data=X, requires_grad=True):
    return Tensor(data, requires_grad=requires_grad)


# Sums over paths


def test_a_value_used_twice_has_the_sum():
    x = leaf(3.0)
    (x * x).backward()
    assert x.grad == 6
    x = leaf(3.0)
    (x + x).backward()
    assert x.grad == 2


def test_diamonds_and_forks_wait_for_all_who_use_a_value():
    a, b = leaf(2.0), leaf(3.0)
    c, d = a + b, a * b
    ((c + d) + c * d).backward()
    assert (a.grad, b.grad) == (25, 19)


def test_the_sweep_is_that_of_chapter_7():
    rng = np.random.default_rng(7)
    for _ in range(20):
        x = leaf(rng.normal())
        values, edges = [x], {"0": []}
        for k in range(1, 12):
            i, j = rng.integers(k, size=2)
            a, b = values[i], values[j]
            edges[str(k)] = [(str(i), b.item()), (str(j), a.item())]
            values.append(a * b)
        values[-1].backward()
        wanted = backpropagate(edges, "11")["0"]
        np.testing.assert_allclose(x.grad, wanted, rtol=1e-12)


def test_a_backward_is_called_once_however_many_paths_there_are():
    calls = []

    def doubled(x):
        return x + x, lambda doutput: (calls.append(1), 2 * doutput)[1]

    x = leaf(1.0)
    y = x
    for _ in range(40):
        y = apply(doubled, y) + y
    y.backward()
    assert len(calls) == 40
    assert x.grad == 3.0**40


def test_a_chain_of_10_000_needs_no_recursion():
    x = leaf(1.0)
    y = x
    for _ in range(10_000):
        y = y + 1.0
    assert sys.getrecursionlimit() < 10_000
    y.backward()
    assert x.grad == 1
    del y  # which frees the chain, without recursion too


def test_a_gradient_arrives_only_where_it_is_wanted():
    x, constant = leaf(), Tensor(X)
    (x * constant * X).sum().backward()
    np.testing.assert_array_equal(x.grad, X * X)
    assert constant.grad is None
    with pytest.raises(RuntimeError, match="not on the tape"):
        constant.zero_grad()


def test_sweep_returns_the_gradients_of_leaves_and_keeps_nothing():
    one = Node()
    two = Node([one, one], lambda g: (2 * g, 3 * g))
    three = Node([two, None, one], lambda g: (g, None, 10 * g))
    assert sweep(three, 1.0) == {one: 15.0}
    assert one.grad is None
    assert count_uses(three) == {three: 0, two: 1, one: 3}


def test_a_backward_with_too_few_gradients_is_refused():
    x = leaf()
    y = apply(lambda a, b: (a + b, lambda doutput: doutput), x, x)
    with pytest.raises(ValueError):
        y.backward(X)


# Accumulating


def test_backward_again_adds_again_and_inner_gradients_do_not_linger():
    a = leaf(2.0)
    h = a * a
    h.retain_grad()
    y = h * 3.0
    y.backward()
    assert (a.grad, h.grad) == (12, 3)
    y.backward()
    assert (a.grad, h.grad) == (24, 6)


def test_two_losses_add_and_zero_grad_forgets():
    a = leaf(2.0)
    (a * 5).backward()
    (a * 7).backward()
    assert a.grad == 12
    a.zero_grad()
    assert a.grad is None
    (a * 5).backward()
    a.grad = None
    (a * 7).backward()
    assert a.grad == 7


def test_a_gradient_that_was_read_is_not_changed_by_the_next_backward():
    a = leaf()
    (a * 2).sum().backward()
    first = a.grad
    (a * 3).sum().backward()
    np.testing.assert_array_equal(first, 2 * np.ones(4))
    np.testing.assert_array_equal(a.grad, 5 * np.ones(4))


def test_gradients_share_no_memory():
    a, b, given = leaf(), leaf(), np.ones(4)
    (a + b).backward(given)
    a.grad[0] = 100
    np.testing.assert_array_equal(b.grad, np.ones(4))
    np.testing.assert_array_equal(given, np.ones(4))
    c = leaf()
    c.backward(given)
    c.grad[0] = 100
    np.testing.assert_array_equal(given, np.ones(4))
    d, e = leaf(np.ones((2, 2))), leaf(np.ones((2, 2)))
    (d.T + e).sum().backward()
    d.grad[0, 1] = 100
    np.testing.assert_array_equal(e.grad, np.ones((2, 2)))


# What is on the tape


def test_the_tape_is_made_of_what_requires_a_gradient_and_of_nothing_else():
    x, constant = leaf(), Tensor(X)
    assert (x * 2).requires_grad and (X * x).requires_grad
    assert not (constant * 2).requires_grad and (constant * 2).node is None
    names = {node.name for node in count_uses((np.exp(constant) * x).node)}
    assert names == {"multiply", ""}


def test_nothing_is_recorded_under_no_grad():
    x = leaf()
    with no_grad():
        y = x * 2
        with recording(True):
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert not y.requires_grad and (x * 2).requires_grad
    with pytest.raises(RuntimeError, match="made under no_grad"):
        y.sum().backward()


def test_no_grad_ends_with_an_error_too_and_may_be_used_again():
    x = leaf()
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert (x * 2).requires_grad
    for _ in range(2):
        with no_grad():
            assert not (x * 2).requires_grad


def test_no_grad_is_of_one_thread():
    found = []
    with no_grad():
        thread = threading.Thread(target=lambda: found.append((leaf() * 2).requires_grad))
        thread.start()
        thread.join()
    assert found == [True]


def test_detach_is_a_constant_of_the_same_array():
    x = leaf()
    h = x * x
    cut = h.detach()
    assert not cut.requires_grad
    np.testing.assert_array_equal(cut.numpy(), X * X)
    (cut * x).sum().backward()
    np.testing.assert_array_equal(x.grad, X * X)
    assert h.requires_grad
    with pytest.raises(RuntimeError, match="detached"):
        cut.sum().backward()


def test_a_detached_tensor_and_the_one_it_is_of_change_apart():
    h = leaf() * 1.0
    h.data[1] = 7
    cut = h.detach()
    h.data[2] = 9
    cut.data[0] = 5
    np.testing.assert_array_equal(cut.numpy(), [5, 7, 3, 4])
    np.testing.assert_array_equal(h.numpy(), [1, 7, 9, 4])


def test_requires_grad_can_be_switched_for_what_was_made_of_nothing():
    x = Tensor(X)
    x.requires_grad = True
    node = x.node
    x.requires_grad = True
    assert x.node is node
    (x * 2).sum().backward()
    np.testing.assert_array_equal(x.grad, 2 * np.ones(4))
    y = x * 2
    for wanted in (True, False):
        with pytest.raises(RuntimeError, match="made of others"):
            y.requires_grad = wanted
    x.requires_grad = False
    assert x.grad is None and not (x * 2).requires_grad


@pytest.mark.parametrize("function", [dense, matmul])
def test_the_product_for_an_input_without_gradient_is_spared(function, monkeypatch):
    told = []

    def spied(*inputs):
        output, backward = function(*inputs)

        def spy(doutput, **options):
            told.append(options)
            return backward(doutput, **options)

        return output, spy

    spared = {spied: tensor.SPARES_FIRST[function]}
    monkeypatch.setattr(tensor, "SPARES_FIRST", spared)
    others = [leaf(np.ones((3, 2)))] + [leaf(np.ones(2))] * (function is dense)
    apply(spied, np.ones((4, 3)), *others).sum().backward()
    first = leaf(np.ones((4, 3)))
    apply(spied, first, *others).sum().backward()
    assert told == [spared[spied], {}]
    assert first.grad.shape == (4, 3)


# Looking on


def test_only_leaves_keep_their_gradient_unless_told():
    x = leaf(2.0)
    h, k = x * 3, x * 4
    k.retain_grad()
    (h * k).backward()
    assert h.grad is None and k.grad == 6 and x.grad == 48


def test_hooks_see_the_whole_gradient_in_their_order_and_may_replace_it():
    seen = []
    x = leaf(2.0)
    h = x * 3
    h.register_hook(lambda gradient: seen.append(float(gradient)))
    h.register_hook(lambda gradient: gradient * 10)
    h.register_hook(lambda gradient: seen.append(float(gradient)))
    h.retain_grad()
    (h * h).backward()
    assert seen == [12.0, 120.0]
    assert h.grad == 120 and x.grad == 360
    seen.clear()
    x.register_hook(lambda gradient: gradient * 0 + 1)
    x.zero_grad()
    (x * 5).backward()
    assert x.grad == 1 and seen == []


def test_what_has_no_tape_has_no_hooks_and_retains_nothing():
    for act in (Tensor.retain_grad, Tensor.zero_grad, lambda t: t.register_hook(print)):
        with pytest.raises(RuntimeError, match="not on the tape"):
            act(Tensor(X))


# Arrays that are changed in place


def set_entry(x):
    x.data[0] = 5


def subtract(x):
    x.data -= 5


def multiply_by_nan(x):
    x.data *= np.nan


def twice_and_back(x):
    x.data[0] += 1
    x.version()
    x.data[0] -= 1


def through_numpy(x):
    x.numpy()[0] = 5


def through_a_view(x):
    x.data[1:][1] = 5


def then_replace(x):
    x.data[0] = 5
    x.data -= 1


CHANGES = [
    *(set_entry, subtract, multiply_by_nan, twice_and_back),
    *(through_numpy, through_a_view, then_replace),
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("inner", [False, True])
def test_a_change_in_place_between_forward_and_backward_is_told(change, inner):
    x = leaf()
    h = x * 1.0 if inner else x
    loss = (h * h).sum()
    change(h)
    wanted = (
        r"^multiply was given an array of shape \(4,\) that has been changed in place since; "
        r"make a new one instead, as x = x \+ 1 does$"
    )
    with pytest.raises(RuntimeError, match=wanted):
        loss.backward()
    assert x.grad is None


def test_a_constant_that_is_changed_is_told_as_well():
    x, constant = leaf(), Tensor(X)
    loss = (x * constant).sum()
    constant.data[0] = 5
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


@pytest.mark.parametrize("part", [lambda a: a, lambda a: a[:2]])
def test_a_held_reference_is_no_way_round(part):
    x = leaf()
    held = part(x.data)
    loss = (x * x).sum()
    held[0] = 5
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_a_change_before_forward_or_after_backward_is_nobodys_business():
    x = leaf()
    x.data[0] = 5
    loss = (x * x).sum()
    loss.backward()
    np.testing.assert_array_equal(x.grad, [10, 4, 6, 8])
    x.data[0] = 1
    assert x.grad[0] == 10
    x.data[1] = np.nan
    (x * x).sum().backward()  # an entry that is nan is not changed by being nan


def test_another_array_in_its_place_leaves_the_tape_as_it_was():
    x = leaf()
    loss = (x * x).sum()
    x.data = np.zeros(4)
    loss.backward()
    np.testing.assert_array_equal(x.grad, 2 * X)
    np.testing.assert_array_equal(x.numpy(), np.zeros(4))


def held_before_an_update(x):
    held = x.data
    x.data -= 0.0
    return held


def given_to_it(x):
    given = x.numpy().copy()
    x.data = given
    return given


@pytest.mark.parametrize(
    "array",
    [
        *(held_before_an_update, given_to_it),
        *(lambda x: x.reshape(2, 2).data[0], lambda x: x[:2].data, lambda x: x.copy().data),
        *(lambda x: x.T.data, lambda x: x.detach().data),
    ],
)
def test_an_array_that_is_the_tensors_no_more_does_not_reach_the_tape(array):
    """What was handed out or in is a copy wherever nothing watches it any more."""
    x = leaf()
    other = array(x)
    loss = (x * x).sum()
    other[0] = 100
    loss.backward()
    np.testing.assert_array_equal(x.grad, 2 * X)
    np.testing.assert_array_equal(x.numpy(), X)


def test_what_was_made_of_an_array_that_is_held_is_not_reached_either():
    """A view is off the tape here, so that no version of the array below it is looked at."""
    x, constant = leaf(), Tensor(X)
    held = constant.data
    loss = (x * constant.reshape(2, 2).reshape(4)).sum()
    held[0] = 100
    loss.backward()
    np.testing.assert_array_equal(x.grad, X)


def test_the_data_given_are_copied():
    given = X.copy()
    x = Tensor(given, requires_grad=True)
    loss = (x * x).sum()
    given[:] = 0
    loss.backward()
    np.testing.assert_array_equal(x.grad, 2 * X)


# Entries that are set


def test_setting_entries_cuts_them_and_brings_in_the_others():
    x, y = leaf(), leaf(7.0)
    h = x * x
    before = h.sum()
    h[1:3] = y * 2
    assert h.tolist() == [1, 14, 14, 16]
    (h * X).sum().backward()
    np.testing.assert_array_equal(x.grad, [2, 0, 0, 32])
    assert y.grad == 10
    x.zero_grad()
    before.backward()
    np.testing.assert_array_equal(x.grad, 2 * X)


def test_setting_entries_of_a_constant_puts_it_on_the_tape():
    y = leaf(7.0)
    table = Tensor(np.zeros(3))
    table[1] = y
    assert table.requires_grad
    (table * 2).sum().backward()
    assert y.grad == 2


def test_entries_of_a_leaf_are_set_under_no_grad_alone():
    x = leaf()
    with pytest.raises(RuntimeError, match=r"set in place; do it under no_grad\(\)"):
        x[0] = 5.0
    assert x.tolist() == [1, 2, 3, 4] and x.requires_grad
    with no_grad():
        x[0] = 5.0
    assert x.tolist() == [5, 2, 3, 4]


def test_a_leaf_whose_entries_are_set_under_no_grad_stays_that_leaf():
    x = leaf()
    node, loss = x.node, (x * x).sum()
    loss.backward()
    held = x.data
    with no_grad():
        x[0] = 5.0
    assert x.node is node
    np.testing.assert_array_equal(x.grad, 2 * X)
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()
    x.zero_grad()
    loss = (x * x).sum()
    held[:] = 100  # which is the array no more
    loss.backward()
    np.testing.assert_array_equal(x.grad, [10, 4, 6, 8])


def test_entries_of_an_outer_leaf_set_under_no_grad_are_constants():
    x = leaf()

    def f(inner):
        with no_grad():
            x[0] = inner[1] * 3
        return (inner * x).sum()

    assert grad(f)(X).tolist() == [6, 2, 3, 4]
    assert type(x.value) is np.ndarray and x.requires_grad


def test_what_is_computed_and_set_under_no_grad_is_off_the_tape():
    h = leaf() * 2
    with no_grad():
        h[0] = 5.0
    assert not h.requires_grad and h.tolist() == [5, 4, 6, 8]


# What is no derivative


def test_comparisons_are_plain_and_off_the_tape():
    x, y = leaf(), leaf(X[::-1])
    ufuncs = (np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal)
    signs = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)
    for compare in (*ufuncs, *signs):
        for other in (y, X[::-1], 2.0):
            found = compare(x, other)
            assert type(found) is np.ndarray
            np.testing.assert_array_equal(found, compare(X, X[::-1] if other is y else other))
    assert (x == X).all() and not (x != X).any()
    assert bool(leaf(1.0) > 0.0) and len({x, y, x}) == 2


def test_the_branch_that_is_taken_is_the_one_that_counts():
    def wander(x):
        while x < 10:
            x = x * x if x > 2 else 3 * x
        return x

    for start, wanted in ((0.5, 81), (1.0, 324), (2.5, 62.5)):
        x = leaf(start)
        wander(x).backward()
        assert x.grad == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("call", [np.linalg.inv, np.sort, np.median, np.arctan2, np.floor_divide])
def test_a_function_of_numpy_that_is_not_known_is_refused(call):
    inputs = [leaf(np.eye(2))] * (2 if getattr(call, "nin", 1) == 2 else 1)
    with pytest.raises(TypeError, match=f"np.*{call.__name__} is none of the functions"):
        call(*inputs)


def test_numpy_gets_no_array_behind_the_engines_back():
    with pytest.raises(TypeError, match=r"would cut it off .* take its array with .numpy\(\)"):
        np.asarray(leaf())
    with pytest.raises(TypeError, match="write into an array"):
        np.exp(leaf(), out=np.empty(4))
    with pytest.raises(TypeError):
        np.array([leaf(1.0), leaf(2.0)])


# Dtypes


def test_float32_stays_float32_and_its_gradient_too():
    x = leaf(X.astype(np.float32))
    loss = ((2 * x + 1.5) ** 2 / 3).mean()
    assert loss.dtype == np.float32
    loss.backward()
    assert x.grad.dtype == np.float32
    w = leaf(np.ones((4, 2), np.float32))
    assert (x @ w).dtype == np.float32 and apply(sigmoid, x).dtype == np.float32


def test_dtypes_are_promoted_as_numpy_does_and_gradients_return_to_their_own():
    narrow, wide = leaf(X.astype(np.float32)), leaf(X)
    total = narrow * wide
    assert total.dtype == np.float64
    total.sum().backward()
    assert narrow.grad.dtype == np.float32 and wide.grad.dtype == np.float64
    np.testing.assert_array_equal(narrow.grad, X)
    assert (narrow * np.ones(4)).dtype == np.float64
    assert (narrow * 2).dtype == (narrow * np.float32(2)).dtype == np.float32


def test_whole_numbers_become_float64():
    assert Tensor([1, 2]).dtype == Tensor(3).dtype == Tensor(np.array([True])).dtype == np.float64
    assert (leaf() * np.array([1, 2, 3, 4])).dtype == np.float64
    x = Tensor(X)
    x.data = [1, 2, 3]
    assert x.dtype == np.float64 and x.shape == (3,)


# Errors with their words


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (None, ValueError, r"gradient is None; it should be an array of shape \(4,\)"),
        (np.ones(3), ValueError, r"gradient has shape \(3,\); it should be \(4,\), as the tensor"),
        (np.ones(4, np.float32), TypeError, "gradient has dtype float32; it should be float64"),
        ([1.0] * 4, TypeError, "gradient is a list; it should be a NumPy array of floats"),
        (1.0, TypeError, "gradient is a float; it should be a NumPy array of floats"),
    ],
)
def test_a_gradient_that_does_not_fit(given, error, words):
    with pytest.raises(error, match=words):
        (leaf() * 2).backward(given)


def test_one_entry_of_any_shape_needs_no_gradient():
    for shape in ((), (1,), (1, 1)):
        x = leaf(np.full(shape, 3.0))
        (x * x).backward()
        assert x.grad.shape == shape and x.grad.ravel() == [6]


def test_data_that_are_no_numbers():
    for data in ("a", None, {"w": X}, 1j, [[1.0], [2.0, 3.0]]):
        with pytest.raises((TypeError, ValueError)):
            Tensor(data)
    with pytest.raises(TypeError, match="the other operand is a NoneType"):
        leaf() + None


def test_a_tensor_made_of_a_python_number_is_a_new_leaf():
    x = leaf()
    loss = Tensor(float((x * x).sum()), requires_grad=True)
    loss.backward()
    assert loss.grad == 1 and x.grad is None


def test_how_it_is_shown():
    assert repr(leaf()) == "Tensor([1., 2., 3., 4.], requires_grad=True)"
    assert repr(Tensor(X)) == "Tensor([1., 2., 3., 4.])"
    assert repr(Tensor(2)) == "Tensor(2.)"


# Memory


def nodes_alive():
    return sum(type(o) is Node for o in gc.get_objects())


@pytest.fixture
def no_collector():
    """Turn the garbage collector off, and let it not see what was there before."""
    gc.disable()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.enable()


def a_step(x, weights, y):
    loss = ((np.tanh(x @ weights) - y) ** 2).mean()
    loss.backward()
    with no_grad():
        (x @ weights).sum()
    weights.data -= 0.1 * weights.grad
    weights.zero_grad()
    return loss


@pytest.mark.usefixtures("no_collector")
def test_a_tape_is_freed_when_its_end_is_without_the_garbage_collector():
    rng = np.random.default_rng(0)
    x, y, weights = rng.normal(size=(8, 4)), rng.normal(size=(8, 2)), leaf(np.zeros((4, 2)))
    before = nodes_alive()
    loss = a_step(x, weights, y)
    assert nodes_alive() > before
    h = x @ weights
    h[0] = 1.0
    h.retain_grad()
    h.register_hook(lambda gradient: None)
    h.sum().backward()
    del loss, h
    assert nodes_alive() == before
    assert gc.collect() == 0


@pytest.mark.usefixtures("no_collector")
def test_training_leaks_nothing():
    """Python keeps a few thousand tuples of its own for later, so the first steps do not count."""
    x, y, weights = np.ones((2, 2)), np.zeros((2, 1)), leaf(np.ones((2, 1)))
    tracemalloc.start()
    try:
        for _ in range(1000):
            a_step(x, weights, y)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(300):
            a_step(x, weights, y)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 100 * 300  # a tape that is kept has thousands a step


def test_an_update_on_the_tape_makes_it_grow_and_loses_the_leaf():
    w = leaf()
    for update in range(3):
        assert len(count_uses(w.node)) == 1 + 3 * update
        w = w - 0.1 * (w * 1.0)
        assert w.grad is None


# What it was built for


def test_experiment_c_without_a_derivative_by_hand():
    rows, targets = lights()
    np.random.seed(1)
    start = [2 * np.random.random((3, 4)) - 1, 2 * np.random.random((4, 1)) - 1]
    weights = [leaf(array) for array in start]
    totals = []
    for _ in range(60):
        total = 0.0
        for row, target in zip(rows[:, None], targets, strict=True):
            loss = 0.5 * (((row @ weights[0]).relu() @ weights[1] - target) ** 2).sum()
            total += 2 * loss.item()
            loss.backward()
            for w in weights:
                w.data -= 0.2 * w.grad
                w.zero_grad()
        totals.append(total)
    published = [
        *(0.31298811341557736, 0.043272385299784624, 0.0034372657015086937),
        *(0.00019649599346773566, 1.015593230102771e-05, 5.122102420300414e-07),
    ]
    np.testing.assert_allclose(totals[9::10], published, rtol=1e-12)


def test_the_digits_as_they_were_trained_by_hand():
    x, labels, _, _ = digits()
    by_hand, by_tape = [], []
    rng = np.random.default_rng(0)
    p = initialize([64, 64, 10], rng)
    tensors = {name: leaf(array) for name, array in p.items()}
    for x_batch, labels_batch in iterate_minibatches(x, labels, 32, rng):
        logits, network_backward = network(p, x_batch)
        loss, loss_backward = cross_entropy(logits, labels_batch)
        p = sgd_step(p, network_backward(loss_backward(1.0))[0], 0.5)
        by_hand.append(loss)
        hidden = (x_batch @ tensors["weights_1"] + tensors["bias_1"]).relu()
        logits = apply(dense, hidden, tensors["weights_2"], tensors["bias_2"])
        loss = apply(cross_entropy, logits, labels_batch)
        loss.backward()
        by_tape.append(loss.item())
        for w in tensors.values():
            w.data -= 0.5 * w.grad
            w.zero_grad()
    np.testing.assert_allclose(by_tape, by_hand, rtol=1e-12)


def test_a_program_made_at_random_has_the_gradient_of_differences():
    operations = [np.add, np.subtract, np.multiply, np.logaddexp]

    def program(leaves, seed):
        rng, values = np.random.default_rng(seed), list(leaves)
        for _ in range(10):
            i, j = rng.integers(len(values), size=2)
            values.append(np.tanh(operations[rng.integers(4)](values[i], values[j])))
        return sum(value.sum() for value in values)

    for seed in range(10):
        shapes = [(3, 3), (3,), (3, 1)]
        arrays = [np.random.default_rng(seed).normal(size=shape) for shape in shapes]
        leaves = [leaf(array) for array in arrays]
        program(leaves, seed).backward()
        measured = numerical_gradient(lambda *arrays, seed=seed: program(arrays, seed), *arrays)
        for x, gradient in zip(leaves, measured, strict=True):
            np.testing.assert_allclose(x.grad, gradient, atol=1e-7)


def test_a_house_function_called_by_apply_is_on_the_tape_with_its_name():
    x = leaf()
    y = apply(multiply, x, x)
    assert y.node.name == "multiply" and y.node.parents == [x.node, x.node]
    nameless = apply(functools.partial(multiply, X), x)
    assert nameless.node.name == "a function"
    output = apply(add, X, X)
    assert type(output) is np.ndarray

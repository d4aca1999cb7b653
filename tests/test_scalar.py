"""The scalar engine: its gradients, its second call, its long chains, and what it refuses.

`faults_of` is the check. It finds none in the package's engine, and some in each wrong one that is
made of the package's source by the change of a few characters.
"""

import ast
import gc
import math
import operator
import random
import sys
from itertools import chain
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from test_facts import ERRORS_OF_C

from backprop_book import Value, backpropagate, lights, numerical_gradient, scalar
from backprop_book.drawing import draw_graph, graph_of

SOURCE = Path(scalar.__file__).read_text(encoding="utf-8")

UNARY = {
    "negative": (lambda u: -u, (0.7, -1.2)),
    "relu": (lambda u: u.relu(), (0.7, -1.2)),
    "tanh": (lambda u: u.tanh(), (0.7, -1.2, 3.0)),
    "sigmoid": (lambda u: u.sigmoid(), (0.7, -1.2, 3.0)),
    "exp": (lambda u: u.exp(), (0.7, -1.2)),
    "log": (lambda u: u.log(), (0.7, 1.2)),
    "square": (lambda u: u**2, (0.7, -1.2)),
    "cube": (lambda u: u**3, (0.7, -1.2)),
    "root": (lambda u: u**0.5, (0.7, 4.0)),
    "reciprocal": (lambda u: u**-1, (0.7, -1.2)),
    "power 0": (lambda u: u**0, (0.7, 0.0, -1.2)),
    "number + u": (lambda u: 3 + u, (0.7, -1.2)),
    "u + number": (lambda u: u + 3, (0.7, -1.2)),
    "number - u": (lambda u: 3 - u, (0.7, -1.2)),
    "u - number": (lambda u: u - 3, (0.7, -1.2)),
    "number * u": (lambda u: 3 * u, (0.7, -1.2)),
    "u * number": (lambda u: u * 3, (0.7, -1.2)),
    "number / u": (lambda u: 3 / u, (0.7, -1.2)),
    "u / number": (lambda u: u / 3, (0.7, -1.2)),
    "number ** u": (lambda u: 3**u, (0.7, -1.2)),
    "u * u": (lambda u: u * u, (0.7, -1.2)),
    "u + u": (lambda u: u + u, (0.7, -1.2)),
    "u - u": (lambda u: u - u, (0.7, -1.2)),
    "u / u": (lambda u: u / u, (0.7, -1.2)),
    "u ** u": (lambda u: u**u, (0.7, 1.2)),
}
BINARY = {
    "+": (operator.add, [(0.7, -1.2)]),
    "-": (operator.sub, [(0.7, -1.2)]),
    "*": (operator.mul, [(0.7, -1.2)]),
    "/": (operator.truediv, [(0.7, -1.2), (-2.0, 3.0)]),
    "**": (operator.pow, [(0.7, -1.2), (2.0, 3.0)]),
}
PLAIN = {
    "relu": lambda u: max(u, 0.0),
    "tanh": math.tanh,
    "sigmoid": lambda u: 1 / (1 + math.exp(-u)),
    "exp": math.exp,
    "log": math.log,
}


def gradients(function, numbers, value=Value):
    """Return the result of a function of Values, and the gradients of its arguments."""
    leaves = [value(x) for x in numbers]
    output = function(*leaves)
    output.backward()
    return output.data, [leaf.grad for leaf in leaves]


def measured(function, numbers):
    """Return the central differences of a function of Values, which is asked for values alone."""
    return numerical_gradient(lambda x: function(*map(Value, x)).data, np.array(numbers))


def forks(value):
    a, b = value(2.0), value(3.0)
    c, d = a + b, a * b
    return a, b, (c + d) + c * d


def ladder(value, n_diamonds):
    start = node = value(1.0)
    for _ in range(n_diamonds):
        node = 0.5 * node + 0.7 * node
    return start, node


def derivative_faults(value):
    cases = [(name, f, (x,)) for name, (f, points) in UNARY.items() for x in points]
    cases += [(name, f, point) for name, (f, points) in BINARY.items() for point in points]
    for name, function, numbers in cases:
        _, found = gradients(function, numbers, value)
        if not np.allclose(found, measured(function, numbers), rtol=1e-6, atol=1e-8):
            yield f"{name} at {numbers}: {found}"
    for name, plain in PLAIN.items():
        if not math.isclose(getattr(value(0.7), name)().data, plain(0.7), rel_tol=1e-14):
            yield f"{name} of 0.7"
    for name, (operation, points) in BINARY.items():
        for u, v in points:
            wanted = operation(u, v)
            if {operation(value(u), value(v)).data, operation(u, value(v)).data} != {wanted}:
                yield f"{u} {name} {v}"


def fork_faults(value):
    a, b, y = forks(value)
    y.backward()
    if (a.grad, b.grad, y.data) != (25.0, 19.0, 41.0):
        yield f"forks: {a.grad}, {b.grad}"
    start, end = ladder(value, 60)
    end.backward()
    if not math.isclose(start.grad, 1.2**60, rel_tol=1e-12):
        yield f"diamonds: {start.grad}"
    u, v = value(2.0), value(2.0)
    (u + (u * u) * u).backward()
    ((v * v) * v + v).backward()
    if (u.grad, v.grad) != (13.0, 13.0):
        yield f"a longer way on the right, on the left: {u.grad}, {v.grad}"
    w = value(1.0)
    x = 2 * w
    (10 * (x + 3 * x)).backward()
    if w.grad != 80:
        yield f"a shortcut: {w.grad}"


def second_call_faults(value):
    a = value(2.0)
    square = a * a
    y = square * 3
    for wanted in (12.0, 24.0, 36.0):
        y.backward()
        if (a.grad, square.grad, y.grad) != (wanted, 3.0, 1.0):
            yield f"called again: {a.grad}, {square.grad}, {y.grad}, not {wanted}"
    a = value(3.0)
    square = a * a
    y = square * square
    for _ in range(2):
        a.grad = 0
        y.backward()
        if (a.grad, square.grad) != (108.0, 18.0):
            yield f"a**4: {a.grad}"
    a.grad = 0
    square.backward()
    if (a.grad, square.grad, y.grad) != (6.0, 1.0, 1.0):
        yield f"called on the middle: {a.grad}, {square.grad}, {y.grad}"
    leaf = value(5.0)
    for wanted in (1.0, 2.0):
        leaf.backward()
        if leaf.grad != wanted:
            yield f"called on a leaf: {leaf.grad}"


def depth_faults(value, n=3_000):
    x = value(1.0)
    y = x
    for _ in range(n):
        y = y + x
    try:
        y.backward()
    except RecursionError:
        yield "a long chain: RecursionError"
        return
    if x.grad != n + 1:
        yield f"a long chain: {x.grad}"


def extreme_faults(value):
    for x, name, wanted, slope in [
        (1000.0, "tanh", 1.0, 0.0),
        (-1000.0, "tanh", -1.0, 0.0),
        (1000.0, "sigmoid", 1.0, 0.0),
        (-1000.0, "sigmoid", 0.0, 0.0),
        (-40.0, "sigmoid", math.exp(-40), math.exp(-40)),
        (40.0, "sigmoid", 1.0, math.exp(-40)),
        (0.0, "relu", 0.0, 0.0),
        (math.inf, "relu", math.inf, 1.0),
    ]:
        try:
            found, (grad,) = gradients(lambda u, name=name: getattr(u, name)(), [x], value)
        except OverflowError:
            yield f"{name} of {x} overflows"
            continue
        if not math.isclose(found, wanted, rel_tol=1e-12) or not math.isclose(grad, slope):
            yield f"{name} of {x}: {found}, slope {grad}"
    if gradients(lambda u: u**0.5, [0.0], value) != (0.0, [math.inf]):
        yield "the root of 0"
    if not math.isnan(value(math.nan).relu().data):
        yield "relu hides a nan"


REFUSED = {
    "a string": (lambda v: v("3"), TypeError, "data is '3'; it should be a number"),
    "None": (lambda v: v(None), TypeError, "data is None; it should be a number"),
    "a list": (lambda v: v([1.0]), TypeError, "data is [1.0]; it should be a number"),
    "complex": (lambda v: v(1j), TypeError, "data is 1j; it should be a number"),
    "an array": (lambda v: v(np.ones(2)), TypeError, "data is array([1., 1.]); it should be a num"),
    "a Value": (lambda v: v(v(1)), TypeError, "data is Value(data=1.0, grad=0.0); it should be a"),
    "adding a string": (lambda v: v(1) + "3", TypeError, "data is '3'; it should be a number"),
    "a tuple before it": (
        lambda v: v(1).__radd__((1,)),
        TypeError,
        "data is (1,); it should be a number",
    ),
    "a string as exponent": (lambda v: v(1) ** "3", TypeError, "data is '3'; it should be a num"),
    "log of 0": (
        lambda v: v(0).log(),
        ValueError,
        "the logarithm is of 0.0; it should be of a positive number",
    ),
    "log below 0": (
        lambda v: v(-1).log(),
        ValueError,
        "the logarithm is of -1.0; it should be of a positive number",
    ),
    "a root below 0": (
        lambda v: v(-2) ** 0.5,
        ValueError,
        "the base is -2.0; to the power of 0.5 it should not be negative",
    ),
    "a negative base, a Value as exponent": (
        lambda v: v(-2) ** v(3),
        ValueError,
        "the base is -2.0; to the power of a Value it should be positive",
    ),
    "base 0, a Value as exponent": (
        lambda v: 0 ** v(3),
        ValueError,
        "the base is 0.0; to the power of a Value it should be positive",
    ),
    "division by 0": (lambda v: v(1) / 0, ZeroDivisionError, "division by zero"),
    "0 to a negative power": (lambda v: v(0) ** -1, ZeroDivisionError, "negative power"),
    "exp too large": (lambda v: v(1000).exp(), OverflowError, "range"),
}


def refusal_faults(value):
    for name, (call, error, message) in REFUSED.items():
        try:
            yield f"{name} is not refused: {call(value)}"
        except Exception as caught:
            if type(caught) is not error or message not in str(caught):
                yield f"{name}: {caught!r}"


CHECKS = (
    derivative_faults,
    fork_faults,
    second_call_faults,
    depth_faults,
    extreme_faults,
    refusal_faults,
)


def faults_of(value):
    for check in CHECKS:
        try:
            yield from check(value)
        except Exception as error:
            yield f"{check.__name__}: {error!r}"


def test_the_engine_has_no_fault():
    assert list(faults_of(Value)) == []


MUTATIONS = {
    "= for += to the left": ("node.left.grad += node.grad", "node.left.grad = node.grad"),
    "= for += to the right": ("node.right.grad += node.grad", "node.right.grad = node.grad"),
    "inner gradients linger": ("node.grad = 0.0", "pass"),
    "leaves are wiped too": ("if node.left is not None:\n                node.grad = 0.0",
                             "if True:\n                node.grad = 0.0"),
    "from the leaves": ("reversed(history)", "history"),
    "a left one in the order before its parents": (
        "seen.add(node.left)\n                path.append(node.left)",
        "seen.add(node.left)\n                order.append(node.left)",
    ),
    "a right one in the order before its parents": (
        "seen.add(node.right)\n                path.append(node.right)",
        "seen.add(node.right)\n                order.append(node.right)",
    ),
    "the left parent alone": ("elif node.right not in seen:", "elif False:"),
    "no 1 at the output": ("self.grad += 1.0", "pass"),
    "= 1 at the output": ("self.grad += 1.0", "self.grad = 1.0"),
    "the sign of -": ("self.data - other.data, self, 1.0, other, -1.0",
                      "self.data - other.data, self, 1.0, other, 1.0"),
    "factors exchanged": ("self, other.data, other, self.data",
                          "self, self.data, other, other.data"),
    "the denominator": ("-y / other.data", "y / other.data"),
    "the numerator": ("self, 1 / other.data", "self, other.data"),
    "the exponent": ("n * x ** (n - 1)", "x ** (n - 1)"),
    "no gradient for the exponent": ("other, y * math.log(x)", "other, 0.0"),
    "power 0": ("if n == 0:", "if False:"),
    "the root of 0": ("if x == 0 and 0 < n < 1:", "if False:"),
    "a complex root": ("if x < 0 and not n.is_integer():", "if False:"),
    "any base": ("if x <= 0:", "if False:"),
    "rsub as sub": ("Value(other) - self", "self - other"),
    "rtruediv as truediv": ("Value(other) / self", "self / other"),
    "rpow as pow": ("Value(other) ** self", "self ** other"),
    "neg": ("_result(-self.data, self, -1.0)", "_result(-self.data, self, 1.0)"),
    "relu at 0": ("float(self.data > 0)", "float(self.data >= 0)"),
    "relu of nan": ("max(self.data, 0.0)", "max(0.0, self.data)"),
    "tanh from the input": ("1 - y * y", "1 - self.data**2"),
    "sigmoid from the input": ("small / (1 + small) ** 2", "self.data * (1 - self.data)"),
    "sigmoid flat too soon": ("small / (1 + small) ** 2", "y * (1 - y)"),
    "sigmoid overflows": ("math.exp(-abs(self.data))", "math.exp(-self.data)"),
    "sigmoid upside down": ("if self.data > 0 else small", "if self.data < 0 else small"),
    "exp": ("_result(y, self, y)", "_result(y, self, self.data)"),
    "log from the output": ("self, 1 / self.data)", "self, 1 / math.log(self.data))"),
    "log of anything": ("if self.data <= 0:", "if False:"),
    "anything is a number": ("if not isinstance(data, Real):", "if False:"),
}  # fmt: skip


def mutated(old, new):
    assert SOURCE.count(old) == 1, f"{old!r} stands {SOURCE.count(old)} times"
    module = ModuleType("mutated")
    exec(compile(SOURCE.replace(old, new), "mutated", "exec"), vars(module))
    return module.Value


@pytest.mark.parametrize(("old", "new"), MUTATIONS.values(), ids=MUTATIONS)
def test_a_wrong_engine_is_caught(old, new):
    assert next(faults_of(mutated(old, new)), None)


def recursive_history(self):
    order, seen = [], set()

    def visit(node):
        if node is not None and node not in seen:
            seen.add(node)
            visit(node.left)
            visit(node.right)
            order.append(node)

    visit(self)
    return order


def test_recursion_is_caught():
    engine = mutated("self.history()", "recursive_history(self)")
    engine.backward.__globals__["recursive_history"] = recursive_history
    assert list(faults_of(engine)) == ["a long chain: RecursionError"]


# Against other ways to the gradient


def random_values(seed, numbers, value=Value):
    """Return leaves and a result: sums, products and functions of what came before it."""
    draw = random.Random(seed)
    leaves = [value(x) for x in numbers]
    nodes = list(leaves)
    for _ in range(15):
        u, v = draw.choices(nodes[-6:], k=2)
        what = draw.choice(["+", "-", "*", "tanh", "sigmoid", "exp of minus its square"])
        made = {"+": u + v, "-": u - v, "*": u * v, "tanh": u.tanh(), "sigmoid": u.sigmoid()}
        nodes.append(made[what] if what in made else (-(u * u)).exp())
    return nodes[:3], nodes[-1], nodes


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs_against_differences(seed):
    numbers = np.random.default_rng(seed).normal(size=3)
    leaves, output, _ = random_values(seed, numbers)
    output.backward()
    told = numerical_gradient(lambda x: random_values(seed, x)[1].data, numbers)
    np.testing.assert_allclose([leaf.grad for leaf in leaves], told, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("seed", range(20))
def test_random_graphs_against_chapter_7(seed, every):
    """With a name for every Value, and with names for some: the rest is multiplied out."""
    _, output, nodes = random_values(seed, [0.5, -0.3, 0.8])
    named = {f"v{k}": node for k, node in enumerate(nodes) if k % every == 0 or node is output}
    graph = graph_of(**named)
    output.backward()
    found = backpropagate(graph.edges, f"v{len(nodes) - 1}")
    for name, node in named.items():
        assert graph.values[name] == node.data
        assert found.get(name, 0.0) == pytest.approx(node.grad, rel=1e-12, abs=1e-15)


def test_a_value_used_twice_has_two_edges_and_one_way_round_has_their_sum():
    x = Value(3.0)
    inside = x + x
    assert graph_of(x=x, y=x * x).edges["y"] == [("x", 3.0), ("x", 3.0)]
    assert graph_of(x=x, y=inside * 5).edges["y"] == [("x", 10.0)]
    assert graph_of(y=inside * 5, x=x).edges == {"x": [], "y": [("x", 10.0)]}
    assert graph_of(y=inside).edges == {"y": []}


def test_a_graph_is_made_of_values_alone():
    with pytest.raises(TypeError, match="x is a float; it should be a Value"):
        graph_of(x=3.0)


def test_a_drawing_of_values_has_their_numbers():
    a, b, y = forks(Value)
    texts = {text.get_text() for text in draw_graph(graph_of(a=a, b=b, y=y), "y").axes[0].texts}
    assert {"a", "b", "y", "2", "3", "25", "19"} <= texts


def test_inputs_are_drawn_beside_what_uses_them_first():
    a, b = Value(2.0), Value(3.0)
    square = a * a
    figure = draw_graph(graph_of(a=a, b=b, s=square, y=square * b), "y", row=0.7)
    places = {text.get_text(): text.xy for text in figure.axes[0].texts if not text.arrow_patch}
    assert [places[name][0] for name in "absy"] == [0.0, 1.0, 1.0, 2.0]
    assert places["b"][1] - places["s"][1] == pytest.approx(0.7)


# Long chains, and what is left behind


def n_alive():
    return sum(type(each) is Value for each in gc.get_objects())


@pytest.fixture
def without_collector():
    """Turn the garbage collector off, and let it not see what was there before."""
    gc.disable()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.enable()


def test_a_million_operations(without_collector):
    x = Value(1.0)
    y = x
    for _ in range(500_000):
        y = 1.0 * y + 0.0
    y.backward()
    assert (x.grad, y.data) == (1.0, 1.0)
    assert len(y.history()) == 2_000_001
    before = n_alive()
    del y
    assert before - n_alive() == 2_000_000


def test_a_graph_is_freed_when_it_is_let_go(without_collector):
    """With the garbage collector off: there are no rings of references, before or after."""
    before = n_alive()
    leaves, output, nodes = random_values(3, [0.5, -0.3, 0.8])
    assert n_alive() > before + 15
    output.backward()
    del leaves, output, nodes
    assert n_alive() == before


def test_one_object_for_each_operation(without_collector):
    x = Value(1.0)
    before = len(gc.get_objects())
    kept = [x * x for _ in range(1000)]
    assert len(gc.get_objects()) - before < 1010
    assert len(kept) == 1000


def test_training_leaves_nothing_behind(without_collector):
    model = Network(3, [4, 1])
    counts = []
    for _ in range(4):
        loss = model([1.0, 0.0, 1.0]) ** 2
        loss.backward()
        counts.append(n_alive())
    assert len(set(counts[1:])) == 1


# What people do with it


def test_the_front_page_of_micrograd():
    a, b = Value(-4.0), Value(2.0)
    c, d = a + b, a * b + b**3
    c += 1 + c
    c += (1 + c) + -a
    d += 2 * d + (a + b).relu()
    d += 3 * d + (b - a).relu()
    f = (c - d) ** 2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert [f"{x:.4f}" for x in (g.data, a.grad, b.grad)] == ["24.7041", "138.8338", "645.5773"]


class Network:
    """Layers of units, in the manner of micrograd's: a list of Values in, one or a list out."""

    def __init__(self, n_inputs, sizes):
        draw = random.Random(7)
        self.layers = [
            [([Value(draw.uniform(-1, 1)) for _ in range(n)], Value(0)) for _ in range(m)]
            for n, m in zip([n_inputs, *sizes[:-1]], sizes, strict=True)
        ]

    def __call__(self, x):
        for layer in self.layers:
            sums = [sum((wi * xi for wi, xi in zip(w, x, strict=True)), b) for w, b in layer]
            x = [s.relu() for s in sums] if layer is not self.layers[-1] else sums
        return x[0] if len(x) == 1 else x

    def parameters(self):
        return [p for layer in self.layers for w, b in layer for p in [*w, b]]


@pytest.mark.parametrize("kind", [float, int, np.float64, np.int64, np.float32, Value])
def test_a_network_in_the_usual_manner_trains(kind):
    model = Network(2, [8, 1])
    points = [[kind(x) for x in point] for point in [(0, 0), (0, 1), (1, 0), (1, 1)]]
    sides = np.array([-1, 1, 1, -1])
    losses = []
    for _ in range(200):
        scores = list(map(model, points))
        hinges = [(1 + -side * score).relu() for side, score in zip(sides, scores, strict=True)]
        loss = sum(hinges) * (1.0 / len(hinges)) + 1e-4 * sum(p * p for p in model.parameters())
        for p in model.parameters():
            p.grad = 0
        loss.backward()
        for p in model.parameters():
            p.data += -0.1 * p.grad
        losses.append(loss.data)
    assert all(side * score.data > 0 for side, score in zip(sides, scores, strict=True))
    assert losses[-1] < losses[0] / 5
    assert {type(p.data) for p in model.parameters()} == {float}


def test_experiment_c():
    X, y = lights()
    random_state = np.random.RandomState(1)
    hidden = [[Value(w) for w in unit] for unit in (2 * random_state.random_sample((3, 4)) - 1).T]
    output = [Value(w) for w in 2 * random_state.random_sample(4) - 1]
    totals = []
    for _ in range(60):
        totals.append(0.0)
        for x, target in zip(X, y, strict=True):
            units = [sum(w * u for w, u in zip(ws, x, strict=True)).relu() for ws in hidden]
            residual = sum(w * u for w, u in zip(output, units, strict=True)) - target
            totals[-1] += residual.data**2
            weights = [*chain(*hidden), *output]
            for w in weights:
                w.grad = 0
            (residual**2 / 2).backward()
            for w in weights:
                w.data -= 0.2 * w.grad
    np.testing.assert_allclose(totals[9::10], ERRORS_OF_C, rtol=1e-9)


@pytest.mark.parametrize(
    ("one", "two"),
    [(1, 2), (1.0, 2.0), (np.int64(1), np.int64(2)), (np.float64(1), np.float64(2))],
)
def test_numbers_of_every_kind_on_either_side(one, two):
    for operation in (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow):
        wanted = float(operation(float(one), float(two)))
        for found in (operation(Value(one), two), operation(one, Value(two))):
            assert isinstance(found, Value)
            assert (found.data, type(found.data)) == (wanted, float)


def test_adding_in_place_makes_a_new_value():
    a = leaf = Value(3.0)
    a += a
    assert a is not leaf
    (a * a).backward()
    assert (a.grad, leaf.grad) == (12.0, 24.0)


def test_a_number_has_no_history():
    w = Value(3.0)
    inside = w * w
    outside = Value(inside.data * 2)
    outside.backward()
    assert w.grad == 0
    assert outside.history() == [outside]


def test_gradients_of_two_losses_add_up_in_the_leaves():
    w = Value(3.0)
    first, second = w * w, w * 5
    first.backward()
    second.backward()
    apart, w.grad = w.grad, 0.0
    (first + second).backward()
    assert apart == w.grad == 11.0


def test_values_are_equal_only_to_themselves():
    a, b = Value(1.0), Value(1.0)
    assert a == a
    assert a != b
    assert len({a, b, a}) == 2
    with pytest.raises(TypeError, match="'<' not supported"):
        a < b  # noqa: B015


def test_how_a_value_is_shown():
    assert repr(Value(2)) == "Value(data=2.0, grad=0.0)"


def test_a_value_takes_no_other_attributes():
    with pytest.raises(AttributeError, match="gradient"):
        Value(1.0).gradient = 0


def test_the_engine_has_less_than_150_lines():
    """Docstrings and all; blank lines aside."""
    assert sum(bool(line.strip()) for line in SOURCE.splitlines()) < 150


def test_the_engine_has_100_lines():
    """As the title of its chapter says: what the page shows, without docstrings and blank lines."""
    module, documented = ast.parse(SOURCE), ast.Module | ast.ClassDef | ast.FunctionDef
    for node in ast.walk(module):
        if isinstance(node, documented) and ast.get_docstring(node):
            del node.body[0]
    lines = ast.unparse(module).splitlines()
    for_types = ("from __future__", "from typing")
    assert sum(bool(line.strip()) and not line.startswith(for_types) for line in lines) <= 100


def test_the_recursion_limit_is_as_python_has_it():
    """So that the long chains above mean something."""
    assert sys.getrecursionlimit() < 3_000

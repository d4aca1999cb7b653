"""The graph of chapter 7: forks, ladders, long chains, random graphs, and how they are drawn."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from graph_check import COUNTER_EXAMPLE, DIAMOND, DOUBLE, GRAPHS, SQUARE, recorded, sweep_faults
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from backprop_book import Graph, backpropagate, count_users, numerical_gradient
from backprop_book.drawing import draw_graph
from backprop_book.figures import BLUE, INK, ORANGE


def test_the_sweep_agrees_with_all_the_paths():
    assert list(sweep_faults(backpropagate)) == []


@pytest.mark.parametrize(
    ("graph", "expected"),
    [(SQUARE, 6.0), (DOUBLE, 2.0), (DIAMOND, 5.0)],
    ids=["square", "double", "diamond"],
)
def test_a_value_that_is_used_twice_gets_the_sum(graph, expected):
    assert backpropagate(graph.edges, "y")["x"] == expected


def test_the_counter_example_to_naive_recursion():
    """(a + b + ab) + (a + b)(ab) at (2, 3): passing on what has been received so far fails."""

    def recurse(node, share, total):
        total[node] = total.get(node, 0.0) + share
        for parent, local in COUNTER_EXAMPLE.edges[node]:
            recurse(parent, total[node] * local, total)
        return total

    found, naive = backpropagate(COUNTER_EXAMPLE.edges, "y"), recurse("y", 1.0, {})
    assert (found["a"], found["b"]) == (25.0, 19.0)
    assert (naive["a"], naive["b"]) == (29.0, 22.0)


def test_the_counter_example_holds_the_derivatives_of_its_formula():
    found = numerical_gradient(
        lambda ab: ab.sum() + ab.prod() + ab.sum() * ab.prod(), np.array([2.0, 3.0])
    )
    np.testing.assert_allclose(found, [25, 19], rtol=1e-9)
    assert COUNTER_EXAMPLE.values["y"] == (2 + 3 + 6) + (2 + 3) * 6


def test_an_output_is_its_own_gradient_and_what_it_does_not_use_is_absent():
    assert backpropagate(COUNTER_EXAMPLE.edges, "d") == {"d": 1.0, "a": 3.0, "b": 2.0}
    assert backpropagate(COUNTER_EXAMPLE.edges, "a") == {"a": 1.0}
    assert count_users(COUNTER_EXAMPLE.edges, "a") == {"a": 0}


def test_what_is_used_with_a_derivative_of_0_is_there_with_a_gradient_of_0():
    graph = recorded(x=(3.0, []), y=(0.0, [("x", 0.0)]))
    assert backpropagate(graph.edges, "y") == {"y": 1.0, "x": 0.0}


def test_the_counted_users_are_those_on_the_way_to_the_output():
    assert count_users(COUNTER_EXAMPLE.edges, "e") == {"e": 0, "c": 1, "d": 1, "a": 2, "b": 2}
    assert count_users(SQUARE.edges, "y") == {"y": 0, "x": 2}


def test_each_edge_is_looked_at_twice_whatever_the_number_of_paths():
    """Once to count, once to sweep: sixty diamonds have 2**60 paths and 240 edges."""

    class Counting(list):
        looks = 0

        def __iter__(self):
            Counting.looks += len(self)
            return super().__iter__()

    edges = ladder(60)
    n_edges = sum(map(len, edges.values()))
    bare_sweep = backpropagate.__wrapped__
    globals_of = bare_sweep.__globals__
    counting = {name: Counting(pairs) for name, pairs in edges.items()}
    with pytest.MonkeyPatch.context() as patch:  # the checks look at the edges too: without them
        patch.setitem(globals_of, "count_users", count_users.__wrapped__)
        found = bare_sweep(counting, "h60")
    assert n_edges == 240
    assert Counting.looks == 2 * n_edges
    assert found["h0"] == pytest.approx(1.2**60, rel=1e-12)


def ladder(n_diamonds):
    edges = {"h0": []}
    for k in range(n_diamonds):
        edges |= {f"l{k}": [(f"h{k}", 0.5)], f"r{k}": [(f"h{k}", 0.7)]}
        edges[f"h{k + 1}"] = [(f"l{k}", 1.0), (f"r{k}", 1.0)]
    return edges


def test_sixty_diamonds_in_an_instant():
    assert backpropagate(ladder(60), "h60")["h0"] == pytest.approx(1.2**60, rel=1e-12)


def test_a_chain_of_ten_thousand():
    graph = Graph()
    graph.record("h0", 1.0)
    for k in range(10_000):
        graph.record(f"h{k + 1}", 1.0, [(f"h{k}", 1.0001)])
    found = backpropagate(graph.edges, "h10000")
    assert found["h0"] == pytest.approx(1.0001**10_000, rel=1e-9)
    assert len(found) == 10_001


def test_the_order_of_the_dict_does_not_matter():
    edges = COUNTER_EXAMPLE.edges
    turned = dict(reversed(edges.items()))
    assert backpropagate(turned, "y") == backpropagate(edges, "y")


UNARY = {
    "sin": (math.sin, math.cos),
    "exp of -square": (lambda u: math.exp(-u * u), lambda u: -2 * u * math.exp(-u * u)),
    "double": (lambda u: 2 * u, lambda u: 2.0),
}


def random_graph(seed, inputs):
    """Return a graph whose numbers are sums, products and functions of the inputs."""
    rng, graph = np.random.default_rng(seed), Graph()
    for k, value in enumerate(inputs):
        graph.record(f"x{k}", float(value))
    for k in range(12):
        names = list(graph.values)
        a, b = map(str, rng.choice(names[-6:], size=2))  # a and b may be the same
        u, v = graph.values[a], graph.values[b]
        what = str(rng.choice(["+", "*", *UNARY]))
        if what == "+":
            graph.record(f"v{k}", u + v, [(a, 1.0), (b, 1.0)])
        elif what == "*":
            graph.record(f"v{k}", u * v, [(a, v), (b, u)])
        else:
            f, slope = UNARY[what]
            graph.record(f"v{k}", f(u), [(a, slope(u))])
    return graph


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs_against_numerical_differences(seed):
    inputs = np.random.default_rng(100 + seed).normal(size=3)
    found = backpropagate(random_graph(seed, inputs).edges, "v11")
    measured = numerical_gradient(lambda x: random_graph(seed, x).values["v11"], inputs)
    told = [found.get(f"x{k}", 0.0) for k in range(3)]
    np.testing.assert_allclose(told, measured, rtol=1e-6, atol=1e-7)


def test_the_random_graphs_have_what_they_are_for():
    """Numbers that are used twice by one other, numbers that nobody uses, and long ways."""
    graphs = [random_graph(seed, [0.5, 0.6, 0.7]).edges for seed in range(20)]
    twins = [any(len(set(pairs)) < len(pairs) for pairs in edges.values()) for edges in graphs]
    unused = [len(count_users(edges, "v11")) < len(edges) for edges in graphs]
    assert sum(twins) > 5
    assert sum(unused) > 5


# How a graph is drawn


def drawn(graph, output="y"):
    figure = draw_graph(graph, output)
    texts = figure.axes[0].texts
    figure.canvas.draw()
    plt.close(figure)
    return texts


def in_colour(texts, colour, **wanted):
    return [
        text
        for text in texts
        if text.get_text() and to_hex(text.get_color()) == colour
        if all(getattr(text, f"get_{name}")() == value for name, value in wanted.items())
    ]


def words(texts):
    return Counter(text.get_text() for text in texts)


THRICE = recorded(x=(3.0, []), z=(5.0, []), y=(45.0, [("x", 15.0), ("z", 9.0), ("x", 15.0)]))
DRAWN = GRAPHS | {"x * z * x": THRICE}
drawings = pytest.mark.parametrize("graph", DRAWN.values(), ids=DRAWN)


@drawings
def test_a_drawing_shows_every_number_and_every_gradient(graph):
    texts = drawn(graph)
    total = backpropagate(graph.edges, "y")
    edges = [(name, *edge) for name in total for edge in graph.edges[name]]
    forward = Counter(f"{graph.values[parent]:.4g}" for _, parent, _ in edges)
    backward = Counter(f"{total[name] * local:.4g}" for name, _, local in edges)
    assert words(in_colour(texts, BLUE)) == forward
    assert words(in_colour(texts, ORANGE, fontweight="normal")) == backward
    sums = in_colour(texts, ORANGE, fontweight="bold")
    assert words(sums) == Counter(f"{gradient:.4g}" for gradient in total.values())
    assert words(in_colour(texts, INK)) == Counter(list(total))


@drawings
def test_a_drawing_has_its_sums_under_its_names(graph):
    texts = drawn(graph)
    total = backpropagate(graph.edges, "y")
    places = {text.get_text(): text.xy for text in in_colour(texts, INK)}
    sums = {text.xy: text for text in in_colour(texts, ORANGE, fontweight="bold")}
    for name, place in places.items():
        assert sums[place].get_text() == f"{total[name]:.4g}"
        assert sums[place].xyann[1] < 0
        assert sums[place].get_verticalalignment() == "top"


@drawings
def test_a_drawing_has_an_arrow_for_each_edge_and_its_numbers_by_it(graph):
    texts = drawn(graph)
    total = backpropagate(graph.edges, "y")
    places = {text.get_text(): text.xy for text in in_colour(texts, INK)}
    arrows = Counter((text.xyann, text.xy) for text in texts if text.arrow_patch)
    assert arrows == Counter(
        (places[parent], places[name]) for name in total for parent, _ in graph.edges[name]
    )
    assert all(start[0] < end[0] for start, end in arrows), "inputs on the left"
    forward = {text.xy: text.get_text() for text in in_colour(texts, BLUE)}
    backward = {text.xy: text.get_text() for text in in_colour(texts, ORANGE, fontweight="normal")}
    assert len(forward) == len(backward) == arrows.total(), "no two labels in one place"
    assert forward.keys() == backward.keys()
    for name in total:
        for parent, local in graph.edges[name]:
            start, end = np.array(places[parent]), np.array(places[name])
            told = (f"{graph.values[parent]:.4g}", f"{total[name] * local:.4g}")
            near = [
                xy for xy in forward if abs(xy - (start + end) / 2).max() < abs(end - start).max()
            ]
            assert told in [(forward[xy], backward[xy]) for xy in near]


def test_a_drawing_leaves_out_what_the_output_does_not_use():
    texts = words(drawn(COUNTER_EXAMPLE, "c"))
    assert texts.keys() & set(COUNTER_EXAMPLE.values) == {"a", "b", "c"}


def test_a_drawing_changes_nothing():
    before = (dict(SQUARE.values), {name: list(pairs) for name, pairs in SQUARE.edges.items()})
    drawn(SQUARE)
    assert (SQUARE.values, SQUARE.edges) == before


def test_numbers_in_a_column_do_not_touch():
    places = [text.xy for text in in_colour(drawn(COUNTER_EXAMPLE), INK)]
    columns = {x: sorted(y for other, y in places if other == x) for x, _ in places}
    assert all(b - a >= 1 for column in columns.values() for a, b in pairwise(column))

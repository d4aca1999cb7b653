"""The graph of chapter 7: forks, ladders, long chains, and the orders that go wrong."""

import copy

import numpy as np
import pytest

from backprop_book import Graph, backpropagate, count_users
from backprop_book.drawing import draw_graph


def paths(edges, start, end):
    if start == end:
        return [[]]
    ways = ((parent, local, paths(edges, start, parent)) for parent, local in edges[end])
    return [[*way, local] for _, local, found in ways for way in found]


def by_paths(edges, start, end):
    return sum(np.prod(way) for way in paths(edges, start, end))


def recorded(**nodes):
    """Return a graph of nodes (value, edges), in the order given."""
    graph = Graph()
    for name, (value, edges) in nodes.items():
        graph.record(name, value, edges)
    return graph


SQUARE = recorded(x=(3.0, []), y=(9.0, [("x", 3.0), ("x", 3.0)]))
DOUBLE = recorded(x=(3.0, []), y=(6.0, [("x", 1.0), ("x", 1.0)]))
DIAMOND = recorded(
    x=(2.0, []), l=(4.0, [("x", 2.0)]), r=(6.0, [("x", 3.0)]), y=(10.0, [("l", 1.0), ("r", 1.0)])
)
COUNTER_EXAMPLE = recorded(
    a=(2.0, []),
    b=(3.0, []),
    c=(5.0, [("a", 1.0), ("b", 1.0)]),
    d=(6.0, [("a", 3.0), ("b", 2.0)]),
    e=(11.0, [("c", 1.0), ("d", 1.0)]),
    f=(30.0, [("c", 6.0), ("d", 5.0)]),
    y=(41.0, [("e", 1.0), ("f", 1.0)]),
)


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


def test_an_output_is_its_own_gradient_and_what_it_does_not_use_has_none():
    assert backpropagate(COUNTER_EXAMPLE.edges, "d") == {"d": 1.0, "a": 3.0, "b": 2.0}
    assert count_users(COUNTER_EXAMPLE.edges, "a") == {"a": 0}


def test_sixty_diamonds_in_an_instant():
    edges = {"h0": []}
    for k in range(60):
        edges |= {f"l{k}": [(f"h{k}", 0.5)], f"r{k}": [(f"h{k}", 0.7)]}
        edges[f"h{k + 1}"] = [(f"l{k}", 1.0), (f"r{k}", 1.0)]
    assert backpropagate(edges, "h60")["h0"] == pytest.approx(1.2**60, rel=1e-12)


def test_a_chain_of_ten_thousand():
    edges = {"h0": []} | {f"h{k + 1}": [(f"h{k}", 1.0001)] for k in range(10_000)}
    assert backpropagate(edges, "h10000")["h0"] == pytest.approx(1.0001**10_000, rel=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs_against_the_sum_over_paths(seed):
    rng, names = np.random.default_rng(seed), [f"v{k}" for k in range(12)]
    edges = {"v0": []}
    for k in range(1, 12):
        parents = rng.choice(names[:k], size=rng.integers(0, 4))
        edges[names[k]] = [(str(parent), float(rng.normal())) for parent in parents]
    before = copy.deepcopy(edges)
    found = backpropagate(edges, "v11")
    assert found == backpropagate(edges, "v11")
    assert edges == before
    for name in names:
        assert found.get(name, 0.0) == pytest.approx(by_paths(edges, name, "v11"), abs=1e-12)


def test_the_counted_users_are_those_on_the_way_to_the_output():
    assert count_users(COUNTER_EXAMPLE.edges, "e") == {"e": 0, "c": 1, "d": 1, "a": 2, "b": 2}


@pytest.mark.parametrize(
    "graph", [SQUARE, DIAMOND, COUNTER_EXAMPLE], ids=["square", "diamond", "fork"]
)
def test_a_drawing_shows_every_number_and_every_gradient(graph):
    texts = [text.get_text() for text in draw_graph(graph, "y").axes[0].texts]
    total = backpropagate(graph.edges, "y")
    edges = [(name, *edge) for name, parents in graph.edges.items() for edge in parents]
    wanted = [*graph.values, *(f"{gradient:.4g}" for gradient in total.values())]
    wanted += [f"{graph.values[parent]:.4g}" for _, parent, _ in edges]
    wanted += [f"{total[name] * local:.4g}" for name, _, local in edges]
    assert sorted(filter(None, texts)) == sorted(wanted)

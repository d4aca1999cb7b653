"""What the tests hold a sweep over a graph to: for every number, the sum over all paths to it.

`sweep_faults` is the check: `test_graph.py` finds no fault in the package's sweep, and
`test_mistakes.py` finds one in each of a list of wrong ones.
"""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from backprop_book import Graph

Edges = dict[str, list[tuple[str, float]]]


def paths(edges: Edges, start: str, end: str) -> list[list[float]]:
    """Return, for each path from start to end, the local derivatives along it."""
    if start == end:
        return [[]]
    ways = ((local, paths(edges, start, parent)) for parent, local in edges[end])
    return [[*way, local] for local, found in ways for way in found]


def by_paths(edges: Edges, end: str) -> dict[str, float]:
    """Return the sum of the products over all paths, for each name that has a path to the end."""
    found = {start: paths(edges, start, end) for start in edges}
    return {start: sum(map(np.prod, ways)) for start, ways in found.items() if ways}


def recorded(**nodes: tuple[float, list[tuple[str, float]]]) -> Graph:
    """Return a graph of nodes (value, edges), in the order given."""
    graph = Graph()
    for name, (value, edges) in nodes.items():
        graph.record(name, value, edges)
    return graph


def random_edges(seed: int) -> Edges:
    """Return a graph of twelve, in which a number may use another twice, or none may use it."""
    rng, names = np.random.default_rng(seed), [f"v{k}" for k in range(11)] + ["y"]
    edges: Edges = {"v0": []}
    for k in range(1, 12):
        parents = rng.choice(names[:k], size=rng.integers(0, 4))
        edges[names[k]] = [(str(parent), float(rng.normal())) for parent in parents]
    return edges


CHAIN = recorded(x=(3.0, []), u=(6.0, [("x", 2.0)]), y=(30.0, [("u", 5.0)]))
SQUARE = recorded(x=(3.0, []), y=(9.0, [("x", 3.0), ("x", 3.0)]))
DOUBLE = recorded(x=(3.0, []), y=(6.0, [("x", 1.0), ("x", 1.0)]))
DIAMOND = recorded(
    x=(2.0, []), l=(4.0, [("x", 2.0)]), r=(6.0, [("x", 3.0)]), y=(10.0, [("l", 1.0), ("r", 1.0)])
)
SHORTCUT = recorded(
    x=(2.0, []),
    u=(6.0, [("x", 3.0)]),
    v=(8.0, [("x", 1.0), ("u", 1.0)]),
    y=(80.0, [("v", 10.0)]),
    unused=(16.0, [("v", 2.0)]),
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
"""y = (a + b + ab) + (a + b)(ab) at (2, 3)."""

GRAPHS = {
    "chain": CHAIN,
    "x * x": SQUARE,
    "x + x": DOUBLE,
    "diamond": DIAMOND,
    "shortcut": SHORTCUT,
    "counter-example": COUNTER_EXAMPLE,
}
EDGES = {name: graph.edges for name, graph in GRAPHS.items()}
EDGES |= {f"random {seed}": random_edges(seed) for seed in range(20)}


def sweep_faults(sweep: Callable[[Edges, str], dict[str, Any]]) -> Iterator[str]:
    """Yield what is wrong with a sweep on the graphs above: nothing, one hopes."""
    for name, edges in EDGES.items():
        before, wanted = copy.deepcopy(edges), by_paths(edges, "y")
        found = sweep(edges, "y")
        if found.keys() != wanted.keys():
            yield f"{name}: tells of {sorted(found)}, not of {sorted(wanted)}"
        elif not all(abs(found[node] - wanted[node]) <= 1e-12 for node in wanted):
            yield f"{name}: {found}, but the paths give {wanted}"
        if sweep(edges, "y") != found:
            yield f"{name}: a second call differs from the first"
        if edges != before:
            yield f"{name}: the graph is changed"

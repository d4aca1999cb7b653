"""A graph of numbers, and the sweep that finds all its gradients. Written in chapter 7."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from backprop_book.checks import values
from backprop_book.rules import key_of, linked, new_name, number, recorded

Edges: TypeAlias = Mapping[str, Sequence[tuple[str, float]]]


class Graph:
    """Numbers by name and, for each, what it was computed from and how it responds to that.

    `values` maps a name to its number. `edges` maps it to a list of pairs (parent, local
    derivative), one for each time the parent was used; an input has none.

    >>> graph = Graph()
    >>> graph.record("x", 3.0)
    3.0
    >>> graph.record("y", 3.0 * 3.0, [("x", 3.0), ("x", 3.0)])
    9.0
    >>> backpropagate(graph.edges, "y")
    {'y': 1.0, 'x': 6.0}
    """

    def __init__(self) -> None:
        """Begin with no numbers."""
        self.values: dict[str, float] = {}
        self.edges: dict[str, list[tuple[str, float]]] = {}

    @values(name=new_name, value=number, edges=recorded)
    def record(self, name: str, value: float, edges: Sequence[tuple[str, float]] = ()) -> float:
        """Add a number under a new name, with its edges (parent, local derivative); return it.

        Raises TypeError if the value is not a number or the edges are not such pairs, ValueError if
        the name is taken or a parent is not in the graph.

        >>> Graph().record("x", 3.0)
        3.0
        """
        self.values[name] = value
        self.edges[name] = list(edges)
        return value


@values(edges=linked, output=key_of("edges"))
def count_users(edges: Edges, output: str) -> dict[str, int]:
    """Return how often each number that the output depends on is used on the way to it.

    Raises TypeError if edges is not a dict of lists of pairs (parent, local derivative), ValueError
    if it has no such output, lacks a parent or has a ring of arrows.

    >>> count_users({"x": [], "y": [("x", 3.0), ("x", 3.0)]}, "y")
    {'y': 0, 'x': 2}
    """
    users = {output: 0}
    to_visit = [output]
    while to_visit:
        for parent, _ in edges[to_visit.pop()]:
            if parent not in users:
                users[parent] = 0
                to_visit.append(parent)
            users[parent] += 1
    return users


@values(edges=linked, output=key_of("edges"))
def backpropagate(edges: Edges, output: str) -> dict[str, float]:
    """Return the derivative of the output with respect to every number that it depends on.

    Each number passes its gradient on once all of its users have added to it. This visits every
    edge once, whatever the number of paths, and does not recurse (Kahn, Communications of the ACM
    5, 1962, 558-562, for the order).

    Raises TypeError if edges is not a dict of lists of pairs (parent, local derivative), ValueError
    if it has no such output, lacks a parent or has a ring of arrows.

    >>> backpropagate({"x": [], "y": [("x", 2.0)], "z": [("y", 5.0), ("x", 1.0)]}, "z")
    {'z': 1.0, 'y': 5.0, 'x': 11.0}
    """
    waiting_for = count_users(edges, output)
    total = dict.fromkeys(waiting_for, 0.0)
    total[output] = 1.0
    ready = [output]
    while ready:
        node = ready.pop()
        for parent, local in edges[node]:
            total[parent] += total[node] * local
            waiting_for[parent] -= 1
            if waiting_for[parent] == 0:
                ready.append(parent)
    return total

"""Draws graphs of numbers: on each edge the number that goes forward, the gradient that comes back.

The graphs are those of chapter 7, and those that the Values of chapter 15 record.
"""

from typing import TYPE_CHECKING, Any

from backprop_book.arrays import a_kind
from backprop_book.checks import values
from backprop_book.figures import BLUE, INK, MUTED, ORANGE, new_figure
from backprop_book.graph import Graph, backpropagate
from backprop_book.rules import count, like_a_graph, positive
from backprop_book.scalar import Value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Point = tuple[float, float]
Pairs = list[tuple[str, float]]


def graph_of(**named: Value) -> Graph:
    """Return the Graph of Values by the names that they are given here.

    What was computed between them is left out. Where ways lead through it from one Value that has a
    name to the next, the edge has the sum over them of the products of the derivatives.

    Raises TypeError for what is not a Value.

    >>> x = Value(3.0)
    >>> graph_of(x=x, y=2 * x * x).edges
    {'x': [], 'y': [('x', 6.0), ('x', 6.0)]}
    """
    for name, value in named.items():
        if not hasattr(value, "history"):
            raise TypeError(f"{name} is {a_kind(value)}; it should be a Value")
    names = {value: name for name, value in named.items()}
    graph, ways = Graph(), dict[Value, Pairs]()
    for node in (node for value in named.values() for node in value.history()):
        if node not in ways:
            found = _through_parents(node, ways)
            if node in names:
                graph.record(names[node], node.data, found)
            ways[node] = [(names[node], 1.0)] if node in names else _added_up(found)
    return graph


@values(graph=like_a_graph, row=positive, digits=count)
def draw_graph(
    graph: Graph,
    output: str,
    width: float = 4.8,
    height: float = 3.0,
    row: float = 1.2,
    digits: int = 4,
) -> "Figure":
    """Draw what an output is computed from, inputs on the left, and return the figure.

    Along each edge stand the number that goes forward (blue, above) and the gradient that comes
    back through this edge (orange, below); under each name the sum of what came back. `width` and
    `height` are in inches; `row` is how far apart rows are, where columns are 1 apart. Numbers are
    written with `digits` significant digits.

    Raises TypeError for what is not a Graph, ValueError if it has no such output.

    >>> graph = Graph()
    >>> _ = graph.record("x", 3.0), graph.record("y", 9.0, [("x", 3.0), ("x", 3.0)])
    >>> sorted({text.get_text() for text in draw_graph(graph, "y").axes[0].texts})
    ['', '1', '3', '6', 'x', 'y']
    """
    total = backpropagate(graph.edges, output)
    figure, ax = new_figure(width, height)
    places = _places(graph, [name for name in graph.values if name in total], row)
    _make_room(ax, list(places.values()))
    for name in places:
        for k, (parent, local) in enumerate(graph.edges[name]):
            parents = [other for other, _ in graph.edges[name]]
            twins, twin = parents.count(parent), parents[:k].count(parent)
            leaps = places[name][0] - places[parent][0] > 1
            bend = 0.3 - 0.6 * twin / (twins - 1) if twins > 1 else -0.45 if leaps else 0.0
            _draw_edge(ax, places[parent], places[name], bend)
            texts = _short(graph.values[parent], digits), _short(total[name] * local, digits)
            _label_edge(ax, places[parent], places[name], bend, texts)
    for name, place in places.items():
        _draw_node(ax, place, name, _short(total[name], digits))
    return figure


def _make_room(ax: Any, places: list[Point]) -> None:
    columns, rows = zip(*places, strict=True)
    ax.axis("off")
    ax.set_aspect("equal")
    ax.set_xlim(min(columns) - 0.4, max(columns) + 0.4)
    ax.set_ylim(min(rows) - 0.7, max(rows) + 0.7)


def _through_parents(node: Value, ways: dict[Value, Pairs]) -> Pairs:
    parents = (node.left, node.left_slope), (node.right, node.right_slope)
    known = [(ways[parent], slope) for parent, slope in parents if parent is not None]
    return [(name, local * slope) for found, slope in known for name, local in found]


def _added_up(pairs: Pairs) -> Pairs:
    total: dict[str, float] = {}
    for name, local in pairs:
        total[name] = total.get(name, 0.0) + local
    return list(total.items())


def _places(graph: Graph, names: list[str], row: float) -> dict[str, Point]:
    """Give each number its column, and spread those in a column over the height of the fullest."""
    column = _columns(graph, names)
    groups = [[n for n in names if column[n] == k] for k in sorted(set(column.values()))]
    height = row * max(map(len, groups))
    return {
        name: (float(column[name]), height / len(group) * ((len(group) - 1) / 2 - k))
        for group in groups
        for k, name in enumerate(group)
    }


def _columns(graph: Graph, names: list[str]) -> dict[str, int]:
    """Put each number one to the right of the last of its parents, inputs just left of a user."""
    column: dict[str, int] = {}
    for name in names:
        column[name] = 1 + max((column[parent] for parent, _ in graph.edges[name]), default=-1)
    for name in names:
        users = [column[n] for n in names if name in [parent for parent, _ in graph.edges[n]]]
        if users and not graph.edges[name]:
            column[name] = min(users) - 1
    return column


def _draw_edge(ax: Any, start: Point, end: Point, bend: float) -> None:
    style = {"arrowstyle": "-|>", "color": MUTED, "shrinkA": 14, "shrinkB": 14}
    style["connectionstyle"] = f"arc3,rad={bend}"
    ax.annotate("", end, start, arrowprops=style)


def _label_edge(ax: Any, start: Point, end: Point, bend: float, texts: tuple[str, str]) -> None:
    along = 0.34 if bend == 0 else 0.5  # nearer to the start, so that crossing edges keep apart
    dx, dy = end[0] - start[0], end[1] - start[1]
    x, y = start[0] + along * dx + bend * dy / 2, start[1] + along * dy - bend * dx / 2
    for text, color, dy in zip(texts, (BLUE, ORANGE), (2, -2), strict=True):
        ax.annotate(text, (x, y), xytext=(0, dy), textcoords="offset points", color=color,
                    ha="center", va="bottom" if dy > 0 else "top", fontsize=9)  # fmt: skip


def _draw_node(ax: Any, place: Point, name: str, gradient: str) -> None:
    ax.plot(*place, "o", color="white", markeredgecolor=MUTED, markersize=24)
    ax.annotate(name, place, color=INK, ha="center", va="center")
    ax.annotate(gradient, place, xytext=(0, -15), textcoords="offset points", color=ORANGE,
                ha="center", va="top", fontweight="bold", fontsize=9)  # fmt: skip


def _short(number: float, digits: int) -> str:
    return f"{number + 0.0:.{digits}g}"  # no minus before a 0

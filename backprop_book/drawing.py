"""Draws the graphs of chapter 7: numbers on the way forward, gradients on the way back."""

from itertools import groupby
from typing import TYPE_CHECKING, Any

from backprop_book.checks import values
from backprop_book.figures import BLUE, INK, MUTED, ORANGE, new_figure
from backprop_book.graph import Graph, backpropagate
from backprop_book.rules import like_a_graph

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Point = tuple[float, float]


@values(graph=like_a_graph)
def draw_graph(graph: Graph, output: str, width: float = 4.8, height: float = 3.0) -> "Figure":
    """Draw what an output is computed from, inputs on the left, and return the figure.

    Along each edge stand the number that goes forward (blue, above) and the gradient that comes
    back through this edge (orange, below); under each name the sum of what came back. `width` and
    `height` are in inches.

    Raises TypeError for what is not a Graph, ValueError if it has no such output.

    >>> graph = Graph()
    >>> _ = graph.record("x", 3.0), graph.record("y", 9.0, [("x", 3.0), ("x", 3.0)])
    >>> sorted({text.get_text() for text in draw_graph(graph, "y").axes[0].texts})
    ['', '1', '3', '6', 'x', 'y']
    """
    total = backpropagate(graph.edges, output)
    figure, ax = new_figure(width, height)
    ax.axis("off")
    ax.set_aspect("equal")
    places = _places(graph, [name for name in graph.values if name in total])
    columns, rows = zip(*places.values(), strict=True)
    ax.set_xlim(min(columns) - 0.4, max(columns) + 0.4)
    ax.set_ylim(min(rows) - 0.7, max(rows) + 0.7)
    for name in places:
        for k, (parent, local) in enumerate(graph.edges[name]):
            parents = [other for other, _ in graph.edges[name]]
            twins, twin = parents.count(parent), parents[:k].count(parent)
            leaps = places[name][0] - places[parent][0] > 1
            bend = 0.3 - 0.6 * twin / (twins - 1) if twins > 1 else -0.45 if leaps else 0.0
            _draw_edge(ax, places[parent], places[name], bend)
            texts = _short(graph.values[parent]), _short(total[name] * local)
            _label_edge(ax, places[parent], places[name], bend, texts)
    for name, place in places.items():
        _draw_node(ax, place, name, _short(total[name]))
    return figure


def _places(graph: Graph, names: list[str]) -> dict[str, Point]:
    """Put each number one column to the right of the last of those it is computed from."""
    column: dict[str, int] = {}
    for name in names:
        column[name] = 1 + max((column[parent] for parent, _ in graph.edges[name]), default=-1)
    places = {}
    for _, group in groupby(sorted(names, key=column.__getitem__), column.__getitem__):
        members = list(group)
        for row, name in enumerate(members):
            places[name] = (float(column[name]), 1.2 * ((len(members) - 1) / 2 - row))
    return places


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


def _short(number: float) -> str:
    return f"{number:.4g}"

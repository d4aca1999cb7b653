"""How the book's figures look: one style, four colours that also differ as lines, direct labels."""

from typing import TYPE_CHECKING, Any

from backprop_book.checks import values
from backprop_book.rules import count, positive

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

BLUE, ORANGE, GREEN, PURPLE = "#0072b2", "#c04e00", "#00795a", "#a8487d"
INK, MUTED = "#1b1b1f", "#75757d"

STYLE: Any = {
    "font.size": 10,
    "axes.labelsize": 10,
    "axes.titlesize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "lines.linewidth": 1.8,
}


@values(width=positive, height=positive, n_rows=count)
def new_figure(width: float = 4.8, height: float = 3.0, n_rows: int = 1) -> "tuple[Figure, Any]":
    """Return a figure of that many inches and its axes (an array of them for several rows).

    Sets the book's style for the session.

    Raises ImportError, with the cure, without matplotlib, and ValueError for a size that is not
    positive.

    >>> figure, ax = new_figure(width=5.0)
    >>> figure.get_size_inches()
    array([5., 3.])
    """
    try:
        from cycler import cycler
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise ImportError("figures need matplotlib: pip install matplotlib") from error
    styles = cycler(color=[BLUE, ORANGE, GREEN, PURPLE]) + cycler(linestyle=["-", "--", "-.", ":"])
    plt.rcParams.update(STYLE)
    plt.rcParams["axes.prop_cycle"] = styles
    return plt.subplots(n_rows, 1, figsize=(width, height), layout="constrained")


def label_end(line: "Line2D", text: str, dy: float = 0.0) -> Any:
    """Write a label at the end of a line, in its colour, dy points higher than where it ends.

    >>> figure, ax = new_figure()
    >>> (line,) = ax.plot([0, 1], [0, 1])
    >>> label_end(line, "rising").get_text()
    'rising'
    """
    axes: Axes = line.axes  # type: ignore[assignment]
    x, y = line.get_xdata()[-1], line.get_ydata()[-1]  # type: ignore[index]
    return axes.annotate(
        text,
        (x, y),
        xytext=(5, dy),
        textcoords="offset points",
        color=line.get_color(),
        va="center",
    )

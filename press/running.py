"""Run the snippets of a page and keep what each printed and drew."""

import io
import traceback
import warnings
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from sybil import Document, Example, Region
from sybil.evaluators.python import PythonEvaluator
from sybil.region import Lexeme

from press.fences import Page, Snippet

matplotlib.use("svg")
from matplotlib import pyplot as plt  # the backend is chosen first

SVG_SETTINGS: Any = {"svg.hashsalt": "learning-from-mistakes", "svg.fonttype": "none"}
NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


@dataclass(frozen=True)
class Ran:
    """What a snippet printed, the figures it drew (as SVG), and the error it raised, if any."""

    printed: str
    figures: list[bytes]
    error: str | None = None
    error_line: int = 0


def run(page: Page, wanted: Iterable[int] | None = None) -> dict[int, Ran]:
    """Run the wanted snippets of a page (all unless told) as one program in a fresh namespace.

    The first that raises is the last that runs.
    """
    indices = range(len(page.snippets)) if wanted is None else wanted
    document = Document(page.text, str(page.path))
    document.namespace["__name__"] = "__main__"
    results = {}
    plt.close("all")
    with plt.rc_context(), np.printoptions(), np.errstate():
        for i in indices:
            results[i] = _run_snippet(page.snippets[i], document)
            if results[i].error:
                break
    return results


def _run_snippet(snippet: Snippet, document: Document) -> Ran:
    fence = snippet.code
    region = Region(fence.start, fence.end, Lexeme(fence.source, 0, 0), PythonEvaluator())
    example = Example(document, fence.line, 1, region, document.namespace)
    printed = io.StringIO()
    try:
        with redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("error")  # a reader would see it, so the page must not raise it
            warnings.filterwarnings("ignore", "FigureCanvasSVG is non-interactive")
            warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"torch\.")
            example.evaluate()
            return Ran(printed.getvalue(), _take_figures())
    except (Exception, SystemExit) as error:
        return Ran(printed.getvalue(), [], *_told(error, snippet, document))
    finally:
        plt.close("all")


def _told(error: BaseException, snippet: Snippet, document: Document) -> tuple[str, int]:
    """Return the error, and the line of the snippet that led to it."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f.lineno for f in frames if f.filename == document.path and f.lineno]
    if isinstance(error, SyntaxError) and error.filename == document.path and error.lineno:
        lines = [error.lineno]
    elsewhere = f" (raised on line {lines[-1]})" if len(lines) > 1 else ""
    return f"{type(error).__name__}: {error}{elsewhere}", [*lines, snippet.code.line][0]


def _take_figures() -> list[bytes]:
    figures = []
    for number in plt.get_fignums():
        drawing = io.BytesIO()
        with plt.rc_context(SVG_SETTINGS):
            plt.figure(number).savefig(drawing, format="svg", metadata=NO_METADATA)
        figures.append(drawing.getvalue())
    return figures

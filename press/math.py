"""Typeset the formulas of a page's HTML with KaTeX, while the site is built."""

import atexit
import html
import re
from functools import cache
from pathlib import Path
from typing import Any

from py_mini_racer import MiniRacer

KATEX = Path(__file__).parent / "katex" / "katex.min.js"
TYPESET = """
function typeset(tex, displayMode) {
  try {
    return [katex.renderToString(tex, {displayMode, strict: "error"}), ""];
  } catch (error) {
    return ["", error.message];
  }
}
"""
FORMULA = re.compile(
    r'(?P<opening><(?P<tag>span|div) class="arithmatex">)'
    r"\\(?P<kind>[(\[])(?P<tex>.*?)\\[)\]]</(?P=tag)>",
    re.DOTALL,
)
IN_A_TITLE = re.compile(r"\\\((?P<tex>.+?)\\\)")


def typeset_formulas(page: str) -> str:
    """Replace each formula that arithmatex marked by its HTML and MathML.

    Raises ValueError naming a formula that KaTeX does not understand.
    """
    return FORMULA.sub(_typeset_match, page)


def typeset_title(title: str) -> str:
    """Replace the formulas of a table of contents' entry, which has lost its markup."""
    return IN_A_TITLE.sub(lambda match: typeset(html.unescape(match["tex"]), False), title)


@cache
def typeset(tex: str, display: bool) -> str:
    """Return the HTML and MathML of one formula."""
    markup, error = _engine().call("typeset", tex, display)
    if error:
        raise ValueError(f"formula {tex.strip()!r}: {error}")
    return str(markup)


@cache
def _engine() -> Any:
    engine = MiniRacer()
    atexit.register(engine.close)  # left to the interpreter's own end, it may wait for ever
    engine.eval(KATEX.read_text(encoding="utf-8"))
    engine.eval(TYPESET)
    return engine


def _typeset_match(match: re.Match[str]) -> str:
    markup = typeset(html.unescape(match["tex"]), match["kind"] == "[")
    return f"{match['opening']}{markup}</{match['tag']}>"

"""Typeset the formulas of a page's HTML with KaTeX, while the site is built."""

import atexit
import html
import re
from functools import cache
from pathlib import Path
from typing import Any

from py_mini_racer import MiniRacer

from press.fences import Page

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
LABEL = re.compile(r"(?<=\})\\label\{(?P<id>equation-[\w-]+)\}")
DELIMITERS = {"(": (r"\$|\\\(", r"\$(?!\$)|\\\)"), "[": (r"\$\$|\\\[", r"\$\$|\\\]")}
IN_A_TITLE = re.compile(r"\\\((?P<tex>.+?)\\\)")


def typeset_formulas(page: str, markdown: str) -> str:
    """Replace each formula that arithmatex marked by its HTML and MathML.

    Raises ValueError for a formula that KaTeX does not understand, with its line in `markdown`,
    from which the page was made.
    """

    def typeset_match(match: re.Match[str]) -> str:
        try:
            return _typeset_match(match)
        except ValueError as fault:
            raise ValueError(f"{_place(match, markdown)}{fault}") from fault

    return FORMULA.sub(typeset_match, page)


def equation_ids(page: str) -> set[str]:
    """Return the ids that the numbered equations of a page will have once they are typeset."""
    return {label["id"] for label in LABEL.finditer(page)}


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
    tex, opening = html.unescape(match["tex"]), match["opening"]
    if label := LABEL.search(tex):
        tex = LABEL.sub("", tex)
        opening = f'{opening[:-1]} id="{label["id"]}">'
    return f"{opening}{typeset(tex, match['kind'] == '[')}</{match['tag']}>"


def _place(match: re.Match[str], markdown: str) -> str:
    """Tell the line of the first formula with this text; what it is nested in may indent it."""
    tex = r"[\s>]+".join(map(re.escape, html.unescape(match["tex"]).split()))
    opening, closing = DELIMITERS[match["kind"]]
    prose = Page(Path(), markdown).prose
    found = re.search(rf"(?:{opening})\s*{tex}\s*(?:{closing})", prose)
    return f"line {prose.count(chr(10), 0, found.start()) + 1}: " if found else ""

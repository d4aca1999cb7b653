"""Draw the card that a link to a page shows where it is shared: title, question and figure."""

import re
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from html import escape
from pathlib import Path

import matplotlib
import resvg_py
from mkdocs.structure.pages import Page

from press.descriptions import plain_text
from press.roles import question_of

FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")
FACES = ["STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "DejaVuSans", "DejaVuSans-Bold"]
WIDTH, HEIGHT = 1200, 630
CARDS = Path("assets", "cards")
FIGURE = re.compile(r'<img\b[^>]*?\bsrc="([^"]*\bfigures/[\w-]+\.svg)"')
PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
SIZE = re.compile(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"')

CARD = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="STIXGeneral">
<rect width="100%" height="100%" fill="#fffefc"/>
<rect width="100%" height="14" fill="#c04e00"/>
<g fill="#1b1b1f" font-size="60" font-weight="bold">{title}</g>
<g fill="#55555d" font-size="36" font-style="italic">{question}</g>
<text x="72" y="562" font-size="29" fill="#55555d">{book}</text>
{figure}
</svg>"""
TITLE = {"columns": 17, "leading": 66}
QUESTION = {"columns": 30, "leading": 46}


def write_card(page: Page, book: str, find: Callable[[str], Path], site: Path) -> Path:
    """Write the card of a page that asks a question and has a figure; return its place on the site.

    `find` tells the file behind the figure's address. The other pages share the home page's card.
    """
    figure = FIGURE.search(page.content or "")
    question = plain_text(question_of(page.content or ""))
    if not (figure and question):
        return CARDS / "index.png"
    card = CARDS / f"{page.file.name}.png"
    drawing = find(figure[1]).read_text(encoding="utf-8")
    (site / CARDS).mkdir(parents=True, exist_ok=True)
    png = draw_card(plain_text(page.title or ""), question, book, drawing)
    (site / card).write_bytes(png)
    return card


@cache
def draw_card(title: str, question: str, book: str, figure: str) -> bytes:
    """Return a card as PNG; `figure` is an SVG file's content."""
    titles = textwrap.wrap(title, TITLE["columns"])
    below = 130 + len(titles) * TITLE["leading"]
    svg = CARD.format(
        width=WIDTH,
        height=HEIGHT,
        title="".join(_lines(titles, 130, TITLE["leading"])),
        question="".join(
            _lines(textwrap.wrap(question, QUESTION["columns"]), below, QUESTION["leading"])
        ),
        book=escape(book),
        figure=_placed(figure),
    )
    return resvg_py.svg_to_bytes(
        svg_string=svg,
        skip_system_fonts=True,
        font_files=[str(FONTS / f"{face}.ttf") for face in FACES],
        sans_serif_family="DejaVu Sans",
    )


def _lines(lines: list[str], y: int, leading: int) -> Iterator[str]:
    for i, line in enumerate(lines):
        yield f'<text x="72" y="{y + i * leading}">{escape(line)}</text>'


def _placed(figure: str) -> str:
    """Return the drawing as large as it fits beside the text."""
    return SIZE.sub(
        r'\1 x="600" y="70" width="540" height="500"', PROLOGUE.sub("", figure), count=1
    )

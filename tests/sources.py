"""The book's sources, as the tests of the site ask for them, and where each stands on the site."""

import re

import nbformat
from conftest import ROOT

from press.fences import Fence, read_fences

DOCS = ROOT / "docs"
SOURCES = sorted(
    str(path.relative_to(DOCS)) for path in [*DOCS.rglob("*.md"), *DOCS.rglob("*.ipynb")]
)
PAGES = [source for source in SOURCES if source.endswith(".md")]
CHAPTERS = [page for page in PAGES if page.startswith("part-")]
LABS = [source for source in SOURCES if source.endswith(".ipynb")]

INLINE_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
QUESTION = re.compile(r"^\*(?!\*)(?P<question>.+)\*$", re.MULTILINE)


def url_of(source: str) -> str:
    """Return the address that a source has on the site, from the home page."""
    stem = source.rsplit(".", 1)[0]
    return "" if stem == "index" else f"{stem}/"


def read_source(source: str) -> str:
    """Return a page's Markdown; of a lab, that of its text cells."""
    path = DOCS / source
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def question_of(chapter: str) -> str:
    """Return the line in italics under a chapter's title."""
    return QUESTION.search(read_source(chapter))["question"]


def without_code(markdown: str) -> str:
    for fence in reversed(read_fences(markdown)):
        markdown = markdown[: fence.start] + markdown[fence.end :]
    return INLINE_CODE.sub("", markdown)


def python_fences(page: str) -> list[Fence]:
    return [fence for fence in read_fences(read_source(page)) if fence.language == "python"]


def snippets_of(source: str) -> list[str]:
    """Return the code that a page's or a lab's copy buttons are for."""
    if source not in LABS:
        return [fence.source for fence in python_fences(source)] if source in PAGES else []
    cells = nbformat.read(DOCS / source, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]

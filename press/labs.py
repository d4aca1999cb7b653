"""Turn the HTML of an executed notebook into a page like the book's own.

mkdocs-jupyter brings half a megabyte of JupyterLab's styles and scripts, some of them from other
origins; what is kept is the text, the code and what the code printed or drew.
"""

import base64
import html
import re

import nbformat
from bs4 import BeautifulSoup, Tag
from nbformat import NotebookNode

from press.figures import inline_svg
from press.snippet_ids import number_snippets

PARTS = ".jp-RenderedMarkdown, .highlight-ipynb, .jp-OutputArea-output"
FORMULA = re.compile(r"\$\$(?P<display>.+?)\$\$|\$(?P<inline>[^$\n]+?)\$", re.DOTALL)
SVG = "data:image/svg+xml;base64,"


def clean_lab(page: str, notebook: str) -> str:
    """Return the page of an executed notebook whose file holds `notebook`.

    Raises ValueError where a cell draws and has no `alt` in its metadata to tell what.
    """
    cells = _code_cells(notebook)
    soup = BeautifulSoup(page, "html.parser")
    for cell, drawn in zip(cells, soup.select(".jp-CodeCell[id]"), strict=True):
        _describe(drawn, cell)
    kept = "\n".join(_render(part) for part in soup.select(PARTS))
    return number_snippets(kept, [cell.source for cell in cells])


def _code_cells(notebook: str) -> list[NotebookNode]:
    cells = nbformat.reads(notebook, as_version=4).cells  # type: ignore[no-untyped-call]
    return [cell for cell in cells if cell.cell_type == "code"]


def _describe(drawn: Tag, cell: NotebookNode) -> None:
    """Give the images of a cell its alternative text; an SVG becomes part of the page."""
    for image in drawn.select("img"):
        if "alt" not in cell.metadata:
            raise ValueError(f"cell {cell.id!r} draws but has no `alt` in its metadata")
        image["alt"] = cell.metadata.alt
        src = str(image["src"])
        if src.startswith(SVG):
            svg = base64.b64decode(src.removeprefix(SVG)).decode()
            markup = inline_svg(svg, cell.id, html.escape(cell.metadata.alt))
            image.replace_with(BeautifulSoup(markup, "html.parser"))


def _render(part: Tag) -> str:
    classes = part.get_attribute_list("class")
    if "highlight-ipynb" in classes:
        return _block("python", part)
    if "jp-RenderedText" in classes:
        return _block("output", part)
    if "jp-RenderedMarkdown" in classes:
        _mark_formulas(part)
        _mark_anchors(part)
        _mark_code(part)
    return part.decode_contents()


def _block(language: str, part: Tag) -> str:
    code = "".join(pre.decode_contents() for pre in part.select("pre"))
    return f'<div class="language-{language} highlight"><pre><code>{code}</code></pre></div>'


def _mark_formulas(part: Tag) -> None:
    for text in part.find_all(string=FORMULA):
        if not text.find_parent(["code", "pre"]):
            marked = FORMULA.sub(_mark, html.escape(text, quote=False))
            text.replace_with(BeautifulSoup(marked, "html.parser"))


def _mark(formula: re.Match[str]) -> str:
    if formula["display"]:
        return rf'<span class="arithmatex">\[{formula["display"]}\]</span>'
    return rf'<span class="arithmatex">\({formula["inline"]}\)</span>'


def _mark_anchors(part: Tag) -> None:
    for anchor in part.select("a.anchor-link"):
        anchor["class"] = "headerlink"
        anchor["title"] = "Link to this section"


def _mark_code(part: Tag) -> None:
    for block in part.select("pre:not(:has(code))"):
        code = f"<pre><code>{block.decode_contents()}</code></pre>"
        block.replace_with(BeautifulSoup(code, "html.parser"))

"""Make a notebook from each chapter, to run and to change away from the site."""

import posixpath
import re
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import nbformat
from mkdocs.config import load_config
from mkdocs.utils.meta import get_data
from nbformat import NotebookNode

from press.fences import IMAGE, Page, Snippet
from press.libraries import OPTIONAL, optional_libraries
from press.numbering import number
from press.plain_markdown import PYTHON, plain
from press.structure import ELSEWHERE

ROOT = Path(__file__).parent.parent
CHAPTERS = "part-*/*.md"
LABS = "labs/*.ipynb"

FRONT = """{title}

This notebook holds [a chapter]({page}) of [*Learning from Mistakes*]({book}), a book whose every
snippet is run and whose every output is compared. The outputs below are the book's; when you run
the cells from the top, yours should be the same.

Text [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/),
code [MIT](https://opensource.org/license/mit).

The cells need {libraries} and the book's package. Where one of them is missing, take the `#`
away from the first cell and run it.
"""
INSTALL = '# %pip install {packages} "backprop-book @ git+{repo}"'

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
MARKED_LINE = re.compile("^[ \t>]*" + PYTHON.format("(\\d+)") + "[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Site:
    """Where the book stands: the folder of its pages, its address, that of its repository."""

    docs: Path
    url: str
    repo: str

    def address(self, path: Path, target: str = "") -> str:
        """Return the address on the site of what a page links to; without a target, its own."""
        if target.startswith(ELSEWHERE):
            return target
        file, hash_sign, anchor = target.partition("#")
        page = path.relative_to(self.docs).as_posix()
        linked = posixpath.normpath(posixpath.join(posixpath.dirname(page), file)) if file else page
        return urljoin(self.url, _served(linked)) + hash_sign + anchor


def write_notebooks(docs_dir: Path, site_dir: Path, site_url: str) -> None:
    """Write each chapter as a notebook into the site's folder `notebooks`, and copy the labs."""
    folder = site_dir / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    site = Site(docs_dir, site_url, load_config(str(ROOT / "mkdocs.yml")).repo_url or "")
    for path in sorted(docs_dir.glob(CHAPTERS)):
        written: str = nbformat.writes(notebook(Page(path), site))  # type: ignore[no-untyped-call]
        (folder / f"{path.stem}.ipynb").write_text(f"{written}\n", encoding="utf-8")
    for lab in docs_dir.glob(LABS):
        shutil.copy(lab, folder)


def notebook(page: Page, site: Site) -> NotebookNode:
    """Return a chapter as a notebook: a cell for each snippet, holding what the page shows of it.

    Raises ValueError for a page without a title, or whose snippets did not each become a cell.
    """
    page = Page(page.path, number(page.text, page.path))
    cells = list(_cells(page, site))
    for place, cell in enumerate(cells, 1):
        cell.id = f"cell-{place}"
    n_code = sum(cell.cell_type == "code" for cell in cells)
    if n_code != len(page.snippets) + 1:
        raise ValueError(f"{page.path}: {len(page.snippets)} snippets became {n_code - 1} cells")
    made: NotebookNode = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
        cells=cells, metadata=METADATA
    )
    nbformat.validate(made)
    return made


def _cells(page: Page, site: Site) -> Iterator[NotebookNode]:
    text = plain(_marked(page), lambda target: site.address(page.path, target))
    title, text = _split_title(page, text)
    also = optional_libraries(page)
    libraries = ", ".join(["NumPy", "matplotlib", *(OPTIONAL[name] for name in also)])
    front = {"title": title, "page": site.address(page.path), "book": site.url}
    yield _markdown_cell(FRONT.format(libraries=libraries, **front))
    packages = " ".join(["numpy", "matplotlib", *also])
    yield _code_cell(INSTALL.format(packages=packages, repo=site.repo), [])
    for i, part in enumerate(MARKED_LINE.split(text)):
        if i % 2:
            yield _snippet_cell(page, page.snippets[int(part)])
        elif tidy := _tidy(part):
            yield _markdown_cell(tidy)


def _marked(page: Page) -> str:
    """Return the page's text with a mark for each snippet, and without what the snippets show."""
    text = page.text
    for i, snippet in reversed(list(enumerate(page.snippets))):
        end = (snippet.output or snippet.code).end
        mark = f"{snippet.code.prefix}{PYTHON.format(i)}"
        text = text[: snippet.code.start] + mark + text[end:]
    drawn = {snippet.figure for snippet in page.snippets}
    text = IMAGE.sub(lambda image: "" if image["path"] in drawn else image[0], text)
    return str(get_data(text)[0])


def _split_title(page: Page, text: str) -> tuple[str, str]:
    title, _, rest = text.strip().partition("\n")
    if not title.startswith("# "):
        raise ValueError(f"{page.path}: it does not begin with a title")
    return title, rest


def _snippet_cell(page: Page, snippet: Snippet) -> NotebookNode:
    outputs = []
    if snippet.output:
        outputs.append(_printed(snippet.output.source))
    if snippet.figure:
        outputs.append(_figure(page, snippet.figure))
    return _code_cell(snippet.code.source.rstrip(), outputs)


def _figure(page: Page, figure: str) -> NotebookNode:
    """Return a figure as an output; its ink is dark, so it asks for a light ground."""
    alt = next(image["alt"] for image in IMAGE.finditer(page.text) if image["path"] == figure)
    svg = (page.path.parent / figure).read_text(encoding="utf-8")
    data = {"image/svg+xml": svg, "text/plain": alt}
    return _node(output_type="display_data", data=data, metadata={"needs_background": "light"})


def _printed(text: str) -> NotebookNode:
    return _node(output_type="stream", name="stdout", text=text)


def _tidy(part: str) -> str:
    """Take from a text between two snippets what only made sense beside them."""
    lines = part.split("\n")
    while lines and not lines[0].strip("> \t"):
        del lines[0]
    while lines and not lines[-1].strip("> \t"):
        del lines[-1]
    return _without_indent("\n".join(lines))


def _without_indent(text: str) -> str:
    """Take the indent from the lines that went on with a list's item; here they would be code."""
    nested = re.match(r"(?:[ \t]+\S.*(?:\n|$)|[ \t]*\n)*", text)
    end = nested.end() if nested else 0
    return textwrap.dedent(text[:end]) + text[end:]


def _markdown_cell(source: str) -> NotebookNode:
    return _node(cell_type="markdown", source=source.rstrip(), metadata={})


def _code_cell(source: str, outputs: list[NotebookNode]) -> NotebookNode:
    run: dict[str, Any] = {"execution_count": None, "outputs": outputs}
    return _node(cell_type="code", source=source, metadata={}, **run)


def _node(**content: Any) -> NotebookNode:
    return NotebookNode(**content)  # type: ignore[no-untyped-call]


def _served(path: str) -> str:
    """Return where the site serves a file of docs: a page as a folder, all else as it is."""
    stem, extension = posixpath.splitext(path)
    if extension not in (".md", ".ipynb"):
        return path
    folder = posixpath.dirname(stem) if posixpath.basename(stem) == "index" else stem
    return f"{folder}/" if folder else ""

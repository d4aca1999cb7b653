"""What the pages of the built site hold."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag
from sources import (
    CHAPTERS,
    DOCS,
    LABS,
    PAGES,
    SOURCES,
    python_fences,
    read_source,
    url_of,
    without_code,
)

from press.fences import read_fences
from press.needs import needs

FORMULA = re.compile(r"\$\$.+?\$\$|(?<![\\$])\$(?=\S)[^$]+?(?<=\S)\$", re.DOTALL)
FIGURE = re.compile(r"!\[[^\]]*\]\([^)\s]*figures/[^)\s]+\.svg\)")


@dataclass(frozen=True)
class Shown:
    """What a page of the site holds, as the tests ask for it: to parse one takes long."""

    ids: list[str]
    scripts: str
    licences: str
    blocks: list[Tag]
    formulas: int
    links: dict[str, str]
    images: list[Tag]
    plots: list[Tag]
    outputs: int
    text: str


@cache
def shown_by(file: Path) -> Shown:
    page = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
    article = page.select_one("article")
    found = {
        "ids": [tag["id"] for tag in page.select("[id]")],
        "scripts": "".join(map(str, page.select("script"))),
        "licences": page.select_one("footer .md-copyright").get_text(),
        "blocks": [without_content(block) for block in article.select("div.highlight")],
        "formulas": len(article.select(".arithmatex > :is(.katex, .katex-display)")),
        "links": {a.get_text(): a["href"] for a in article.select(".page-links a")},
        "images": [without_content(image) for image in article.select("img")],
        "plots": [without_content(plot) for plot in article.select("svg.plot")],
        "outputs": len(article.select(".language-output, svg.plot")),
    }
    for part in article.select("code, .katex"):
        part.decompose()
    return Shown(**found, text=article.get_text())


def without_content(tag: Tag) -> Tag:
    """Return the tag alone: what hangs on a page keeps the whole page in memory."""
    return Tag(name=tag.name, attrs=dict(tag.attrs))


@pytest.fixture
def shown(site: Path) -> Callable[[str], Shown]:
    """Read what a source's page on the site holds."""
    return lambda source: shown_by(site / url_of(source) / "index.html")


def of_one_page(sources: list[str]) -> list[object]:
    """Return parameters whose tests run one after another, so that the page is parsed once."""
    return [pytest.param(s, id=s, marks=pytest.mark.xdist_group(s)) for s in sources]


every_page = pytest.mark.parametrize("page", of_one_page(PAGES))
every_source = pytest.mark.parametrize("source", of_one_page(SOURCES))


def test_every_source_has_its_page_and_no_other_is_there(site: Path) -> None:
    built = {str(path.parent.relative_to(site)) for path in site.rglob("index.html")}
    assert built == {str(Path(url_of(source))) for source in SOURCES}


@every_page
def test_every_fence_is_a_code_block_of_its_language(page: str, shown) -> None:
    languages = [fence.language for fence in read_fences(read_source(page))]
    classes = [block["class"][0] for block in shown(page).blocks]
    assert classes == [f"language-{language}" for language in languages]


@every_page
def test_every_snippet_tells_which_it_needs(page: str, shown) -> None:
    blocks = [block for block in shown(page).blocks if "language-python" in block["class"]]
    told = [(block["id"], [int(n) - 1 for n in block["data-needs"].split()]) for block in blocks]
    needed = needs([fence.source for fence in python_fences(page)])
    assert told == [(f"snippet-{i}", earlier) for i, earlier in enumerate(needed, 1)]


@every_source
def test_every_formula_is_typeset(source: str, shown) -> None:
    assert shown(source).formulas == len(FORMULA.findall(without_code(read_source(source))))
    assert not re.search(r"\\\(|\\\[|\$\$", shown(source).text)


@every_page
def test_every_figure_is_drawn_in_its_page(page: str, shown) -> None:
    assert len(shown(page).plots) == len(FIGURE.findall(without_code(read_source(page))))
    assert not [image for image in shown(page).images if "figures/" in image["src"]]


@every_source
def test_every_picture_has_alternative_text(source: str, shown) -> None:
    for image in shown(source).images:
        assert image.get("alt"), image
    for drawing in shown(source).plots:
        assert drawing["role"] == "img" and drawing["aria-label"]


@every_source
def test_ids_are_unique(source: str, shown) -> None:
    assert [name for name, count in Counter(shown(source).ids).items() if count > 1] == []


@pytest.mark.parametrize("lab", of_one_page(LABS))
def test_a_lab_shows_what_its_run_printed(lab: str, shown) -> None:
    cells = nbformat.read(DOCS / lab, as_version=4).cells
    assert not any(cell.get("outputs") for cell in cells), "strip the outputs from the file"
    assert shown(lab).outputs


@every_source
def test_links_to_the_source_and_to_report_an_error(source: str, shown) -> None:
    links = shown(source).links
    assert links["Source of this page"].endswith(f"/blob/main/docs/{source}")
    assert "/issues/new?title=Error%20in%20" in links["Report an error"]


@pytest.mark.parametrize("chapter", of_one_page(CHAPTERS))
def test_a_chapter_links_its_notebook(chapter: str, shown, site: Path) -> None:
    linked = site / url_of(chapter) / shown(chapter).links["Download as a notebook"]
    assert linked.resolve() == site / "notebooks" / f"{Path(chapter).stem}.ipynb"
    nbformat.validate(nbformat.read(linked, as_version=4))


@every_source
def test_the_footer_tells_the_licences(source: str, shown) -> None:
    assert "CC BY 4.0" in shown(source).licences and "MIT" in shown(source).licences


@every_source
def test_no_script_typesets_formulas(source: str, shown) -> None:
    assert not re.search("katex|mathjax|require", shown(source).scripts.lower())

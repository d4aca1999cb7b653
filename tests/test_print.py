"""The book on paper: all of it as one document, a part of it as a PDF, and a page by itself."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from playwright.sync_api import Browser, Page
from pypdf import PdfReader
from sources import CHAPTERS, DOCS, SOURCES, url_of

from press.print_book import open_book, page_numbers, print_book

pytestmark = pytest.mark.xdist_group("print")

PAPER = 166 * 96 // 25.4  # px between the margins
PART = [{"Part I. Learning from mistakes": CHAPTERS[:2]}]


@pytest.fixture(scope="module")
def config() -> MkDocsConfig:
    return load_config(str(DOCS.parent / "mkdocs.yml"))


def opened(browser: Browser, site: Path, config: MkDocsConfig, nav: list[Any]) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": int(PAPER), "height": 900})
    open_book(page, site, config, nav)
    yield page
    page.close()


@pytest.fixture(scope="module")
def book(browser: Browser, site: Path, config: MkDocsConfig) -> Iterator[Page]:
    """The whole book as it will be printed."""
    yield from opened(browser, site, config, config.nav)


@pytest.fixture(scope="module")
def pdf(
    browser: Browser, site: Path, config: MkDocsConfig, tmp_path_factory: pytest.TempPathFactory
) -> PdfReader:
    """Two chapters and their solutions in print: the whole book takes minutes."""
    file = tmp_path_factory.mktemp("print") / "part.pdf"
    for page in opened(browser, site, config, PART):
        print_book(page, file)
    return PdfReader(file)


def titles(source: str) -> str:
    first = (DOCS / source).read_text(encoding="utf-8").splitlines()[0]
    return first.removeprefix("# ").replace("`", "")


def outline(entries: list[Any]) -> Iterator[tuple[str, Any]]:
    for entry in entries:
        if isinstance(entry, list):
            yield from outline(entry)
        else:
            yield entry.title.replace("\u00a0", " "), entry


# The whole book


def test_every_page_of_the_site_is_in_it_once(book: Page) -> None:
    pages = book.evaluate("[...document.querySelectorAll('[data-page]')].map(p => p.dataset.page)")
    assert sorted(pages) == sorted(map(url_of, SOURCES))


def test_no_id_is_there_twice(book: Page) -> None:
    ids = book.evaluate("[...document.querySelectorAll('[id]')].map(named => named.id)")
    assert len(ids) == len(set(ids))


def test_nothing_is_wider_than_the_paper(book: Page) -> None:
    assert book.evaluate(CUT) == []


CUT = """() => {
  const right = document.documentElement.clientWidth + 1;
  const end = box => {
    const { left, right } = box.getBoundingClientRect();
    return Math.max(right, left + box.scrollWidth);
  };
  const hides = box => getComputedStyle(box).overflowX !== "visible";
  const boxes = "pre, code, td, table, figure, svg.plot, img, p, h1, h2, h3, .katex-display";
  return [...document.querySelectorAll(boxes)]
    .filter(box => end(box) > right || (hides(box) && box.scrollWidth > box.clientWidth + 2))
    .map(box => `${box.closest("[data-page]")?.dataset.page}: ${box.outerHTML.slice(0, 100)}`);
}"""


def test_no_solution_stands_beside_its_exercise(book: Page) -> None:
    assert book.locator(".exercise details").count() == 0
    links = book.evaluate("[...document.querySelectorAll('.to-answer a')].map(a => a.hash)")
    answers = book.evaluate("[...document.querySelectorAll('.answers > h3')].map(a => '#' + a.id)")
    assert links == answers != []


def test_no_link_of_the_book_leads_to_nothing(
    browser: Browser, config: MkDocsConfig, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text('<article><h1>A</h1><a href="#nowhere">a</a></article>')
    with pytest.raises(Exception, match="#nowhere is nowhere"):
        next(opened(browser, tmp_path, config, ["index.md"]))


# Two chapters in print


def test_the_outline_has_each_chapter_on_the_page_that_the_contents_tell(pdf: PdfReader) -> None:
    places = dict(reversed(list(outline(pdf.outline))))
    contents = pdf.pages[1].extract_text().replace("\u00a0", " ")
    for chapter in CHAPTERS[:2]:
        page = pdf.get_destination_page_number(places[titles(chapter)])
        assert titles(chapter) in pdf.pages[page].extract_text().replace("\u00a0", " ")
        told = contents.split(titles(chapter))[1].split()[0]
        assert int(told) == page + 1


def test_every_link_inside_leads_to_a_page(pdf: PdfReader) -> None:
    links = [note.get_object() for page in pdf.pages for note in page.get("/Annots", [])]
    inside = [str(link["/Dest"]) for link in links if "/Dest" in link]
    assert inside and set(inside) <= set(pdf.named_destinations)
    outside = [link["/A"]["/URI"] for link in links if "/URI" in link.get("/A", {})]
    assert outside and all(url.startswith("http") and "//book/" not in url for url in outside)


def test_an_exercise_tells_the_page_of_its_solution_and_back(pdf: PdfReader) -> None:
    pages = page_numbers(pdf)
    answers = {name: page for name, page in pages.items() if name.startswith("answer-")}
    first = min(answers.values())
    assert told(pdf, range(first - 1), "solution: page ") == sorted(answers.values())
    exercises = [pages[name.removeprefix("answer-")] for name in answers]
    assert told(pdf, range(first - 1, len(pdf.pages)), ", page ") == sorted(exercises)


def told(pdf: PdfReader, pages: range, words: str) -> list[int]:
    """Return the numbers that follow some words on some pages."""
    text = "\n".join(pdf.pages[page].extract_text() for page in pages)
    return [int(number) for number in re.findall(rf"{words}\s*(\d+)", text.replace("\xa0", " "))]


def test_every_face_is_embedded(pdf: PdfReader) -> None:
    faces = [
        face.get_object() for page in pdf.pages for face in page["/Resources"]["/Font"].values()
    ]
    assert any("KaTeX_Math" in str(face.get("/BaseFont")) for face in faces)
    assert all(embedded(face) for face in faces)


def embedded(face: Any) -> bool:
    if face["/Subtype"] == "/Type3":
        return True
    [below] = face["/DescendantFonts"]
    return "/FontFile2" in below.get_object()["/FontDescriptor"]


# A page by itself


def test_a_page_in_dark_colours_is_printed_dark_on_white(desktop, address: str) -> None:
    page = desktop.new_page()
    page.emulate_media(color_scheme="dark", media="print")
    page.goto(address + url_of(CHAPTERS[0]))
    assert page.get_attribute("body", "data-md-color-scheme") == "slate"
    assert page.evaluate(INK) == ["rgb(27, 27, 31)", "rgb(255, 254, 252)"]
    assert (
        not page.locator(".md-header, .md-sidebar, .md-footer, .page-links")
        .locator("visible=true")
        .count()
    )


INK = """() => {
  const { style } = document.body;
  return ["--md-default-fg-color", "--md-default-bg-color"].map(name => {
    style.outlineColor = `var(${name})`;
    return getComputedStyle(document.body).outlineColor;
  });
}"""

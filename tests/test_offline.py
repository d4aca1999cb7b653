"""The site opened from disk, without a server."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from browsing import recorded
from playwright.sync_api import Browser, Page
from sources import CHAPTERS, SOURCES, python_fences, url_of

from press import offline

pytestmark = pytest.mark.xdist_group("offline")

LINK = re.compile(r'\b(?:href|src)="(?!https?:|data:|#)([^"]*)"')
FROM_DISK = ("file:", "blob:", "data:")


@pytest.fixture(scope="module")
def disk(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site as the zip holds it."""
    folder = tmp_path_factory.mktemp("disk") / "book"
    offline.take_offline(site, folder)
    return folder


@pytest.fixture(scope="module")
def opened(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def unlaid(browser: Browser) -> Iterator[Page]:
    """A page that does not lay out its text, which is most of the time that it takes to open."""
    page = browser.new_page()
    page.add_init_script(WITHOUT_TEXT)
    yield page
    page.close()


WITHOUT_TEXT = """
const sheet = new CSSStyleSheet();
sheet.replaceSync("article { display: none !important }");
document.adoptedStyleSheets = [sheet];
"""


def file_of(source: str, disk: Path) -> Path:
    return disk / url_of(source) / "index.html"


@pytest.mark.parametrize("source", SOURCES)
def test_every_link_names_a_file(source: str, disk: Path) -> None:
    page = file_of(source, disk)
    targets = {unquote(urlsplit(link).path) for link in LINK.findall(page.read_text("utf-8"))}
    assert "" not in targets and any(target.endswith("index.html") for target in targets)
    assert [target for target in targets if not (page.parent / target).is_file()] == []


@pytest.mark.parametrize("source", SOURCES)
def test_a_page_asks_nobody_and_nothing_goes_wrong(source: str, disk: Path, unlaid: Page) -> None:
    with recorded(unlaid) as (requests, faults):
        unlaid.goto(file_of(source, disk).as_uri())
    assert [url for url in requests if not url.startswith(FROM_DISK)] == []
    told = [fault for fault in faults if not fault.startswith("failed ")]  # cut short by the next
    assert told == []


def test_search_finds_a_chapter_and_leads_to_its_file(disk: Path, opened: Page) -> None:
    opened.goto(file_of("index.md", disk).as_uri())
    opened.locator("input[name=query]").press_sequentially("museum of wrong gradients")
    opened.locator(".md-search-result__link[href*=museum]").first.click()
    opened.wait_for_url("**/part-3/13-museum/index.html*")


def test_formulas_and_figures_are_shown(disk: Path, opened: Page) -> None:
    opened.goto(file_of(CHAPTERS[1], disk).as_uri())
    faces = "document.fonts.ready.then(all => [...all].map(face => [face.family, face.status]))"
    assert ["KaTeX_Math", "loaded"] in opened.evaluate(faces)
    assert opened.locator(".katex-html").first.bounding_box()["height"] > 0
    assert opened.locator("svg.plot").first.bounding_box()["height"] > 0


def test_a_copy_button_copies(disk: Path, opened: Page) -> None:
    opened.goto(file_of(CHAPTERS[0], disk).as_uri())
    opened.evaluate("navigator.clipboard.writeText('')")
    opened.click("#snippet-1 .md-code__button")
    opened.wait_for_function("async () => await navigator.clipboard.readText() !== ''")
    copied = opened.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == python_fences(CHAPTERS[0])[0].source.strip()


def test_a_figure_can_be_played_with(disk: Path, opened: Page) -> None:
    chapter = next(file for file in disk.rglob("*.html") if "data-explorable=" in file.read_text())
    with recorded(opened) as (_, faults):
        opened.goto(chapter.as_uri())
        opened.locator(".play").first.click()
        opened.locator(".stage > *").first.wait_for()
        for module in (disk / "assets" / "explorables").glob("*.js"):
            opened.evaluate("name => import(name).then(() => {})", f"explorables/{module.name}")
    assert faults == []


def test_the_zip_unpacks_into_one_folder(site: Path, tmp_path: Path) -> None:
    offline.pack(site, tmp_path / "the-book.zip")
    names = zipfile.ZipFile(tmp_path / "the-book.zip").namelist()
    assert "the-book/index.html" in names
    assert {name.split("/")[0] for name in names} == {"the-book"}


@pytest.mark.parametrize(
    "link, file",
    [
        ("../", "../index.html"),
        ("../..", "../../index.html"),
        (".", "./index.html"),
        ("../x/#y", "../x/index.html#y"),
        ("../x/?h=y", "../x/index.html?h=y"),
        ("../a.css", "../a.css"),
        ("#y", "#y"),
        ("https://example.org/x/", "https://example.org/x/"),
    ],
)
def test_a_link_to_a_folder_names_its_page(link: str, file: str) -> None:
    assert f'href="{file}"' in offline.without_server(f'<a href="{link}">', "")

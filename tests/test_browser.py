"""How the pages of the site behave in a browser."""

import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from accessibility import inject, violations
from browsing import (
    collisions,
    copied_from,
    out_of_reach,
    recorded,
    settle,
    too_wide,
    unfold,
    visit,
)
from playwright.sync_api import BrowserContext, Page, Route
from sources import CHAPTERS, LABS, SOURCES, python_fences, question_of, snippets_of, url_of

from press.needs import needs

WIDTHS = [1440, 768, 360]


NewWindow = Callable[[], AbstractContextManager[Page]]


@dataclass(frozen=True)
class Opened:
    """A page of the site in the window, with what it asked for and what went wrong meanwhile.

    `at_first` is what it asks for before anything is unfolded.
    """

    page: Page
    source: str
    at_first: list[str]
    requests: list[str]
    faults: list[str]


@pytest.fixture(
    scope="module",
    params=[pytest.param(s, marks=pytest.mark.xdist_group(s)) for s in [*SOURCES, "404.html"]],
)
def opened(request: pytest.FixtureRequest, new_window: NewWindow, address: str) -> Iterator[Opened]:
    """Each page of the site in turn, in a browser that knows none, for all the tests of it."""
    source = request.param
    with new_window() as page, recorded(page) as (requests, faults):
        page.goto(address + (url_of(source) if source in SOURCES else source))
        settle(page)
        at_first = list(requests)
        unfold(page)
        yield Opened(page, source, at_first, requests, faults)


@pytest.fixture(scope="module")
def home(new_window: NewWindow, address: str) -> list[str]:
    """Return what the home page asks for."""
    with new_window() as page, recorded(page) as (requests, _):
        page.goto(address)
        settle(page)
        return requests


@pytest.fixture(scope="session")
def weigh(site: Path, address: str) -> Callable[[str], int]:
    """Return the size of what an address of the site holds, compressed as a server does it."""

    @cache
    def weighed(url: str) -> int:
        file = site / urlsplit(url).path.removeprefix(urlsplit(address).path)
        content = (file / "index.html" if file.is_dir() else file).read_bytes()
        return min(len(content), len(gzip.compress(content, 6)))

    return weighed


def test_a_page_asks_nobody_else_and_logs_no_error(opened: Opened, address: str) -> None:
    assert [url for url in opened.requests if not url.startswith((address, "data:"))] == []
    assert opened.faults == []


def test_a_page_is_light(opened: Opened, weigh: Callable[[str], int], home: list[str]) -> None:
    """In bytes as they travel; a reader of the next page has what the home page asked for."""
    asked = {url for url in opened.at_first if not url.startswith("data:")}
    assert sum(map(weigh, asked)) <= 250_000
    assert sum(map(weigh, asked - set(home))) <= 60_000


@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_fits_its_window(opened: Opened, width: int) -> None:
    """Nothing is too wide or in another's way, and what scrolls is in the keyboard's reach."""
    assert too_wide(opened.page, width) == []
    assert out_of_reach(opened.page) == []
    assert collisions(opened.page) == []


def test_axe_finds_nothing(opened: Opened) -> None:
    """WCAG 2.2 A and AA, and good practice, on a dark phone and a light desktop.

    It comes before the buttons are pressed: what they say lies over the page for a while.
    """
    inject(opened.page)
    assert violations(opened.page, 360, "slate") == []
    assert violations(opened.page, 1440, "default") == []


def test_the_copy_buttons_give_what_they_say(opened: Opened) -> None:
    """The first gives the snippet, the second those that it needs as well, in their order.

    Both are what test_pages.py runs: it demands that each snippet, after those it needs alone,
    print and draw what its page shows.
    """
    snippets = [snippet.rstrip() for snippet in snippets_of(opened.source)]
    wanted = [
        [snippet, "\n\n".join([*(snippets[j] for j in earlier), snippet]) + "\n"]
        for snippet, earlier in zip(snippets, needs(snippets), strict=True)
    ]
    assert copied_from(opened.page) == wanted


@pytest.mark.parametrize("source", [CHAPTERS[0], *LABS])
def test_a_page_stays_still_while_its_face_is_late(
    source: str, desktop: BrowserContext, address: str
) -> None:
    page = desktop.new_page()
    page.route("**/source-serif-4-latin-wght-normal.woff2", late)
    page.goto(address + url_of(source))
    assert page.evaluate(SHIFT) < 0.02


def late(route: Route) -> None:
    time.sleep(2.5)
    route.continue_()


SHIFT = """() => new Promise(resolve => {
  let total = 0;
  const add = list => list.getEntries().forEach(shift => total += shift.value);
  new PerformanceObserver(add).observe({type: "layout-shift", buffered: true});
  document.fonts.ready.then(() => setTimeout(() => resolve(total), 300));
})"""


@pytest.fixture
def chapter(desktop: BrowserContext, address: str) -> Page:
    """The first chapter, open in a wide window."""
    page = desktop.new_page()
    visit(page, address + url_of(CHAPTERS[0]))
    return page


def clipboard_after(page: Page, button: str) -> str:
    page.evaluate("navigator.clipboard.writeText('')")
    page.click(button)
    page.wait_for_function("async () => await navigator.clipboard.readText() !== ''")
    return page.evaluate("navigator.clipboard.readText()")


def test_the_copy_button_copies_the_snippet(chapter: Page) -> None:
    for i, fence in enumerate(python_fences(CHAPTERS[0]), 1):
        copied = clipboard_after(chapter, f"#snippet-{i} .md-code__button")
        assert copied.strip() == fence.source.strip()


def test_the_second_copy_button_copies_what_the_snippet_needs_too(chapter: Page) -> None:
    sources = [fence.source.rstrip() for fence in python_fences(CHAPTERS[0])]
    for i, earlier in enumerate(needs(sources)):
        button = f"#snippet-{i + 1} .copy-with-needs"
        wanted = "\n\n".join(sources[j] for j in [*earlier, i]) + "\n"
        assert clipboard_after(chapter, button) == wanted
        assert chapter.inner_text(button) == f"+{len(earlier)}"


def test_the_copy_buttons_are_named_and_stand_clear_of_the_code(chapter: Page) -> None:
    for i in range(1, len(python_fences(CHAPTERS[0])) + 1):
        code = chapter.locator(f"#snippet-{i} pre > code").bounding_box()
        for button in chapter.locator(f"#snippet-{i} button").all():
            assert "Copy" in (button.get_attribute("title") or "")
            assert button.bounding_box()["x"] >= code["x"] + code["width"]


def search(page: Page, words: str) -> list[str]:
    """Type words into the search and return the addresses that it finds, best first."""
    for typed, n_found in [("", "=== 0"), (words, "> 0")]:
        page.fill("input[name=query]", typed)
        page.locator("input[name=query]").press("End")  # Material listens to the keys
        page.wait_for_function(f"document.querySelectorAll('{FOUND}').length {n_found}")
    return page.evaluate(f"[...document.querySelectorAll('{FOUND}')].map(link => link.href)")


FOUND = ".md-search-result__item > .md-search-result__link"


def test_search_fetches_its_index_when_it_is_asked(desktop: BrowserContext, address: str) -> None:
    page = desktop.new_page()
    with recorded(page) as (requests, _):
        visit(page, address)
        assert [url for url in requests if "search_index" in url] == []
        assert search(page, "gradient")
    assert [url for url in requests if "search_index" in url] != []


def test_search_finds_each_chapter_by_its_question(chapter: Page, address: str) -> None:
    missed = {}
    for source in CHAPTERS:
        found = [
            url.removeprefix(address).partition("?")[0]
            for url in search(chapter, question_of(source))
        ]
        if url_of(source) not in found[:1]:
            missed[question_of(source)] = found[:4]
    assert missed == {}


def test_the_search_dialog_has_a_name(chapter: Page) -> None:
    assert chapter.get_attribute("[role=dialog]", "aria-label") == "Search"


def test_the_toggle_leads_to_dark_and_is_remembered(chapter: Page) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light = chapter.evaluate(background)
    for _ in range(2):
        chapter.locator("[data-md-component=palette] label:visible").click()
    assert chapter.get_attribute("body", "data-md-color-scheme") == "slate"
    assert chapter.evaluate(background) != light
    chapter.reload()
    assert chapter.get_attribute("body", "data-md-color-scheme") == "slate"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("source", [CHAPTERS[0], *LABS])
def test_text_stands_out_from_its_background(
    source: str, scheme: str, desktop: BrowserContext, address: str
) -> None:
    page = desktop.new_page()
    page.emulate_media(color_scheme=scheme)
    visit(page, address + url_of(source))
    assert page.evaluate(TOO_FAINT) == []


# Every text on the page whose contrast with what is behind it is under WCAG's 4.5.
TOO_FAINT = """() => {
  const pixel = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const once = work => {
    const known = new Map();
    return (key, argument = key) => known.get(key) ?? known.set(key, work(argument)).get(key);
  };
  const paint = colours => {
    pixel.clearRect(0, 0, 1, 1);
    for (const colour of colours) { pixel.fillStyle = colour; pixel.fillRect(0, 0, 1, 1); }
    return pixel.getImageData(0, 0, 1, 1).data;
  };
  const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const painted = once(colours => luminance(paint(colours)));
  const shade = colours => painted(colours.join(), colours);
  const behind = once(node => node.nodeType === 1
    ? [...behind(node.parentNode), getComputedStyle(node).backgroundColor] : ["white"]);
  const contrast = node => {
    const style = getComputedStyle(node);
    const colour = node.closest("svg") ? style.fill : style.color;
    const [back, front] = [behind(node), [...behind(node), colour]].map(shade);
    return (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim(), node = texts.currentNode.parentElement;
    if (!text || !node.checkVisibility({opacityProperty: true})) continue;
    if (node.closest(".katex-mathml, script, style, .headerlink")) continue;
    if (contrast(node) < 4.5) faint.push(`${text} ${contrast(node).toFixed(2)}`);
  }
  return faint;
}"""

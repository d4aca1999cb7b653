"""The built site: what its pages hold, and how they behave in a browser."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from conftest import ROOT
from playwright.sync_api import BrowserContext, Page, Route

from press.fences import Fence, read_fences
from press.needs import needs

DOCS = ROOT / "docs"
SOURCES = sorted(
    str(path.relative_to(DOCS)) for path in [*DOCS.rglob("*.md"), *DOCS.rglob("*.ipynb")]
)
PAGES = [source for source in SOURCES if source.endswith(".md")]
CHAPTERS = [page for page in PAGES if page.startswith("part-")]
LABS = [source for source in SOURCES if source.endswith(".ipynb")]

INLINE_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
FORMULA = re.compile(r"\$\$.+?\$\$|(?<![\\$])\$(?=\S)[^$]+?(?<=\S)\$", re.DOTALL)
FIGURE = re.compile(r"!\[[^\]]*\]\([^)\s]*figures/[^)\s]+\.svg\)")
SETTLING = 150  # milliseconds


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


def without_code(markdown: str) -> str:
    for fence in reversed(read_fences(markdown)):
        markdown = markdown[: fence.start] + markdown[fence.end :]
    return INLINE_CODE.sub("", markdown)


def python_fences(page: str) -> list[Fence]:
    return [fence for fence in read_fences(read_source(page)) if fence.language == "python"]


@pytest.fixture(scope="module")
def article(site: Path):
    """Read what a source's page on the site holds, its frame left out."""

    def read(source: str) -> BeautifulSoup:
        html = (site / url_of(source) / "index.html").read_text(encoding="utf-8")
        return BeautifulSoup(html, "html.parser").select_one("article")

    return read


# What the pages hold


def test_every_source_has_its_page_and_no_other_is_there(site: Path) -> None:
    built = {str(path.parent.relative_to(site)) for path in site.rglob("index.html")}
    assert built == {str(Path(url_of(source))) for source in SOURCES}


@pytest.mark.parametrize("page", PAGES)
def test_every_fence_is_a_code_block_of_its_language(page: str, article) -> None:
    shown = [block["class"] for block in article(page).select("div.highlight")]
    languages = [fence.language for fence in read_fences(read_source(page))]
    assert [f"language-{language}" for language in languages] == [names[0] for names in shown]


@pytest.mark.parametrize("page", PAGES)
def test_every_snippet_tells_which_it_needs(page: str, article) -> None:
    blocks = article(page).select("div.language-python")
    shown = [(block["id"], [int(n) - 1 for n in block["data-needs"].split()]) for block in blocks]
    needed = needs([fence.source for fence in python_fences(page)])
    assert shown == [(f"snippet-{i}", earlier) for i, earlier in enumerate(needed, 1)]


@pytest.mark.parametrize("source", SOURCES)
def test_every_formula_is_typeset(source: str, article) -> None:
    page, written = article(source), FORMULA.findall(without_code(read_source(source)))
    assert len(page.select(".arithmatex > :is(.katex, .katex-display)")) == len(written)
    for formula in page.select(".katex"):
        formula.decompose()
    assert not re.search(r"\\\(|\\\[|\$\$", without_pre(page))


def without_pre(page: BeautifulSoup) -> str:
    for code in page.select("code"):
        code.decompose()
    return page.get_text()


@pytest.mark.parametrize("page", PAGES)
def test_every_figure_is_drawn_in_its_page(page: str, article) -> None:
    written = FIGURE.findall(without_code(read_source(page)))
    assert len(article(page).select("svg.plot")) == len(written)
    assert not article(page).select("img[src*='figures/']")


@pytest.mark.parametrize("source", SOURCES)
def test_every_picture_has_alternative_text(source: str, article) -> None:
    for image in article(source).select("img"):
        assert image.get("alt"), image
    for drawing in article(source).select("svg.plot"):
        assert drawing["role"] == "img" and drawing["aria-label"]


@pytest.mark.parametrize("source", SOURCES)
def test_ids_are_unique(source: str, site: Path) -> None:
    html = (site / url_of(source) / "index.html").read_text(encoding="utf-8")
    ids = Counter(tag["id"] for tag in BeautifulSoup(html, "html.parser").select("[id]"))
    assert [name for name, count in ids.items() if count > 1] == []


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_shows_what_its_run_printed(lab: str, article) -> None:
    cells = nbformat.read(DOCS / lab, as_version=4).cells
    assert not any(cell.get("outputs") for cell in cells), "strip the outputs from the file"
    assert article(lab).select(".language-output, svg.plot")


@pytest.mark.parametrize("source", SOURCES)
def test_links_to_the_source_and_to_report_an_error(source: str, article) -> None:
    links = {link.get_text(): link["href"] for link in article(source).select(".page-links a")}
    assert links["Source of this page"].endswith(f"/blob/main/docs/{source}")
    assert "/issues/new?title=Error%20in%20" in links["Report an error"]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_links_its_notebook(chapter: str, article, site: Path) -> None:
    links = {link.get_text(): link["href"] for link in article(chapter).select(".page-links a")}
    linked = site / url_of(chapter) / links["Download as a notebook"]
    assert linked.resolve() == site / "notebooks" / f"{Path(chapter).stem}.ipynb"
    nbformat.validate(nbformat.read(linked, as_version=4))


@pytest.mark.parametrize("source", SOURCES)
def test_the_footer_tells_the_licences(source: str, site: Path) -> None:
    html = (site / url_of(source) / "index.html").read_text(encoding="utf-8")
    told = BeautifulSoup(html, "html.parser").select_one("footer .md-copyright").get_text()
    assert "CC BY 4.0" in told and "MIT" in told


@pytest.mark.parametrize("source", SOURCES)
def test_no_script_typesets_formulas(source: str, site: Path) -> None:
    html = (site / url_of(source) / "index.html").read_text(encoding="utf-8")
    scripts = [str(script) for script in BeautifulSoup(html, "html.parser").select("script")]
    assert not re.search("katex|mathjax|require", "".join(scripts).lower())


# How they behave in a browser


def visit(page: Page, url: str) -> None:
    """Open a page, with its folded solutions unfolded, and let its scripts and fonts settle."""
    page.goto(url)
    page.evaluate("document.querySelectorAll('details').forEach(box => box.open = true)")
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(SETTLING)


@contextmanager
def recorded(page: Page) -> Iterator[tuple[list[str], list[str]]]:
    """Record the addresses that a page asks for, and what goes wrong in it."""
    requests: list[str] = []
    faults: list[str] = []
    listeners = {
        "request": lambda request: requests.append(request.url),
        "response": lambda reply: (
            reply.status < 400 or faults.append(f"{reply.status} {reply.url}")
        ),
        "requestfailed": lambda request: faults.append(f"failed {request.url}"),
        "console": lambda told: told.type == "error" and faults.append(told.text),
        "pageerror": lambda error: faults.append(str(error)),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    yield requests, faults
    for event, listener in listeners.items():
        page.remove_listener(event, listener)


@pytest.mark.parametrize("url", [*map(url_of, SOURCES), "404.html"])
def test_a_page_asks_nobody_else_and_fits_a_phone(url: str, phone: Page, address: str) -> None:
    with recorded(phone) as (requests, faults):
        visit(phone, address + url)
    assert [url for url in requests if not url.startswith((address, "data:"))] == []
    assert faults == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


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


def test_search_finds_a_word_and_leads_to_its_page(chapter: Page) -> None:
    chapter.wait_for_selector("text=Type to start searching", state="attached")
    chapter.locator("input[name=query]").press_sequentially("gradient")
    chapter.wait_for_selector(".md-search-result__link")
    visit(chapter, chapter.locator(".md-search-result__link").first.evaluate("link => link.href"))
    assert "gradient" in chapter.inner_text("article").lower()


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
  const paint = colours => {
    pixel.clearRect(0, 0, 1, 1);
    for (const colour of colours) { pixel.fillStyle = colour; pixel.fillRect(0, 0, 1, 1); }
    return pixel.getImageData(0, 0, 1, 1).data;
  };
  const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = node => node.nodeType === 1
    ? [...behind(node.parentNode), getComputedStyle(node).backgroundColor] : ["white"];
  const contrast = node => {
    const style = getComputedStyle(node);
    const colour = node.closest("svg") ? style.fill : style.color;
    const [back, front] = [behind(node), [...behind(node), colour]].map(paint).map(luminance);
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

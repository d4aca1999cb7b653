"""The built site: what its pages hold, and how they behave in a browser."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag
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


# What the pages hold


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

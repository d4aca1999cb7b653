"""How the pages look and handle: measure, colours, side notes, buttons, and all without scripts."""

import re
from collections.abc import Iterator

import pytest
from conftest import ROOT
from playwright.sync_api import Browser, Page, expect

from press.roles import mark_roles, question_of

pytestmark = pytest.mark.xdist_group("look")

DOCS = ROOT / "docs"
CHAPTERS = sorted(str(path.relative_to(DOCS))[:-3] for path in DOCS.glob("part-*/*.md"))
FIFTH, NINTH = "part-1/05-how-big-a-step", "part-2/09-two-layers"
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page that goes from one test to the next."""
    context = browser.new_context(color_scheme="light", reduced_motion="reduce")
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    yield context.new_page()
    context.close()


@pytest.fixture
def show(page: Page, address: str):
    """Show a page of the book in a window of the given size."""

    def shown(url: str, size: dict[str, int] = WIDE) -> Page:
        page.set_viewport_size(size)
        if page.url != f"{address}{url}/":
            page.goto(f"{address}{url}/".replace("//", "/").replace(":/", "://"))
            page.evaluate("document.fonts.ready")
        return page

    return shown


# The text


@pytest.mark.parametrize("url", [CHAPTERS[0], NINTH])
@pytest.mark.parametrize("width", [1440, 1024])
def test_a_line_has_66_to_75_characters(url: str, width: int, show) -> None:
    lengths = show(url, {"width": width, "height": 900}).evaluate(LINES)
    assert len(lengths) > 20
    assert 66 <= sum(lengths) / len(lengths) <= 75


# The characters of each line but the last, of the paragraphs without code or formulas.
LINES = """() => {
  const range = document.createRange();
  const ends = text => [...text.data].map((_, i) => {
    range.setStart(text, i);
    range.setEnd(text, i + 1);
    return range.getBoundingClientRect().bottom;
  });
  const texts = node => node.nodeType === 3 ? [node] : [...node.childNodes].flatMap(texts);
  const lines = paragraph => {
    const counts = new Map();
    for (const end of texts(paragraph).flatMap(ends)) {
      const line = Math.round(end / 10);
      counts.set(line, (counts.get(line) ?? 0) + 1);
    }
    return [...counts.values()].slice(0, -1);
  };
  const plain = [...document.querySelectorAll(".md-content__inner > p:not(.question)")]
    .filter(paragraph => !paragraph.querySelector("code, .katex, strong, sup"));
  return plain.flatMap(lines);
}"""


@pytest.mark.parametrize("scheme", ["default", "slate"])
def test_the_colours_of_code_stand_out(scheme: str, show) -> None:
    pairs = show(FIFTH).evaluate(CODE_COLOURS, scheme)
    assert len(pairs) > 7
    assert [pair for pair in pairs if contrast(*map(rgb, pair)) < 4.5] == []


CODE_COLOURS = """scheme => {
  document.body.dataset.mdColorScheme = scheme;
  const behind = node => {
    const colour = getComputedStyle(node).backgroundColor;
    return colour.endsWith(", 0)") ? behind(node.parentElement) : colour;
  };
  const pairs = [...document.querySelectorAll(".highlight code, .highlight code *")]
    .filter(node => node.textContent.trim())
    .map(node => `${getComputedStyle(node).color} on ${behind(node)}`);
  document.body.dataset.mdColorScheme = "default";
  return [...new Set(pairs)].map(pair => pair.split(" on "));
}"""


def rgb(colour: str) -> list[float]:
    return [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]


def contrast(*colours: list[float]) -> float:
    """Return WCAG's contrast of two colours."""
    dark, light = sorted(map(luminance, colours))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: list[float]) -> float:
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour]
    return sum(v * weight for v, weight in zip(linear, [0.2126, 0.7152, 0.0722], strict=True))


# The blocks


def test_the_parts_of_a_chapter_are_marked() -> None:
    title = '<p><strong><span class="number" id="exercise-1">Exercise 1.1</span>. Try.</strong></p>'
    code = '<div id="snippet-1" class="language-python highlight">'
    html = "\n".join(
        [
            "<h1>Title</h1>",
            "<p><em>Why?</em></p>",
            '<div class="admonition result">…</div>',
            *(f"{code}…</div>", f"{code}…</div>"),
            *('<h2 id="what-goes-wrong">What goes wrong</h2>', "<p>All.</p>"),
            *("<h2>Exercises</h2>", title, "<details>…</details>", title, "<h2>End</h2>"),
        ]
    )
    marked = mark_roles(html)
    assert question_of(marked) == "<em>Why?</em>"
    assert re.findall(r'highlight[^>]*">', marked) == ['highlight check">', 'highlight">']
    assert re.findall(r"<section class=\"(\w+)\">(?:(?!</section>).)*", marked, re.DOTALL) == [
        "mistake",
        "exercise",
        "exercise",
    ]
    assert marked.index("</section>") < marked.index("<h2>Exercises")


@pytest.mark.parametrize("url", CHAPTERS)
def test_a_chapter_is_set_like_a_book(url: str, still: Page, address: str) -> None:
    """Quotes and dashes are those of print; side notes stand in the margin, or in the text."""
    still.set_viewport_size(WIDE)
    still.goto(f"{address}{url}/")
    assert still.evaluate(TYPEWRITTEN) == []
    assert still.evaluate(OUT_OF_THE_MARGIN) == []
    still.set_viewport_size(NARROW)
    assert still.evaluate(OUT_OF_THE_TEXT) == []


@pytest.fixture(scope="module")
def still(browser: Browser) -> Iterator[Page]:
    """A page whose own scripts do not run, for what needs none of them."""
    context = browser.new_context(reduced_motion="reduce")
    context.route("**/*.js", lambda route: route.abort())
    yield context.new_page()
    context.close()


TYPEWRITTEN = """() => {
  const texts = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    const printed = !parentElement.closest("code, .katex, svg, script, style");
    if (printed && /["']|--|\\.\\.\\./.test(data)) found.push(data);
  }
  return found;
}"""

# Notes that are not beside the text but in it, on something, or cut by the window's edge.
OUT_OF_THE_MARGIN = """() => {
  const box = node => node.getBoundingClientRect();
  const edge = box(document.querySelector(".md-content__inner > p")).right;
  const solid = ".aside, .highlight, figure, .md-typeset__scrollwrap, .admonition, .arithmatex";
  const meet = (a, b) =>
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const misplaced = note => box(note).left < edge || box(note).right > innerWidth
    || [...document.querySelectorAll(solid)]
      .some(other => !note.contains(other) && meet(box(note), box(other)));
  return [...document.querySelectorAll(".aside")].filter(misplaced).map(note => note.innerText);
}"""

OUT_OF_THE_TEXT = """() => {
  const box = node => node.getBoundingClientRect();
  const misplaced = note => box(note).right > innerWidth
    || box(note).top < box(note.previousElementSibling).bottom
    || box(note).bottom > box(note.nextElementSibling).top;
  return [...document.querySelectorAll(".aside")].filter(misplaced).map(note => note.innerText);
}"""


def test_wide_code_is_scrolled_by_keyboard(show) -> None:
    page = show(FIFTH, NARROW)
    wide = page.locator("pre > code[tabindex='0']").first
    fits = page.locator(".highlight pre > code").evaluate_all(
        "all => all.filter(code => code.scrollWidth <= code.clientWidth && code.tabIndex === 0)"
    )
    assert fits == []
    wide.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")


def test_the_copy_buttons_are_reached_by_tab_and_say_what_they_did(show) -> None:
    page = show(FIFTH)
    status = page.get_by_role("status")
    page.locator("#snippet-2 .md-code__button").focus()
    for said in ["Copied to clipboard", "Copied 2 snippets"]:
        assert page.evaluate("document.activeElement.title").startswith("Copy")
        page.keyboard.press("Enter")
        expect(status).to_have_text(said)
        page.keyboard.press("Tab")
    assert page.locator(".language-output button:visible").count() == 0


def test_arrow_keys_turn_no_page(show) -> None:
    page = show(FIFTH)
    turned: list[str] = []
    page.on("request", lambda asked: asked.is_navigation_request() and turned.append(asked.url))
    page.locator("h1").click()
    for key in ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]:
        page.keyboard.press(key)
    page.wait_for_timeout(100)
    assert turned == []


# The home page


def test_the_home_page_lists_every_chapter_with_its_question(show) -> None:
    listed = (
        show("")
        .locator(".part li")
        .evaluate_all("rows => rows.map(row => [row.firstChild.pathname, row.lastChild.innerText])")
    )
    chapters = [path.partition("backprop-book/")[2].strip("/") for path, _ in listed]
    assert sorted(chapters) == CHAPTERS
    for chapter, (_, question) in zip(chapters, listed, strict=True):
        source = (DOCS / f"{chapter}.md").read_text(encoding="utf-8")
        assert letters(question) == letters(re.search(r"^\*(.+)\*$", source, re.MULTILINE)[1])


def letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text)


def test_the_home_page_tells_where_the_reader_left_off(show) -> None:
    page = show(FIFTH)
    page.evaluate("document.querySelector('#the-cliff').scrollIntoView()")
    link = show("").locator("#left-off a")
    expect(link).to_have_text("5. How big a step? · The cliff")
    link.click()
    page.wait_for_url(f"**/{FIFTH}/#the-cliff")


def test_nothing_is_told_where_nothing_may_be_kept(browser: Browser, address: str) -> None:
    context = browser.new_context()
    context.add_init_script(REFUSED)
    page = context.new_page()
    page.goto(f"{address}{FIFTH}/")
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(error.stack or ""))
    page.goto(address)
    assert not page.locator("#left-off").is_visible()
    assert [fault for fault in faults if "left-off" in fault] == []
    context.close()


REFUSED = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("refused", "SecurityError"); } });"""


def test_a_page_works_without_scripts(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.goto(f"{address}{NINTH}/")
    for shown in [".question", ".katex-html", "svg.plot", ".language-output", ".result", ".aside"]:
        expect(page.locator(shown).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    hint = page.locator("details.hint").first
    hint.locator("summary").click()
    expect(hint.locator("p").first).to_be_visible()
    page.locator("label.md-header__button[for=__drawer]").click()
    page.locator(".md-nav--primary a[href*='10-matrix-page']").click()
    expect(page.locator("h1")).to_contain_text("10. Four equations")
    context.close()

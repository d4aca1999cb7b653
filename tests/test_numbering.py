"""Figures, results, exercises and equations count up; a reference tells its target's number."""

import re
from functools import cache
from pathlib import Path

import pytest
from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from press.book import DOCS, ROOT, page_paths
from press.fences import Page
from press.numbering import number, numbering_faults
from press.structure import structure_faults

CHAPTERS = [path for path in page_paths() if path.parent.name.startswith("part-")]
FIGURE = """<figure markdown="span">
![A line.](figures/drawn.svg)
<figcaption>It rises.</figcaption>
</figure>
"""
EQUATION = "$$ a = b \\label{equation-same} $$\n"


@pytest.fixture
def chapter(tmp_path: Path):
    """Write chapter 7 of a book with two chapters, and return its page."""
    folder = tmp_path / "part-2"
    (folder / "figures").mkdir(parents=True)
    (folder / "figures" / "drawn.svg").touch()
    (folder / "06-before.md").write_text('# Six\n\n!!! result "The *chain* rule"\n\n    $a$\n')

    def written(text: str, name: str = "07-forks.md") -> Page:
        (folder / name).write_text(text)
        return Page(folder / name)

    return written


@pytest.fixture
def numbered(chapter):
    return lambda text, name="07-forks.md": number(text, chapter(text, name).path)


@pytest.fixture
def faults(chapter):
    return lambda text: [(fault.line, fault.message) for fault in numbering_faults(chapter(text))]


# What a page becomes


def test_a_figure_is_numbered_in_its_caption_and_named_by_its_file(numbered):
    second = FIGURE.replace("drawn", "redrawn").replace("<figure", '<figure class="wide"')
    text = numbered(FIGURE + second)
    assert '<figure id="figure-drawn" markdown="span">' in text
    assert '<figure id="figure-redrawn" class="wide" markdown="span">' in text
    assert '<figcaption><span class="number">Figure 7.1.</span> It rises.</figcaption>' in text
    assert '<span class="number">Figure 7.2.</span>' in text


def test_a_result_is_numbered_in_its_title_and_named_by_it(numbered):
    marked = '<span class="number" id="result-what-backward-does">Result 7.1.</span> '
    assert numbered('!!! result "What `backward` does"\n') == (
        f'!!! result "{marked}What `backward` does"\n'
    )


def test_an_exercise_is_numbered_and_keeps_the_name_that_it_is_given(numbered):
    text = numbered("**1. Run.** What?\n\n**2. Find *the*\nbug.**{ #exercise-bug } Why?\n")
    first = '**<span class="number" id="exercise-1">Exercise 7.1.</span> Run.** What?'
    second = '**<span class="number" id="exercise-bug">Exercise 7.2.</span> Find *the*\nbug.** Why?'
    assert text == f"{first}\n\n{second}\n"


def test_an_equation_is_numbered_if_it_has_a_name(numbered):
    unnamed = "$$ c = d $$\n"
    assert numbered(unnamed + EQUATION) == (
        unnamed + "$$ a = b \\tag{7.1}\\label{equation-same} $$\n"
    )


def test_the_interlude_numbers_by_its_initial(numbered):
    assert ">Figure I.1.<" in numbered(FIGURE, "interlude.md")


def test_a_page_that_is_no_chapter_is_not_numbered(tmp_path):
    text = FIGURE + "**42. Why?**\n"
    assert number(text, tmp_path / "appendices" / "questions.md") == text


def test_what_code_shows_is_left_alone(numbered):
    text = f"```markdown\n{FIGURE}{EQUATION}**5. Run.**\n[](#nowhere)\n```\n\n`[](#nowhere)`\n"
    assert numbered(text) == text


def test_lines_stay_where_they_are(numbered):
    text = f"{FIGURE}\n**1. Run.**\n\n{EQUATION}\n[](#figure-drawn)\n"
    assert numbered(text).count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("#figure-drawn", "Figure 7.1"),
        ("07-forks.md#equation-same", "Equation (7.1)"),
        ("#exercise-bug", "Exercise 7.1"),
        ("06-before.md#result-the-chain-rule", "Result 6.1"),
        ("../part-2/06-before.md#result-the-chain-rule", "Result 6.1"),
    ],
)
def test_a_reference_is_filled_in(numbered, target, told):
    text = f"{FIGURE}\n{EQUATION}\n**1. Bug.**{{ #exercise-bug }}\n\nSee []({target}).\n"
    assert f"See [{told}]({target}).\n" in numbered(text)


# What is refused


@pytest.mark.parametrize(
    "target",
    [
        "#figure-lost",
        "08-lost.md#figure-drawn",
        "06-before.md#figure-drawn",
        "06-before.md",
        "#six",
        "https://example.org/",
        "",
        "#exercise-1",
    ],
)
def test_a_reference_to_nothing_numbered_and_named_is_a_fault(chapter, numbered, faults, target):
    text = f"# Six\n\n{FIGURE}\n**1. Run.**\n\nSee\n[]({target}).\n"
    ((line, message),) = faults(text)
    assert line == 11 and f"[]({target})" in message
    assert [(f.line, f.message) for f in structure_faults(chapter(text))] == [(line, message)]
    with pytest.raises(ValueError, match=r"^line 11: "):
        numbered(text)


def test_exercises_count_up_from_one(faults):
    assert faults("**1. A.**\n\n**3. B.**\n") == [(3, "this exercise is number 2, not 3")]


def test_two_of_one_name_are_a_fault(faults):
    assert faults(f"{FIGURE}\n{FIGURE}") == [
        (6, "Figure 7.2 has the id of Figure 7.1, 'figure-drawn'")
    ]


def test_a_link_with_a_text_may_lead_to_what_is_numbered(chapter):
    page = chapter(
        FIGURE + "\n[the line](#figure-drawn), [rule](06-before.md#result-the-chain-rule)\n"
    )
    assert list(structure_faults(page)) == []


# The build

SETTINGS = """
site_name: Small
site_url: http://localhost/
theme: mkdocs
plugins: []
hooks: [{hooks}]
markdown_extensions: [attr_list, pymdownx.superfences, {{pymdownx.arithmatex: {{generic: true}}}}]
"""
FRONT = "---\ndescription: A chapter.\n---\n# Forks\n\n"


@pytest.fixture
def build(tmp_path):
    """Build a site of one chapter that holds a text, and return its page."""

    def built(text: str) -> str:
        page = tmp_path / "docs" / "part-2" / "07-forks.md"
        page.parent.mkdir(parents=True)
        page.write_text(FRONT + text)
        settings = tmp_path / "mkdocs.yml"
        settings.write_text(SETTINGS.format(hooks=ROOT / "press" / "hooks.py"))
        mkdocs_build(load_config(str(settings), strict=True, validation={"anchors": "warn"}))
        return (tmp_path / "site" / "part-2" / "07-forks" / "index.html").read_text()

    return built


def test_a_build_numbers_and_refers(build):
    html = build(f"{EQUATION}\nSee [](#equation-same).\n")
    assert (
        'id="equation-same"' in html and 'See <a href="#equation-same">Equation (7.1)</a>' in html
    )


@pytest.mark.parametrize("text", ["See [](#figure-lost).\n", "**2. Run.**\n", "A $\\frac{1$.\n"])
def test_a_build_stops_at_a_fault_and_tells_page_and_line(build, text, caplog):
    with pytest.raises(Abort):
        build(text)
    assert caplog.messages[-1].startswith("part-2/07-forks.md: line 6: ")


# The site

SHOWN = {
    "Figure": r'<figure[^>]* id="([^"]+)"(?:(?!</figure>).)*<figcaption><span[^>]*>([^<]+)\.<',
    "Result": r'<span class="number" id="([^"]+)">(Result [^<]+)\.<',
    "Exercise": r'<span class="number" id="([^"]+)">(Exercise [^<]+)\.<',
    "Equation": r'<div class="arithmatex" id="([^"]+)">.*?<mtext>(\([^<]+)</mtext>',
}
PLACES = {
    "Figure": r"<figcaption",
    "Result": r'<div class="admonition result"',
    "Exercise": r"<strong>(?=[^<]*\d\. |<span)",
    "Equation": r'class="katex-tag"',
}
REFERENCE = re.compile(r"(?<!!)\[\]\(")
LINK = re.compile(r'<a href="([^"]+)">((?:Figure|Result|Exercise|Equation) [^<]+\.\d+\)?)</a>')


@cache
def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.fixture
def served(site: Path):
    """Return the file that the site has for a page's source."""

    def file(source: Path) -> Path:
        page = source.relative_to(DOCS).with_suffix("")
        return (site if page.name == "index" else site / page) / "index.html"

    return file


def shown_numbers(page: Path, kind: str) -> dict[str, str]:
    """Return what the page shows as the number of each id, in order."""
    found = re.findall(SHOWN[kind], read(page), re.DOTALL)
    return {name: f"Equation {told}" if kind == "Equation" else told for name, told in found}


@pytest.mark.parametrize("source", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_numbers_all_that_it_has_from_1(source, served):
    page = served(source)
    chapter = str(int(source.name[:2])) if source.name[0].isdigit() else "I"
    for kind, place in PLACES.items():
        shape = "{} ({}.{})" if kind == "Equation" else "{} {}.{}"
        count = len(re.findall(place, read(page)))
        wanted = [shape.format(kind, chapter, i + 1) for i in range(count)]
        assert list(shown_numbers(page, kind).values()) == wanted


@pytest.mark.parametrize("source", page_paths(), ids=lambda path: path.stem)
def test_a_reference_shows_the_number_that_its_target_shows(source, served):
    page = served(source)
    links = LINK.findall(read(page))
    assert len(links) == len(REFERENCE.findall(Page(source).prose))
    for href, told in links:
        folder, _, name = href.partition("#")
        target = (page.parent / folder / "index.html").resolve()
        assert shown_numbers(target, told.split()[0])[name] == told

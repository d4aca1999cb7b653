"""The appendices are complete: every topic, question, term, reference and number has its place."""

import re

import pytest

from press.book import DOCS, page_paths
from press.fences import Page

APPENDICES = DOCS / "appendices"
CHAPTERS = [path for path in page_paths() if path.parent.name.startswith("part-")]
LINK = re.compile(r"\]\((?P<page>[^)#\s]*\.md)?(?:#(?P<anchor>[\w-]+))?\)")
MINUS = "\N{MINUS SIGN}"
NUMBER = re.compile(rf"[-{MINUS}]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def text(name):
    return (APPENDICES / name).read_text(encoding="utf-8")


def rows(name):
    """Return the cells of a page's table rows, headings aside."""
    lines = [line for line in text(name).splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return [row for row in cells if row[0] not in ("#", "what")]


def test_all_ninety_nine_topics_have_a_place():
    topics = rows("what-is-where.md")
    assert [int(row[0]) for row in topics] == list(range(1, 100))
    for number, _, where in topics:
        assert LINK.search(where) or "to come" in where, number


def test_what_is_to_come_is_not_there_yet():
    standing = {int(path.name[:2]) for path in CHAPTERS if path.name[0].isdigit()}
    for name in ("what-is-where.md", "questions.md"):
        promised = {int(n) for n in re.findall(r"chapter (\d+), to come", text(name))}
        assert not promised & standing, name


def test_all_forty_two_questions_are_answered():
    questions = re.split(r"^\*\*(?=\d+\. )", text("questions.md"), flags=re.MULTILINE)[1:]
    assert [int(question.split(".")[0]) for question in questions] == list(range(1, 43))
    for question in questions:
        asked, answer = question.split("**\n", 1)
        assert asked.endswith(("?", ".")), asked
        answer, _, where = answer.partition("→")
        assert answer.count(".") >= 1 and (LINK.search(where) or "to come" in where), asked


def test_every_reference_is_cited_and_every_citation_has_one():
    anchors = set(re.findall(r"\{: #([\w-]+) \}", text("references.md")))
    pages = [path.read_text(encoding="utf-8") for path in page_paths()]
    cited = {anchor for page in pages for anchor in re.findall(r"references\.md#([\w-]+)", page)}
    docstrings = {"cauchy-1847", "golub-2013", "nocedal-2006"}  # cited by the package
    assert cited <= anchors
    assert anchors <= cited | docstrings


def test_the_references_and_the_glossary_are_in_order():
    names = re.findall(r"^\*\*\[(.+?)\]\*\*", text("references.md"), flags=re.MULTILINE)
    terms = re.findall(r"^\*\*(.+?)\*\*\n:", text("glossary.md"), flags=re.MULTILINE)
    plain = [term.removeprefix("δ, ").lower() for term in terms]
    assert names == sorted(names, key=str.lower)
    assert plain == sorted(plain)
    assert len(set(plain)) == len(plain)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_every_term_that_a_chapter_defines_is_in_the_glossary(path):
    """A term is set in bold where it is defined; other things in bold are sentences or names."""
    prose = "".join(Page(path).text.split("```")[::2])
    terms = re.findall(r"(?<![\w*])\*\*([a-zA-Zδ][\w -]+?)\*\*", prose)
    glossary = text("glossary.md").lower()
    names = {"relu", "softplus", "gelu", "leaky", "implement it and check it"}
    defined = {term.lower() for term in terms if " are " not in term} - names
    plain = {term.removesuffix("s") for term in defined}
    assert not {term for term in plain if term not in glossary}


REPRODUCED = rows("numbers-reproduced.md")


@pytest.mark.parametrize("row", REPRODUCED, ids=lambda row: row[0][:40])
def test_a_number_that_is_listed_is_printed_where_the_row_says(row):
    """In the code or the output of the page that is linked, to the digits that are listed."""
    _, _, numbers, where = row
    page = Page((APPENDICES / LINK.search(where)["page"]).resolve())
    shown = " ".join(fence.source for fence in page.fences)
    found = [float(number) for number in NUMBER.findall(shown)]
    for number in NUMBER.findall(numbers):
        wanted = float(number.replace(MINUS, "-"))
        digits = len(number.partition("e")[0].partition(".")[2])
        close = [f for f in found if round(f, digits) == wanted or abs(f - wanted) <= 1e-9 * abs(f)]
        assert close, f"{number} is not on {page.path.name}"

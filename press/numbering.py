"""Number a chapter's figures, results, exercises and named equations, and fill in references.

A reference is a link without a text. It calls its target by name, never by number.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown.extensions.toc import slugify

from press.faults import Fault
from press.fences import FenceError, Page


@dataclass(frozen=True)
class Kind:
    """How the source writes one kind of thing, and what takes the place of two of its groups.

    The group `name` makes the id: `figure-` and the name of the figure's file, say.
    """

    pattern: re.Pattern[str]
    number: str
    id: str


KINDS = {
    "Figure": Kind(
        re.compile(
            r"<figure(?P<id>)\b[^>]*>\s*!\[[^\]]*\]\((?:[^()\s]*/)?(?P<name>[\w-]+)\.\w+\)[^<]*"
            r"<figcaption>(?P<number>)"
        ),
        number='<span class="number">{title}.</span> ',
        id=' id="{id}"',
    ),
    "Result": Kind(
        re.compile(r'^[ \t]*!!! result "(?P<number>)(?P<name>.*)"(?P<id>)[ \t]*$', re.MULTILINE),
        number='<span class="number" id="{id}">{title}.</span> ',
        id="",
    ),
    "Exercise": Kind(
        re.compile(
            r"^\*\*(?P<number>(?P<count>\d+)\. )(?:(?!\n\n).)+?\*\*"
            r"(?P<id>(?:\{ *#exercise-(?P<name>[\w-]+) *\})?)",
            re.MULTILINE | re.DOTALL,
        ),
        number='<span class="number" id="{id}">{title}.</span> ',
        id="",
    ),
    "Equation": Kind(
        re.compile(
            r"\$\$(?:(?!\$\$).)+?(?P<number>)(?P<id>\\label\{equation-(?P<name>[\w-]+)\})",
            re.DOTALL,
        ),
        number=r"\tag{{{number}}}",
        id=r"\label{{{id}}}",
    ),
}
REFERENCE = re.compile(r"(?<!!)\[(?P<text>)\]\((?P<target>[^()\s]*)\)")
NUMBER = re.compile(r'<span class="number"[^>]*>(?P<title>[^<]*)</span>')


@dataclass(frozen=True)
class Numbered:
    """Something with a number: what it is called (Figure 2.1), its id, where it stands.

    `edits` says for places of the source, as (start, end), what comes there.
    """

    title: str
    id: str
    position: int
    edits: dict[tuple[int, int], str]


def number(text: str, path: Path) -> str:
    """Return a page's Markdown with its numbers and ids put in and its references filled in.

    Raises ValueError with the line and the text of a fault, where there is one.
    """
    page = Page(path, text)
    for fault in numbering_faults(page):
        raise ValueError(f"line {fault.line}: {fault.message}")
    edits: dict[tuple[int, int], str] = {}
    for thing in _numbered(page):
        edits |= thing.edits
    for reference in REFERENCE.finditer(page.prose):
        if target := _target(reference, page):
            edits[reference.span("text")] = target.title
    for (start, end), new in sorted(edits.items(), reverse=True):
        text = text[:start] + new + text[end:]
    return text


def numbering_faults(page: Page) -> Iterator[Fault]:
    """Yield the references to nothing, the ids given twice and the exercises counted wrongly."""
    for position, message in [*_repeated(page), *_miscounted(page), *_dangling(page)]:
        yield Fault(page.path, page.line_of(position), message)


def numbered_ids(path: Path) -> set[str]:
    """Return the ids of what has a number on a page."""
    return {thing.id for thing in _numbered_at(path)}


def _repeated(page: Page) -> Iterator[tuple[int, str]]:
    seen: dict[str, str] = {}
    for thing in _numbered(page):
        if thing.id in seen:
            yield thing.position, f"{thing.title} has the id of {seen[thing.id]}, {thing.id!r}"
        seen.setdefault(thing.id, thing.title)


def _miscounted(page: Page) -> Iterator[tuple[int, str]]:
    exercises = KINDS["Exercise"].pattern.finditer(page.prose) if _chapter(page.path) else []
    for place, exercise in enumerate(exercises, 1):
        if int(exercise["count"]) != place:
            yield exercise.start(), f"this exercise is number {place}, not {exercise['count']}"


def _dangling(page: Page) -> Iterator[tuple[int, str]]:
    for reference in REFERENCE.finditer(page.prose):
        if not _target(reference, page):
            yield (
                reference.start(),
                f"a link without a text, to nothing with a number and a name: {reference[0]}",
            )


def _target(reference: re.Match[str], page: Page) -> Numbered | None:
    file, _, name = reference["target"].partition("#")
    things = _numbered_at(page.path.parent / file) if file else _numbered(page)
    if re.fullmatch(r"exercise-\d+", name):  # its place, which the next edit may change
        return None
    return next((thing for thing in things if thing.id == name), None)


def _numbered_at(path: Path) -> list[Numbered]:
    """Return what has a number on another page, which tells of its own faults."""
    try:
        return _numbered(Page(path))
    except (OSError, FenceError):
        return []


def _numbered(page: Page) -> list[Numbered]:
    chapter = _chapter(page.path)
    return _read(page.text, chapter) if chapter else []


def _chapter(path: Path) -> str | None:
    """Return a chapter's number, which its file begins with; the interlude has its initial."""
    if not path.parent.name.startswith("part-"):
        return None
    digits = re.match(r"\d+", path.stem)
    return str(int(digits[0])) if digits else path.stem[0].upper()


@cache
def _read(text: str, chapter: str) -> list[Numbered]:
    page = Page(Path(), text)
    return [
        _make(name, f"{chapter}.{place}", found, text)
        for name, kind in KINDS.items()
        for place, found in enumerate(kind.pattern.finditer(page.prose), 1)
    ]


def _make(kind: str, number: str, found: re.Match[str], text: str) -> Numbered:
    title = f"{kind} ({number})" if kind == "Equation" else f"{kind} {number}"
    start, end = found.span("name") if found["name"] else found.span("count")
    told = {
        "title": title,
        "number": number,
        "id": f"{kind.lower()}-{slugify(text[start:end], '-')}",
    }
    edits = {
        found.span("number"): KINDS[kind].number.format(**told),
        found.span("id"): KINDS[kind].id.format(**told),
    }
    return Numbered(title, told["id"], found.start(), edits)

"""Find the code fences of a page, and pair each snippet with the output and the figure it shows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sybil import Document, Region
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

LANGUAGES = {"python", "output", "bash", "text", "markdown"}

INFO = re.compile(r"(?P<info>[^\n]*)\n")
LANGUAGE = re.compile(r"(?:\{\s*\.|\.?)(?P<language>[^\s{}]*)")
IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<path>[^)\s]+\.svg)\)")
PREFIX = re.compile(r"[ \t>]*")
MARKS = re.compile(r"`{3,}|~{3,}")
INLINE_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)


class FenceError(ValueError):
    """A fence that cannot be read as the site would, and its line."""

    def __init__(self, line: int, message: str) -> None:
        """Keep the line apart: whoever catches this knows the page."""
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.message = message


@dataclass(frozen=True)
class Fence:
    """A code fence: its language and source, and where it stands (`line` of the opening fence)."""

    language: str
    source: str
    line: int
    start: int
    end: int
    prefix: str


@dataclass(frozen=True)
class Snippet:
    """A Python fence with the output fence under it, if any, and the figure after it, if any."""

    code: Fence
    output: Fence | None
    figure: str | None
    figure_line: int


class Page:
    """A Markdown page as its checks see it."""

    def __init__(self, path: Path, text: str | None = None) -> None:
        """Read the page at `path`, or take `text` as what it holds."""
        self.path = path
        self.text = path.read_text(encoding="utf-8") if text is None else text

    def line_of(self, position: int) -> int:
        """Return the 1-based line of a character position."""
        return self.text.count("\n", 0, position) + 1

    @cached_property
    def fences(self) -> list[Fence]:
        """The fences of the page, in order."""
        return read_fences(self.text, str(self.path))

    @cached_property
    def snippets(self) -> list[Snippet]:
        """The Python fences of the page, in order, with what they show."""
        return [self._snippet(i) for i, f in enumerate(self.fences) if f.language == "python"]

    @cached_property
    def prose(self) -> str:
        """The page's text with its code blanked out, every character in its place."""
        text = self.text
        for fence in self.fences:
            text = text[: fence.start] + _blank(text[fence.start : fence.end]) + text[fence.end :]
        return INLINE_CODE.sub(lambda code: _blank(code[0]), text)

    @property
    def sources(self) -> list[str]:
        """The code of each snippet."""
        return [snippet.code.source for snippet in self.snippets]

    def _snippet(self, i: int) -> Snippet:
        code, output = self.fences[i], None
        if i + 1 < len(self.fences) and self._follows(self.fences[i + 1], code):
            output = self.fences[i + 1]
        figure = self._image_after(output or code)
        line = self.line_of(figure.start()) if figure else code.line
        return Snippet(code, output, figure["path"] if figure else None, line)

    def _follows(self, output: Fence, code: Fence) -> bool:
        between = self.text[code.end : output.start]
        return output.language == "output" and not between.strip(" \t\n>")

    def _image_after(self, fence: Fence) -> re.Match[str] | None:
        later = (f.start for f in self.fences if f.start >= fence.end and f.language == "python")
        return IMAGE.search(self.text, fence.end, next(later, len(self.text)))


def read_fences(text: str, path: str = "page") -> list[Fence]:
    """Return every fence of a page, whatever it is nested in; a fence inside another is its text.

    Raises FenceError where a fence is never closed, or begins or ends where the site sees none.
    """
    document = Document(text, path)
    regions = sorted(RawFencedCodeBlockLexer(INFO)(document), key=lambda region: region.start)
    return [_fence(text, region) for region in _outermost(regions)]


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _outermost(regions: list[Region]) -> Iterator[Region]:
    end = -1
    for region in regions:
        if region.start >= end:
            end = region.end
            yield region


def _fence(text: str, region: Region) -> Fence:
    line = text.count("\n", 0, region.start) + 1
    opening, *inside = text[region.start : region.end].split("\n")
    prefix = PREFIX.match(opening)[0]  # type: ignore[index]  # it matches the empty string too
    marks = MARKS.match(opening, len(prefix))
    if not marks:
        raise FenceError(line, "a fence begins on a line of its own, not on that of a bullet")
    if not inside or not inside.pop().strip(" \t>").startswith(marks[0]):
        raise FenceError(line, "this fence is never closed")
    source = "".join(_inside(inside, prefix, marks[0], line))
    info = LANGUAGE.match(opening[marks.end() :].strip())
    language = info["language"] if info else ""
    return Fence(language, source, line, region.start, region.end, prefix)


def _inside(lines: list[str], prefix: str, marks: str, opening: int) -> Iterator[str]:
    """Yield the lines of a fence without what the fence is nested in."""
    for number, line in enumerate(lines, opening + 1):
        if line[: len(prefix)].strip(" \t>"):
            raise FenceError(
                number, f"less indented than its fence, which begins on line {opening}"
            )
        if line[len(prefix) :].startswith(marks):
            message = f"a fence begins inside the one of line {opening}; close that, or lengthen it"
            raise FenceError(number, message)
        yield line[len(prefix) :] + "\n"

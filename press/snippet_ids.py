"""Mark each snippet in a page's HTML with its number and the numbers of those it needs."""

import re
from functools import cache
from itertools import count

from press.fences import read_fences
from press.needs import needs

CODE_BLOCK = re.compile(r'<div class="(?:language-[\w-]+ )?highlight[ "]')
PYTHON_BLOCK = re.compile(r'<div class="language-python highlight')


def mark_snippets(page: str, markdown: str) -> str:
    """Add `id` and `data-needs` to each Python block of a page that `markdown` was rendered to.

    Raises ValueError where the page shows more or fewer code blocks than it has fences.
    """
    fences = read_fences(markdown)
    _compare(len(CODE_BLOCK.findall(page)), len(fences), "code blocks")
    return number_snippets(page, [f.source for f in fences if f.language == "python"])


def number_snippets(page: str, sources: list[str]) -> str:
    """Add `id` and `data-needs` to each Python block of a page, whose snippets are `sources`."""
    _compare(len(PYTHON_BLOCK.findall(page)), len(sources), "Python blocks")
    numbers, needed = count(1), iter(_needed(tuple(sources)))

    def marked(block: re.Match[str]) -> str:
        earlier = " ".join(str(i + 1) for i in next(needed))
        return block[0].replace("<div", f'<div id="snippet-{next(numbers)}" data-needs="{earlier}"')

    return PYTHON_BLOCK.sub(marked, page)


@cache
def _needed(sources: tuple[str, ...]) -> list[list[int]]:
    """Keep what snippets need: while the book is served, most pages stay as they are."""
    return needs(list(sources))


def _compare(shown: int, written: int, what: str) -> None:
    if shown != written:
        raise ValueError(f"the page shows {shown} {what} but its source has {written}")

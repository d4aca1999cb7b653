"""Count what the book holds, for the pages that tell it."""

import re
from collections.abc import Callable

import backprop_book
from press.fences import Fence, read_fences

PLACE = re.compile(r"<!-- count: (?P<name>[\w-]+) -->")
FIGURE = re.compile(r"!\[[^\]]*\]\((?:[^)\s]*/)?figures/[^)\s]+\)")


def fill_counts(markdown: str, read_pages: Callable[[], list[str]]) -> str:
    """Put the counts over all pages where `markdown` asks for them.

    Raises ValueError for a count that nobody knows.
    """
    if not PLACE.search(markdown):
        return markdown
    pages = read_pages()
    return PLACE.sub(lambda place: _count(place["name"], pages), markdown)


def count_fences(pages: list[str], language: str) -> int:
    """Return how many fences of a language the pages have."""
    return sum(fence.language == language for page in pages for fence in read_fences(page))


def count_figures(pages: list[str]) -> int:
    """Return how many figures the pages show."""
    return sum(len(FIGURE.findall(_without_fences(page))) for page in pages)


def count_gradients() -> int:
    """Return how many gradients the package's functions have, which the tests compare."""
    functions = [getattr(backprop_book, name) for name in backprop_book.__all__]
    notations = [getattr(function, "notation", "->") for function in functions]
    return sum(notation.split("->")[0].count("(") for notation in notations)


COUNTS: dict[str, Callable[[list[str]], int]] = {
    "snippets": lambda pages: count_fences(pages, "python"),
    "outputs": lambda pages: count_fences(pages, "output"),
    "figures": count_figures,
    "gradients": lambda pages: count_gradients(),
}


def _count(name: str, pages: list[str]) -> str:
    if name not in COUNTS:
        raise ValueError(f"no count is called {name!r}; there are {', '.join(COUNTS)}")
    return f"{COUNTS[name](pages):,}"


def _without_fences(page: str) -> str:
    kept, end = [], 0
    fences: list[Fence] = read_fences(page)
    for fence in fences:
        kept.append(page[end : fence.start])
        end = fence.end
    return "".join([*kept, page[end:]])

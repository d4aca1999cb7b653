"""Every page of the book, held to everything that it shows and says."""

import re
from functools import cache
from pathlib import Path

import pytest

from press.book import DOCS, all_faults, missing_libraries, page_paths
from press.definitions import chapter_number, module_chapters
from press.fences import Page


def relative(path: Path) -> str:
    return path.relative_to(DOCS).as_posix()


@cache
def read(path: Path) -> Page:
    return Page(path)


@pytest.mark.parametrize("path", page_paths(), ids=relative)
def test_page(path: Path) -> None:
    faults = all_faults(read(path))
    assert not faults, "\n" + "\n".join(str(fault) for fault in faults)
    missing = missing_libraries(read(path))
    if missing:
        pytest.skip(f"not run: {' and '.join(missing)} not installed")


def drawn_figures() -> set[Path]:
    pages = [read(path) for path in page_paths()]
    return {
        (page.path.parent / snippet.figure).resolve()
        for page in pages
        for snippet in page.snippets
        if snippet.figure
    }


def test_every_figure_is_drawn_by_a_page() -> None:
    orphans = set(DOCS.glob("**/figures/*.svg")) - drawn_figures()
    assert not orphans, f"no snippet draws {sorted(map(relative, orphans))}"


def test_every_module_of_the_package_is_written_in_a_chapter_or_supporting() -> None:
    assert module_chapters()


def test_the_chapters_that_write_modules_exist() -> None:
    """A part is written as a whole: where one of its chapters stands, so do those before it."""
    written = {chapter_number(path) for path in page_paths()} - {None}
    last = max(number for number in written if number is not None)
    missing = {m: n for m, n in module_chapters().items() if n <= last and n not in written | {0}}
    assert not missing, f"modules whose chapter is not there: {missing}"


def test_chapters_are_numbered_without_gaps() -> None:
    numbers = [chapter_number(path) for path in page_paths() if chapter_number(path)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_no_page_holds_what_only_one_machine_has() -> None:
    named = re.compile(r"/(?:home|root|tmp|Users)/\w")
    found = [relative(p) for p in page_paths() if named.search(p.read_text(encoding="utf-8"))]
    assert not found

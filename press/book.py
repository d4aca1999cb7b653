"""The book as a whole: its pages, and everything that is checked of each."""

from importlib.util import find_spec
from pathlib import Path

from press.checking import faults_of, unreadable_faults
from press.definitions import definition_faults, import_faults
from press.faults import Fault
from press.fences import Page
from press.libraries import optional_libraries
from press.randomness import unseeded_faults
from press.structure import structure_faults

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def page_paths() -> list[Path]:
    """Return the book's Markdown pages, in order of path."""
    return sorted(DOCS.rglob("*.md"))


def missing_libraries(page: Page) -> list[str]:
    """Return the optional libraries that a page imports and that are not installed here.

    Of a page that cannot be read that is not known.
    """
    if unreadable_faults(page):
        return []
    return [name for name in optional_libraries(page) if find_spec(name) is None]


def all_faults(page: Page) -> list[Fault]:
    """Return everything wrong with a page; of one that cannot be read, what keeps it from that.

    A page that lacks a library is not run, but looked at for all else.
    """
    unreadable = unreadable_faults(page)
    if unreadable:
        return unreadable
    checks = [structure_faults, unseeded_faults, definition_faults, import_faults]
    checks += [] if missing_libraries(page) else [faults_of]
    return sorted({fault for check in checks for fault in check(page)}, key=lambda f: f.line)

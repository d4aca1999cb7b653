"""The book as a whole: its pages, and everything that is checked of each."""

from pathlib import Path

from press.checking import faults_of, unreadable_faults
from press.definitions import definition_faults, import_faults
from press.faults import Fault
from press.fences import Page
from press.randomness import unseeded_faults
from press.structure import structure_faults

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def page_paths() -> list[Path]:
    """Return the book's Markdown pages, in order of path."""
    return sorted(DOCS.rglob("*.md"))


def all_faults(page: Page) -> list[Fault]:
    """Return everything wrong with a page; of one that cannot be read, what keeps it from that."""
    unreadable = unreadable_faults(page)
    if unreadable:
        return unreadable
    checks = [faults_of, structure_faults, unseeded_faults, definition_faults, import_faults]
    return sorted({fault for check in checks for fault in check(page)}, key=lambda f: f.line)

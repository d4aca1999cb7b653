"""The book as a whole: its pages, and everything that is checked of each."""

from pathlib import Path

from press.checking import faults_of
from press.definitions import definition_faults, import_faults
from press.faults import Fault
from press.fences import Page
from press.structure import structure_faults

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def page_paths() -> list[Path]:
    """Return the book's Markdown pages, in order of path."""
    return sorted(DOCS.rglob("*.md"))


def all_faults(page: Page) -> list[Fault]:
    """Return everything wrong with a page; a page that does not run is told of that alone."""
    faults = faults_of(page) + list(structure_faults(page))
    if not any("SyntaxError" in fault.message for fault in faults):
        faults += [*definition_faults(page), *import_faults(page)]
    return faults

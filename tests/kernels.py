"""Run notebooks in a fresh IPython that has what a reader is told to install, and nothing else."""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from reader import run_cells

INSTALLED = ["numpy", "matplotlib", "backprop-book", "ipykernel"]
PATIENCE = 300  # seconds that a notebook may take

FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload(["IPython", "matplotlib.pyplot"])  # read once, not once a notebook


@dataclass(frozen=True)
class Ran:
    """What a cell printed, the warnings it gave, and what it displayed, by MIME type."""

    printed: str
    warned: str
    displayed: list[dict[str, Any]]

    @property
    def figures(self) -> list[dict[str, Any]]:
        return [shown for shown in self.displayed if any("image/" in kind for kind in shown)]


def run_in_fresh_kernel(
    notebook: NotebookNode, folder: Path, also: tuple[str, ...] = ()
) -> list[Ran]:
    """Run a notebook's code cells in `folder`; return what each put out.

    `also` names what is installed beyond what every notebook needs.

    A cell that raises raises RuntimeError.
    """
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    with ProcessPoolExecutor(1, FRESH) as pool:
        ran = pool.submit(run_cells, sources, folder, importable_names(also)).result(PATIENCE)
    return [Ran(*put_out) for put_out in ran]


@cache
def importable_names(also: tuple[str, ...] = ()) -> set[str]:
    """Return the modules of the standard library and of what the reader installs."""
    installed = _with_what_they_require([*INSTALLED, *also])
    named = packages_distributions().items()
    found = {module for module, owners in named if installed & set(map(canonicalize_name, owners))}
    return {*sys.stdlib_module_names, "backprop_book"} | found


def _with_what_they_require(names: list[str]) -> set[str]:
    found: set[str] = set()
    queue = list(names)
    while queue:
        name = canonicalize_name(queue.pop())
        if name not in found:
            found.add(name)
            needed = map(Requirement, requires(name) or [])
            queue += [r.name for r in needed if not r.marker or r.marker.evaluate({"extra": ""})]
    return found

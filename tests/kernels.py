"""Run notebooks in a fresh kernel that has what a reader is told to install, and nothing else."""

import os
import sys
from copy import deepcopy
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

INSTALLED = ["numpy", "matplotlib", "backprop-book", "ipykernel"]

REFUSE_THE_REST = """
import sys

class Only:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        allowed = name.partition(".")[0] in {allowed}
        return self.finder.find_spec(name, path, target) if allowed else None

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = [Only(finder) for finder in sys.meta_path]
"""


def run_in_fresh_kernel(
    notebook: NotebookNode, folder: Path, also: tuple[str, ...] = ()
) -> list[NotebookNode]:
    """Run a copy of the notebook in `folder`; return its code cells with what they put out.

    `also` names what is installed beyond what every notebook needs.

    A cell that raises raises nbclient's CellExecutionError.
    """
    refusing = REFUSE_THE_REST.format(allowed=sorted(importable_names(also)))
    guard = nbformat.v4.new_code_cell(refusing, id="guard")
    guarded = deepcopy(notebook)  # a run writes its outputs into the cells
    guarded.cells.insert(0, guard)
    place = {"metadata": {"path": folder}}
    client = NotebookClient(guarded, resources=place, timeout=120, coalesce_streams=True)
    ran = client.execute(env={**os.environ, "IPYTHONDIR": str(folder / ".ipython")})
    return [cell for cell in ran.cells[1:] if cell.cell_type == "code"]


def printed_by(cell: NotebookNode) -> str:
    return "".join(o.text for o in cell.outputs if o.output_type == "stream")


def figures_of(cell: NotebookNode) -> list[NotebookNode]:
    return [output for output in cell.outputs if output.output_type == "display_data"]


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

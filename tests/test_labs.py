"""The labs: notebooks that the site's build runs, and that a reader takes home."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from kernels import run_in_fresh_kernel
from mkdocs.config import load_config
from nbformat import NotebookNode

from press.book import DOCS, ROOT

LABS = sorted(DOCS.glob("labs/*.ipynb"))
A_PATH_OF_A_MACHINE = re.compile(
    r"(?<![\w.:/])/(?:home|Users|root|tmp|work|usr|mnt|opt|var)/|[A-Z]:\\"
)


@pytest.fixture(params=LABS, ids=lambda path: path.stem)
def lab(request: pytest.FixtureRequest) -> NotebookNode:
    return nbformat.read(request.param, as_version=4)


def code_cells(lab: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in lab.cells if cell.cell_type == "code"]


def test_there_is_a_lab():
    assert LABS


def test_a_lab_runs_from_top_to_bottom_in_a_fresh_kernel(lab: NotebookNode, tmp_path: Path):
    cells = code_cells(lab)
    for cell, ran in zip(cells, run_in_fresh_kernel(lab, tmp_path), strict=True):
        assert not ran.warned, cell.source
        assert len(ran.displayed) == len(ran.figures), f"{cell.id} ends with a value nobody printed"
        assert len(ran.figures) == ("alt" in cell.metadata), f"{cell.id} draws {len(ran.figures)}"


def test_a_lab_is_stored_without_what_a_run_leaves(lab: NotebookNode):
    for cell in code_cells(lab):
        assert (cell.execution_count, cell.outputs) == (None, [])
        assert set(cell.metadata) <= {"alt"}
    assert set(lab.metadata) == {"kernelspec", "language_info"}
    assert lab.metadata.kernelspec.name == "python3"


def test_the_cells_of_a_lab_are_numbered(lab: NotebookNode):
    nbformat.validate(lab)
    assert [cell.id for cell in lab.cells] == [f"cell-{i + 1}" for i in range(len(lab.cells))]


def test_a_lab_names_no_path_of_a_machine_and_is_python_throughout(lab: NotebookNode):
    assert not A_PATH_OF_A_MACHINE.search("\n".join(cell.source for cell in lab.cells))
    for cell in code_cells(lab):
        ast.parse(cell.source)


def test_a_lab_says_first_how_to_install_from_the_repository(lab: NotebookNode):
    repo = re.search(r'REPO_URL, "([^"]+)"', (ROOT / "mkdocs.yml").read_text())[1]
    install = f'# %pip install numpy matplotlib "backprop-book @ git+{repo}"'
    assert code_cells(lab)[0].source == install


def test_an_error_in_a_lab_stops_the_build():
    settings = load_config(str(ROOT / "mkdocs.yml")).plugins["mkdocs-jupyter"].config
    assert settings["execute"] is True
    assert settings["allow_errors"] is False
    assert settings["cache"] is False
    assert settings["include"] == ["labs/*.ipynb"]


@pytest.mark.parametrize("path", ["/home/someone/x.npz", "C:\\data", "(/tmp/x)"])
def test_a_path_of_a_machine_is_seen(path: str):
    assert A_PATH_OF_A_MACHINE.search(f"np.load({path})")

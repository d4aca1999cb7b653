"""The package as a package: what it needs, what it shows, and how it is written."""

import ast
import importlib
import importlib.metadata
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from gradient_check import CASES

import backprop_book
from press.counts import count_gradients
from press.definitions import SUPPORTING

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FILES = sorted((ROOT / "backprop_book").rglob("*.py"))
MODULES = [path for path in FILES if path.parent.name == "backprop_book"]

ONLY_NUMPY = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in {*sys.stdlib_module_names, "numpy", "backprop_book"}:
            raise ModuleNotFoundError(f"No module named {top!r} (refused by the test)", name=top)

sys.meta_path.insert(0, Refuse())
"""


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, **options
    )


def run_with_only_numpy(code):
    return run("-W", "error", "-c", ONLY_NUMPY + code)


def test_numpy_is_all_that_is_needed():
    code = """
from backprop_book import *
import numpy as np
X, y = noisy_plane(20)
parameters = {"weights": np.zeros((2, 1)), "bias": np.zeros(1)}
for x, target in iterate_minibatches(X, y, 5, np.random.default_rng(0)):
    loss, backward = linear_regression(parameters, x, target)
    parameters = sgd_step(parameters, backward(1.0), 0.1)
parameters = initialize([2, 3, 1], np.random.default_rng(0))
for activation in (identity, relu, leaky_relu, sigmoid, tanh, softplus, gelu):
    loss, backward = network_loss(parameters, X, y, activation)
    parameters = sgd_step(parameters, backward(1.0), 0.1)
graph = Graph()
graph.record("x", 3.0), graph.record("y", 9.0, [("x", 6.0)])
assert backpropagate(graph.edges, "y")["x"] == 6
import backprop_book.drawing
import backprop_book.figures
x, labels, *held_out = digits()
parameters = initialize([64, 8, 10], np.random.default_rng(0))
logits, backward = network(parameters, x)
loss, loss_backward = cross_entropy(logits, labels)
gradients, dx = backward(loss_backward(1.0))
parameters = sgd_step(parameters, gradients, 0.1)
assert cross_entropy(network(parameters, x)[0], labels)[0] < loss
print("trained")
"""
    done = run_with_only_numpy(code)
    assert (done.stdout, done.stderr) == ("trained\n", "")


NO_NETWORK = """
import sys

def refuse(event, args):
    if event.startswith(("socket.", "urllib.", "subprocess.", "http.")):
        raise OSError(f"{event} (refused by the test)")

sys.addaudithook(refuse)
"""


def test_the_data_sets_come_from_no_network():
    code = """
from backprop_book import digits, lights, noisy_plane, xor_lights
print(*(len(make()[0]) for make in (digits, lights, noisy_plane, xor_lights)))
"""
    done = run("-W", "error", "-c", NO_NETWORK + code)
    assert (done.stdout, done.stderr) == ("1347 6 1000 4\n", "")
    asks = "import urllib.request\nurllib.request.urlopen('http://localhost:9/')"
    assert "refused by the test" in run("-c", NO_NETWORK + asks).stderr


def test_a_figure_without_matplotlib_says_what_to_install():
    for code in (
        "from backprop_book.figures import new_figure\nnew_figure()",
        "from backprop_book.drawing import Graph, draw_graph\ng = Graph()\n"
        "g.record('x', 1.0)\ndraw_graph(g, 'x')",
    ):
        done = run_with_only_numpy(code)
        assert "ImportError: figures need matplotlib: pip install matplotlib" in done.stderr


def test_the_refusal_refuses():
    """The two tests above would see an import of anything else."""
    done = run_with_only_numpy("import pytest")
    assert "refused by the test" in done.stderr


def test_all_is_sorted_and_complete():
    assert backprop_book.__all__ == sorted(backprop_book.__all__)
    tree = ast.parse((ROOT / "backprop_book/__init__.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert sorted(alias.name for node in imports for alias in node.names) == backprop_book.__all__
    shown = {name for name in dir(backprop_book) if not name.startswith("_")}
    modules = {path.stem for path in MODULES} | {"checker", "importlib", "typing"}
    assert shown - modules == set(backprop_book.__all__) - modules


def test_what_is_told_to_type_checkers_is_what_is_imported_on_first_use():
    tree = ast.parse((ROOT / "backprop_book/__init__.py").read_text(encoding="utf-8"))
    (guarded,) = (node for node in tree.body if isinstance(node, ast.If))
    told = {alias.name: node.module for node in guarded.body for alias in node.names}
    late = backprop_book._ON_FIRST_USE
    assert told == {name: f"backprop_book.{module}" for name, module in late.items()}
    for name, module in told.items():
        assert getattr(backprop_book, name) is getattr(importlib.import_module(module), name)
        assert getattr(backprop_book, name).__module__ == module


def test_what_most_programs_do_not_use_is_not_imported_with_the_package():
    code = """
import sys, numpy
before = set(sys.modules)
import backprop_book
print(*sorted(set(sys.modules) - before))
shown = set(dir(backprop_book))
print(set(backprop_book.__all__) <= shown, "checking" in shown)
backprop_book.check_gradient
print("backprop_book.checking" in sys.modules, "check_gradient" in vars(backprop_book))
"""
    loaded, shown, first_use = run_with_only_numpy(code).stdout.splitlines()
    assert "backprop_book.regression" in loaded.split()
    late = ("checking", "checker", "diagnosing", "command_line", "figures", "drawing")
    late = {f"backprop_book.{name}" for name in late} | {"numpy.random"}
    assert not (late | {"argparse", "importlib.resources", "tempfile"}) & set(loaded.split())
    assert (shown, first_use) == ("True False", "True True")


def test_a_name_that_the_package_does_not_have():
    with pytest.raises(AttributeError, match="'backprop_book' has no attribute 'chekc_gradient'"):
        getattr(backprop_book, "chekc_gradient")  # noqa: B009
    with pytest.raises(ImportError, match="chekc_gradient"):
        from backprop_book import chekc_gradient  # noqa: F401


def test_every_public_function_of_a_chapter_is_in_all():
    """Whatever is defined without a leading underscore, outside the supporting modules, is public.

    So are the data sets and the arithmetic among those. Not so the one step of GELU that has a
    name, the steps of the functions that nudge, which have no backward of their own, and what the
    engines are made of.
    """
    steps = {"normal_cdf", "arrays_in", "copied", "entry_by_entry", "random_direction", "moved"}
    steps |= {"Dual", "split", "is_floats", "moved_by", "push_linear", "push_products"}
    steps |= {"push_elementwise", "push_selecting", "push_forward", "recording", "Node", "sweep"}
    steps |= {"count_uses", "unshared", "made", "gradient_of", "mapped_all", "jacobian_rows"}
    steps |= {"jacobian_columns", "unit_directions", "forgetful", "rewound"}
    steps |= {"off_the_tape", "vjp_of_floats", "level_of", "constant", "holds_operand"}
    public = {*backprop_book.__all__, *steps}
    for path in MODULES:
        if path.stem in {"__init__", *SUPPORTING} - {"data", "elementwise"}:
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                assert node.name in public, f"{path.name}: {node.name}"


def test_the_gradients_that_the_book_counts_are_those_that_are_compared():
    """Those of the functions held to a notation; what is made of them is not counted again."""
    compared = {name.split(" ")[0]: case.n_gradients for name, case in CASES.items()}
    basic = [n for n in compared if hasattr(getattr(backprop_book, n), "notation")]
    assert count_gradients() == sum(compared[name] for name in basic)
    assert {"dense", "squared_error", "gelu"} <= set(basic)


def test_the_version_is_told_once():
    assert backprop_book.__version__ == PROJECT["project"]["version"]


def test_the_installed_version_is_this_one():
    assert importlib.metadata.version("backprop-book") == backprop_book.__version__


def test_numpy_is_the_only_dependency():
    (dependency,) = PROJECT["project"]["dependencies"]
    assert dependency.startswith("numpy")


def test_the_wheel_holds_the_package_with_its_digits_and_its_mark_of_types():
    """Hatchling takes what lies in the package's folder, unless git is told to ignore it."""
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["backprop_book"]
    for name in ("py.typed", "digits.npz"):
        assert (ROOT / "backprop_book" / name).is_file()
        ignored = subprocess.run(["git", "check-ignore", "-q", f"backprop_book/{name}"], cwd=ROOT)
        assert ignored.returncode == 1


@pytest.mark.parametrize(
    "command",
    [["mypy"], ["ruff", "check", "."], ["ruff", "format", "--check", "."]],
    ids=" ".join,
)
def test_types_and_style_are_clean(command):
    pytest.importorskip(command[0], reason=f"{command[0]} is not installed: pip install -e .[test]")
    done = run("-m", *command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_is_strict_and_sees_the_package():
    assert PROJECT["tool"]["mypy"]["strict"] is True
    assert "backprop_book" in PROJECT["tool"]["mypy"]["files"]


def functions_of(path):
    """Return the functions of a file, methods and inner ones too, with their number of lines.

    Counted are a function's lines from `def` on, without its docstring and blank lines.
    """
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            told = ast.get_docstring(node) is not None
            skipped = range(node.body[0].lineno, node.body[0].end_lineno + 1) if told else ()
            numbers = [n for n in range(node.lineno, node.end_lineno + 1) if n not in skipped]
            name = f"{path.name}: {node.name}, line {node.lineno}"
            yield name, sum(bool(lines[n - 1].strip()) for n in numbers)


def test_functions_are_short():
    lengths = {name: n for path in FILES for name, n in functions_of(path)}
    assert len(lengths) > 30
    assert {name: n for name, n in lengths.items() if n > 25} == {}
    assert statistics.median(lengths.values()) <= 6


def test_lengths_are_counted_without_docstring_and_blank_lines(tmp_path):
    path = tmp_path / "some.py"
    path.write_text('@f\ndef g(\n    a,\n):\n    """Two\n    lines.\n    """\n\n    return a\n')
    assert list(functions_of(path)) == [("some.py: g, line 2", 4)]


def test_a_module_imports_nothing_of_the_site_or_the_tests():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & {"press", "tests", "docs"}


def test_nothing_of_the_package_asserts():
    """A user's mistake raises an error that names it, under `python -O` as well."""
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]

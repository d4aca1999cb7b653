"""`python -m backprop_book check module:function`, typed in somebody's own folder."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backprop_book import example_inputs
from backprop_book.command_line import main

ROOT = Path(__file__).parents[1]

LAYERS = """
import numpy as np

from backprop_book import example_inputs


def draw(rng):
    return rng.normal(size=(4, 3)), rng.normal(size=(3, 2))


@example_inputs(draw)
def linear(x, weights):
    return x @ weights, lambda dy: (dy @ weights.T, x.T @ dy)


@example_inputs(draw)
def careless(x, weights):
    return x @ weights, lambda dy: (dy @ weights.T, -x.T @ dy)


@example_inputs(lambda rng: rng.normal(size=5))
def double(x):
    return 2 * x, lambda dy: 2 * dy


def plain(x, weights):
    return x @ weights, lambda dy: (dy @ weights.T, x.T @ dy)


def alone(x, weights):
    return x @ weights


def backward(dy, x, weights):
    return dy @ weights.T, x.T @ dy


def wrong_backward(dy, x, weights):
    return dy @ weights.T, 2 * x.T @ dy


def without_rng():
    return np.ones((4, 3)), np.eye(3, 2)


def with_a_default(n=4, *rest, rng=None, **options):
    return rng.normal(size=(n, 3)), np.eye(3, 2)


def with_another_default(n=4):
    return np.ones((n, 3)), np.eye(3, 2)


def of_two(rng, n):
    return np.ones((n, 3))


def raises_in_maker(rng):
    raise RuntimeError("no data today")


def raises(x):
    raise KeyError("mask")


def raises_in_backward(x):
    def backward(dy):
        raise RuntimeError("dy is out of order")

    return x, backward


def raises_in_numpy(x):
    return np.linalg.cholesky(x), None


def tells(x):
    raise ValueError(f"x is {x}")


class Layer:
    @staticmethod
    def forward(x):
        return 3 * x, lambda dy: 3 * dy

    def __call__(self, x):
        return 3 * x, lambda dy: 3 * dy


layer = Layer()
SIZE = 3
"""
LINES = LAYERS.splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Make a folder with modules of every sort."""
    path = tmp_path_factory.mktemp("somebody")
    (path / "layers.py").write_text(LAYERS)
    (path / "broken.py").write_text("x = 1\ndef f(:\n")
    (path / "raising.py").write_text("def start():\n    raise OSError('no disk')\n\nstart()\n")
    (path / "leaving.py").write_text("import sys\n\nsys.exit(0)\n")
    (path / "needing.py").write_text("import no_such_library\n")
    (path / "package").mkdir()
    (path / "package" / "__init__.py").write_text("")
    (path / "package" / "inner.py").write_text(LAYERS)
    return path


@pytest.fixture
def run(folder, monkeypatch, capsys):
    """Return a function that runs the command in the folder: exit code, output, errors."""

    def running(*arguments):
        try:
            code = main(arguments)
        except SystemExit as usage:
            code = usage.code
        return code, *capsys.readouterr()

    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield running
    for name in ("layers", "package", "package.inner"):  # the others cannot be imported
        sys.modules.pop(name, None)


@pytest.fixture
def run_alone(folder):
    """Return a function that does the same in a process of its own, as it is typed."""

    def running(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "backprop_book", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout, done.stderr

    return running


RIGHT_TABLE = """the gradient is right
input    shape  verdict  relative error  at  backward  measured
x        (4,3)  right    < 1e-6
weights  (3,2)  right    < 1e-6
"""

PLAIN = "layers:plain"
RIGHT = {
    "decorated": ["layers:linear"],
    "by shapes": [PLAIN, "--shape", "4,3", "--shape", "3,2"],
    "by shapes with brackets": [PLAIN, "--shape", "(4, 3)", "--shape", "(3, 2)"],
    "inputs of a function with rng": [PLAIN, "--inputs", "layers:draw"],
    "inputs of a function without": [PLAIN, "--inputs", "layers:without_rng"],
    "inputs of a function with an rng among others": [PLAIN, "--inputs", "layers:with_a_default"],
    "inputs of a function of defaults": [PLAIN, "--inputs", "layers:with_another_default"],
    "a backward beside it": [
        *("layers:alone", "--backward", "layers:backward"),
        *("--inputs", "layers:draw"),
    ],
    "directions": ["layers:linear", "--directions", "2"],
    "another seed": ["layers:linear", "--seed", "5"],
    "in a package": ["package.inner:linear"],
    "inputs from elsewhere than the decorator": ["layers:linear", "--inputs", "layers:draw"],
}


@pytest.mark.parametrize("arguments", RIGHT.values(), ids=RIGHT.keys())
def test_a_right_gradient(run, arguments):
    assert run("check", *arguments) == (0, RIGHT_TABLE, "")


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (0, ["check", "layers:linear"]),
        (1, ["check", "layers:careless"]),
        (2, ["check", "raising:f"]),
        (2, ["chekc"]),
    ],
)
def test_a_process_of_its_own_says_the_same_and_leaves_with_that_code(
    run, run_alone, code, arguments
):
    assert run_alone(*arguments) == run(*arguments)
    assert run(*arguments)[0] == code


@pytest.mark.parametrize("name", ["Layer.forward", "layer", "double"])
def test_what_else_may_be_a_function(run, name):
    code, output, errors = run("check", f"layers:{name}", "--shape", "4")
    assert (code, errors) == (0, "")
    assert output.splitlines()[2].split() == ["x", "(4,)", "right", "<", "1e-6"]


def test_one_array_alone_as_inputs(run):
    code, output, _ = run("check", "layers:double")
    assert code == 0
    assert "x      (5,)   right" in output


def test_a_wrong_gradient_with_its_table_and_diagnosis(run):
    code, output, errors = run("check", "layers:careless")
    assert (code, errors) == (1, "")
    table, diagnosis = output.split("\n\n")
    head, _, x, weights = table.splitlines()
    assert head == "THE GRADIENT IS WRONG"
    assert x.split()[:3] == ["x", "(4,3)", "right"]
    assert weights.split()[:4] == ["weights", "(3,2)", "wrong", "2.0e+00"]
    assert diagnosis.startswith("likely: the sign is wrong")
    assert "weights" in diagnosis


def test_a_wrong_backward_beside_its_function(run):
    arguments = ["--inputs", "layers:draw", "--backward", "layers:wrong_backward"]
    code, output, errors = run("check", "layers:alone", *arguments)
    assert (code, errors) == (1, "")
    assert "\n\nlikely: " in output
    assert "2 times what it should be" in output


@pytest.mark.parametrize(("wrt", "code"), [("x", 0), ("weights", 1), ("0", 0), ("1", 1)])
def test_one_input_alone(run, wrt, code):
    got, output, _ = run("check", "layers:careless", "--wrt", wrt)
    assert got == code
    assert len(output.split("\n\n")[0].splitlines()) == 3


def test_the_seed_makes_the_numbers(run):
    first, again, other = (run("check", "layers:careless", "--seed", s) for s in "001")
    assert first == again
    assert first[0] == other[0] == 1
    assert first[1] != other[1]


def test_the_seed_makes_the_inputs_of_a_shape(run):
    arguments = ["layers:tells", "--shape", "3"]
    first, again, other = (run("check", *arguments, "--seed", s)[2] for s in "001")
    assert first == again != other


def place(text):
    """Return the line of the module that holds a text."""
    return next(n for n, line in enumerate(LINES, start=1) if text in line)


FORM = "should be module:function, as layers:dense"
UNUSABLE = {
    "no colon": (["layers"], f"cannot check layers: 'layers' {FORM}"),
    "no function": (["layers:"], f"cannot check layers:: 'layers:' {FORM}"),
    "no module": ([":linear"], f"':linear' {FORM}"),
    "a path": (["layers.py:linear"], "importing layers.py failed with ModuleNotFoundError"),
    "a module that is not there": (
        ["no_such_module:f"],
        "importing no_such_module failed with ModuleNotFoundError: No module named "
        "'no_such_module'\n",
    ),
    "a module that needs what is not there": (
        ["needing:f"],
        "importing needing failed with ModuleNotFoundError: No module named 'no_such_library' "
        "(raised in <module>, line 1 of ",
    ),
    "a module that is no Python": (
        ["broken:f"],
        "importing broken failed with SyntaxError: invalid syntax (broken.py, line 2)",
    ),
    "a module that raises": (
        ["raising:f"],
        "importing raising failed with OSError: no disk (raised in start, line 2 of ",
    ),
    "a module that leaves": (["leaving:f"], "importing leaving failed with SystemExit: 0"),
    "no such function": (["layers:lienar"], "layers has no lienar"),
    "no such method": (["layers:Layer.backward"], "layers has no Layer.backward"),
    "not callable": (["layers:SIZE"], "layers:SIZE is no function"),
    "no inputs": (
        [PLAIN],
        "it has no inputs; give --shape 4,3 for each, or --inputs module:function, or decorate it "
        "with backprop_book.example_inputs",
    ),
    "letters for a shape": (
        [PLAIN, "--shape", "4,d"],
        "--shape is '4,d'; it should be whole numbers, as 4,3 or 5",
    ),
    "a shape with a 0": ([PLAIN, "--shape", "4,0"], "--shape is '4,0'; it should be"),
    "a shape below 0": ([PLAIN, "--shape=-4,3"], "--shape is '-4,3'; it should be"),
    "too few shapes": ([PLAIN, "--shape", "4,3"], "TypeError: plain() missing 1 required"),
    "shapes that do not fit": (
        [PLAIN, "--shape", "4,3", "--shape", "2,3"],
        f"(raised in plain, line {place('def plain') + 1} of ",
    ),
    "no such maker of inputs": ([PLAIN, "--inputs", "layers:drew"], "layers has no drew"),
    "a maker that raises": (
        [PLAIN, "--inputs", "layers:raises_in_maker"],
        f"RuntimeError: no data today (raised in raises_in_maker, line {place('no data today')} of",
    ),
    "a maker that needs more": (
        [PLAIN, "--inputs", "layers:of_two"],
        "TypeError: of_two() missing 1 required positional argument: 'n'",
    ),
    "a function that raises": (
        ["layers:raises", "--shape", "3"],
        f"KeyError: 'mask' (raised in raises, line {place('mask')} of ",
    ),
    "a backward that raises": (
        ["layers:raises_in_backward", "--shape", "3"],
        f"RuntimeError: dy is out of order (raised in backward, line {place('out of order')} of ",
    ),
    "a function that NumPy refuses": (
        ["layers:raises_in_numpy", "--shape", "3"],
        f"(raised in raises_in_numpy, line {place('cholesky')} of ",
    ),
    "an output alone": (
        ["layers:alone", "--inputs", "layers:draw"],
        "TypeError: the function returned an array; it should return (output, backward), or be "
        "given its backward as backward=...\n",
    ),
    "an unknown backward": (
        ["layers:alone", "--backward", "layers:bakward", "--inputs", "layers:draw"],
        "layers has no bakward",
    ),
    "an unknown input": (
        ["layers:linear", "--wrt", "bias"],
        "ValueError: wrt has 'bias'; it should name inputs among x, weights",
    ),
    "no directions": (
        ["layers:linear", "--directions", "0"],
        "ValueError: directions is 0; it should be a whole number, 1 or more",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_what_cannot_be_checked_is_told_in_a_line(run, arguments, message):
    code, output, errors = run("check", *arguments)
    assert (code, output) == (2, "")
    assert errors.startswith(f"cannot check {arguments[0]}: ")
    assert message in errors
    assert "Traceback" not in errors
    assert errors.count("\n") == 1


USAGE = {
    "no command": ([], "the following arguments are required: check"),
    "another command": (["chekc", "layers:linear"], "invalid choice: 'chekc'"),
    "no function": (["check"], "the following arguments are required: module:function"),
    "an unknown option": (
        ["check", "layers:linear", "--sed", "1", "--x"],
        "unrecognized arguments",
    ),
    "directions in letters": (
        ["check", "layers:linear", "--directions", "many"],
        "argument --directions: invalid int value: 'many'",
    ),
    "both sources of inputs": (
        ["check", PLAIN, "--shape", "3", "--inputs", "layers:draw"],
        "argument --inputs: not allowed with argument --shape",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), USAGE.values(), ids=USAGE.keys())
def test_usage(run, arguments, message):
    code, output, errors = run(*arguments)
    assert (code, output) == (2, "")
    assert errors.startswith("usage: python -m backprop_book")
    assert message in errors


def test_help_tells_every_option(run):
    code, output, _ = run("check", "--help")
    assert code == 0
    for option in ("--backward", "--inputs", "--shape", "--directions", "--wrt", "--seed"):
        assert option in output


def test_the_decorator_leaves_a_function_as_it_is():
    def function(x):
        return x, lambda dy: dy

    assert example_inputs(lambda rng: np.ones(2))(function) is function

"""The derivative sheet has a row for every differentiable function, and its NumPy is right."""

import ast
import inspect
import re
from functools import cache

import numpy as np
import pytest
from gradient_check import ACTIVATIONS, CASES, Case, as_tuple, one_gradient

import backprop_book
from backprop_book import compose, sin, softplus, tanh
from backprop_book.activations import normal_cdf
from press.book import DOCS

PAGE = DOCS / "appendices" / "derivative-sheet.md"
DIFFERENTIABLE = {name.split(" ")[0] for name in CASES}
CALL = re.compile(r"`(?P<output>\w+) = (?P<function>\w+)\((?P<arguments>[\w, ]+)\)(?:\(x\))?`")
CODE = re.compile(r"`([^`]+)`")
LENGTHS = [{"n": 4, "d": 3, "h": 2}, {"n": 1, "d": 1, "h": 1}, {"n": 5, "d": 1, "h": 3}]
TOLERANCE = 1e-10

CHAIN = [tanh, sin, softplus]
COMPOSED = Case(one_gradient(compose(CHAIN)), "(n,d)", None, 1)
NETWORK = ["weights_1", "bias_1", "weights_2", "bias_2", "x"]
GIVEN = {
    "compose": ["x"],
    "linear_regression": ["weights", "bias", "x", "target"],
    "network": NETWORK,
    "network_loss": [*NETWORK, "target"],
}
"""What the cases of functions that are made of others take, by name."""


def rows(text):
    """Return the cells of every row of the page's tables, without their headings."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return [row for row in cells if row[0] != "function"]


def sheet_faults(text):
    """Return what is wrong with the text of a sheet: rows, calls and lines of NumPy."""
    return table_faults(text) + [fault for row in rows(text) for fault in row_faults(tuple(row))]


def table_faults(text):
    found = [call["function"] for row in rows(text) if (call := CALL.fullmatch(row[0]))]
    faults = [f"{name} has no row" for name in sorted(DIFFERENTIABLE - set(found))]
    return faults + [f"{name} has two rows" for name in sorted({*found}) if found.count(name) > 1]


@cache
def row_faults(row):
    call = CALL.fullmatch(row[0])
    if len(row) != 4 or not all(row) or not call:
        return [f"{row[0]} is no row of call, formula, derivative and code"]
    name, cell = call["function"], row[3]
    if name not in DIFFERENTIABLE:
        return [f"{name} is no differentiable function of the package"]
    wanted = list(inspect.signature(getattr(backprop_book, name)).parameters)
    if call["arguments"].split(", ") != wanted:
        return [f"{name} takes {', '.join(wanted)}"]
    if CODE.sub("", cell).replace("<br>", "").strip():
        return [f"the code of {name} has words beside it"]
    return [fault for case in cases_of(name) for fault in code_faults(call, cell, *case)][:1]


def cases_of(name):
    """Yield the cases of a function, each with what its code may use beside what is given to it."""
    if name == "compose":
        yield COMPOSED, {"functions": CHAIN}
        return
    for told, case in CASES.items():
        function, *variant = told.split(" ")
        if function == name and not name.startswith("network"):
            yield case, {}
        elif function == name and variant[:2] == ["of", "2"]:
            yield case, {"activation": ACTIVATIONS[variant[-1]][0]}


def code_faults(call, cell, case, extra):
    """Yield where the code gives another gradient than the package, on numbers of two kinds.

    Whole numbers come upon kinks and ties, which those that are drawn keep away from.
    """
    rng = np.random.default_rng(0)
    for lengths in LENGTHS:
        drawn = case.arrays(lengths, rng)
        for arrays in (drawn, [np.round(array) for array in drawn]):
            output, backward = case.function(*arrays)
            doutput = np.asarray(rng.normal(size=np.shape(output)))
            names = names_for(call, case, arrays, extra) | {
                call["output"]: output,
                f"d{call['output']}": doutput,
            }
            yield from differences(call, cell, names, as_tuple(backward(doutput)))


def names_for(call, case, arrays, extra):
    """Return what the code may use: the package, the arguments, and what the forward pass kept."""
    name = call["function"]
    function = getattr(backprop_book, name)
    parameters = inspect.signature(function).parameters
    defaults = {p.name: p.default for p in parameters.values() if p.default is not p.empty}
    given = dict(zip(GIVEN.get(name, parameters), arrays, strict=False))
    package = {name: getattr(backprop_book, name) for name in backprop_book.__all__}
    if "functions" in extra:
        extra = extra | {"backwards": backwards_of(extra["functions"], *arrays)}
    basic = package | {"np": np, "normal_cdf": normal_cdf}
    return basic | defaults | given | case.options(*arrays) | extra


def backwards_of(functions, x):
    kept = []
    for function in functions:
        x, backward = function(x)
        kept.append(backward)
    return kept


def differences(call, cell, names, gradients):
    name, given = call["function"], GIVEN.get(call["function"])
    arrays = given or list(inspect.signature(getattr(backprop_book, name)).parameters)
    try:
        exec("\n".join(CODE.findall(cell)), names)
        told = [names[f"d{array}"] for array, _ in zip(arrays, gradients, strict=False)]
    except Exception as error:
        yield f"the code of {name} raises {error!r}"
        return
    for array, gradient, other in zip(arrays, gradients, told, strict=False):
        if np.shape(other) != np.shape(gradient):
            yield f"d{array} of {name} has shape {np.shape(other)}, not {np.shape(gradient)}"
        elif not np.allclose(other, gradient, rtol=TOLERANCE, atol=TOLERANCE * 1e-2):
            yield f"d{array} of {name} differs from the package's"


TEXT = PAGE.read_text(encoding="utf-8")


def test_the_sheet_is_complete_and_right():
    assert sheet_faults(TEXT) == []
    assert len(rows(TEXT)) == len(DIFFERENTIABLE) > 40


def test_a_line_of_code_is_a_line():
    for row in rows(TEXT):
        for line in CODE.findall(row[3]):
            assert len(ast.parse(line).body) == 1


@pytest.mark.parametrize("row", rows(TEXT), ids=lambda row: CALL.fullmatch(row[0])["function"])
def test_a_row_that_is_missing_is_missed_and_one_that_is_repeated_too(row):
    line = f"| {' | '.join(row)} |\n"
    assert TEXT.count(line) == 1
    name = CALL.fullmatch(row[0])["function"]
    assert table_faults(TEXT.replace(line, "")) == [f"{name} has no row"]
    assert table_faults(TEXT.replace(line, 2 * line)) == [f"{name} has two rows"]


@pytest.mark.parametrize("row", rows(TEXT), ids=lambda row: CALL.fullmatch(row[0])["function"])
def test_code_with_a_factor_too_many_is_refused_in_every_row(row):
    """Each gradient of each row, one after the other, with a hundred-millionth more."""
    name = CALL.fullmatch(row[0])["function"]
    targets = GIVEN.get(name) or list(inspect.signature(getattr(backprop_book, name)).parameters)
    n_gradients = next(case for case, _ in cases_of(name)).n_gradients
    for array in targets[:n_gradients]:
        worse = [*row[:3], f"{row[3]}<br>`d{array} = d{array} * (1 + 1e-8)`"]
        assert row_faults(tuple(worse)) == [f"d{array} of {name} differs from the package's"]


WRONG = {
    "a row for no function": (
        "| `a = relu(z)`",
        "| `a = swish(z)` | $z$ | $1$ | `dz = da` |\n| `a = relu(z)`",
        "swish is no differentiable function of the package",
    ),
    "a row for a function without a gradient": (
        "| `a = relu(z)`",
        "| `X = lights(z)` | $z$ | $1$ | `dz = dX` |\n| `a = relu(z)`",
        "lights is no differentiable function of the package",
    ),
    "a call that lacks an option": (
        "`a = leaky_relu(z, slope)`",
        "`a = leaky_relu(z)`",
        "leaky_relu takes z, slope",
    ),
    "arguments in another order": (
        "`loss = squared_error(prediction, target)`",
        "`loss = squared_error(target, prediction)`",
        "squared_error takes prediction, target",
    ),
    "an empty formula": (
        "| `a = relu(z)` | $\\max(z, 0)$ |",
        "| `a = relu(z)` | |",
        "`a = relu(z)` is no row of call, formula, derivative and code",
    ),
    "a sign": ("`dx = -doutput * np.sin(x)`", "`dx = doutput * np.sin(x)`", "dx of cos differs"),
    "a kink": ("da * (z > 0)`", "da * (z >= 0)`", "dz of relu differs"),
    "a tie": ("a_share = (a > b) + (a == b) / 2", "a_share = 1 * (a > b)", "da of maximum differs"),
    "a margin": ("+ margin > 0", "+ margin >= 0", "dscores of hinge differs"),
    "a shape": (
        "`dbias = doutput.sum(axis=0)`",
        "`dbias = doutput.sum(axis=0, keepdims=True)`",
        "dbias of dense has shape (1, 2), not (2,)",
    ),
    "a name": ("`dz = da / (1 +", "`dz = dy / (1 +", "the code of softplus raises NameError"),
    "a gradient under another name": (
        "`dtarget = -dprediction`",
        "`dtargets = -dprediction`",
        "the code of squared_error raises KeyError('dtarget')",
    ),
    "words for code": ("`dz = da` |", "`dz = da`, of course |", "identity has words beside it"),
}


@pytest.mark.parametrize(("right", "wrong", "fault"), WRONG.values(), ids=WRONG)
def test_a_wrong_row_is_refused(right, wrong, fault):
    assert TEXT.count(right) == 1
    assert any(fault in found for found in sheet_faults(TEXT.replace(right, wrong)))

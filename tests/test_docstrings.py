"""Every example in a docstring runs and prints what it shows; every public function has one."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from sybil.document import Document, PythonDocStringDocument
from sybil.example import SybilFailure
from sybil.parsers.doctest import DocTestParser

import backprop_book
from backprop_book import primitives
from backprop_book.operands import Operand

PACKAGE = Path(backprop_book.__file__).parent
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.stem != "__main__")
NAMES = {path: ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in FILES}


def names_of(path):
    """Return what a module has under public names."""
    shown = vars(import_module(NAMES[path].removesuffix(".__init__")))
    return {name: value for name, value in shown.items() if not name.startswith("_")}


EVERYTHING = {
    name: value
    for file in FILES
    if file.parent == PACKAGE and file.stem != "__init__"
    for name, value in names_of(file).items()
}
"""What an example may use beside `np` and its own module: the package's names, and nothing that
an example made.
"""

PUBLIC = {
    f"{value.__module__.removeprefix('backprop_book.')}.{name}": value
    for name, value in EVERYTHING.items()
    if inspect.isfunction(value) or inspect.isclass(value)
    if value.__module__.startswith("backprop_book.") and value.__name__ == name
    if not value.__module__.startswith("backprop_book.checker")
}
PUBLIC |= {
    f"{name}.{method.__name__}": method
    for name, value in PUBLIC.items()
    if inspect.isclass(value) and value is not Operand
    for _, method in inspect.getmembers(value, inspect.isfunction)
    if not method.__name__.startswith("_") and method.__name__ in vars(value)
}
"""Every function and class that a module defines, and the methods of the classes.

What the checker is made of is not for readers, and has its tests elsewhere. The methods of
`Operand` are an array's, by NumPy's names: each says in a line what it returns, and each is run
in `test_engine_operations.py`.
"""

SHAPE = re.compile(r"shape|\((?:[A-Z]|n_\w+|\d+)(?:, ?(?:[A-Z]|n_\w+|\d+|\.\.\.))*,?\)")


def documents(path):
    """Return one Sybil document for each docstring of a file, its lines numbered as the file's."""
    source = path.read_text(encoding="utf-8")
    found = []
    for start, _, docstring in PythonDocStringDocument.extract_docstrings(source):
        document = Document("\n" * source.count("\n", 0, start) + docstring, str(path))
        own = names_of(path) if path in NAMES else {}
        document.namespace.update(EVERYTHING | own | {"np": np})
        for region in DocTestParser()(document):
            document.add(region)
        found.append(document)
    return found


def form_faults(docstring):
    """Return what would let an example pass without a look at what it prints."""
    lines = inspect.cleandoc(docstring).splitlines()
    prompts = [i for i, line in enumerate(lines) if line.lstrip().startswith(">>>")]
    if not prompts:
        return ["no example"]
    block = lines[prompts[0] :]
    faults = []
    if "" in [line.strip() for line in block]:
        faults.append("a blank line in or after the example: what follows is not compared")
    if all(line.lstrip().startswith((">>>", "...")) for line in block):
        faults.append("an example that shows nothing")
    if any("doctest:" in line for line in block):
        faults.append("a doctest directive")
    if any(line.startswith(" ") for line in (lines[i] for i in prompts)):
        faults.append("an example that is indented")
    return faults


@pytest.mark.parametrize("path", FILES, ids=NAMES.get)
def test_examples_print_what_they_show(path):
    for document in documents(path):
        for example in document.examples():
            example.evaluate()


@pytest.mark.parametrize("path", FILES, ids=NAMES.get)
def test_no_example_is_passed_over(path):
    """As many examples are run as there are prompts in the file, wherever they stand."""
    prompts = re.findall(r"^\s*>>>", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sum(len(document.regions) for document in documents(path)) == len(prompts)


def test_the_public_functions_are_found():
    names = {name.split(".")[-1] for name in PUBLIC}
    assert set(backprop_book.__all__) <= names
    assert {"shapes", "values", "positive", "new_figure", "label_end", "lights"} <= names
    assert {"normal_cdf", "draw_graph", "new_name", "Graph", "record"} <= names
    assert {"report", "InputCheck", "Diagnosis", "main", "example_inputs"} <= names
    assert len(PUBLIC) > 50


@pytest.mark.parametrize("function", PUBLIC.values(), ids=PUBLIC.keys())
def test_every_public_function_has_an_example(function):
    assert form_faults(function.__doc__ or "") == []
    called_or_subclassed = rf"\b{function.__name__}(\(|\):$)"
    assert re.search(called_or_subclassed, function.__doc__.partition(">>>")[2], re.MULTILINE)


def takes_arrays(function):
    """Tell whether an annotation has an array in it; those of matplotlib's types stay unread."""
    try:
        told = inspect.signature(function, eval_str=True)
    except NameError:
        told = inspect.signature(function)
    return "floating" in str(told)


TAKING_ARRAYS = {name: function for name, function in PUBLIC.items() if takes_arrays(function)}


@pytest.mark.parametrize("function", TAKING_ARRAYS.values(), ids=TAKING_ARRAYS.keys())
def test_a_function_of_arrays_tells_their_shapes(function):
    assert SHAPE.search(function.__doc__.partition(">>>")[0])


def test_the_functions_of_arrays_are_found():
    of_anything = {"Graph", "Value", "backpropagate", "compose", "count_users", "example_inputs"}
    of_anything |= {"assert_gradient", "check_gradient", "diagnose", "directional_derivatives"}
    of_anything |= {"numerical_gradient", "one_sided_gradient", "complex_step_gradient"}
    of_anything |= {"Tensor", "apply", "checkpoint", "custom_vjp", "grad", "hessian", "hvp"}
    of_anything |= {"jacobian", "jvp", "no_grad", "stop_gradient", "straight_through"}
    of_anything |= {"value_and_grad", "vjp"}
    of_arrays = {*backprop_book.__all__, "normal_cdf", "arrays_in"} - of_anything
    of_arrays |= {name for name, value in vars(primitives).items() if value in PUBLIC.values()}
    assert {name.split(".")[-1] for name in TAKING_ARRAYS} == of_arrays


RULES = {"backprop_book.checks", "backprop_book.rules"}


@pytest.mark.parametrize("function", PUBLIC.values(), ids=PUBLIC.keys())
def test_a_docstring_says_what_it_raises(function):
    """Whoever checks an argument says so (the rules are themselves what is said)."""
    if hasattr(function, "__wrapped__") and function.__module__ not in RULES:
        assert "Raises" in function.__doc__


FAULTY = {
    "no example": ("Add.\n", "no example"),
    "after a blank line": ("Add.\n\n>>> print(1)\n1\n\n2\n", "blank line"),
    "two blocks": ("Add.\n\n>>> print(1)\n1\n\nAnd so:\n\n>>> print(2)\n2\n", "blank line"),
    "nothing shown": ("Add.\n\n>>> x = 1\n>>> for i in []:\n...     pass\n", "shows nothing"),
    "skipped": ("Add.\n\n>>> print(1)  # doctest: +SKIP\n2\n", "directive"),
    "number": ("Add.\n\n>>> print(1.0)  # doctest: +NUMBER\n2.0\n", "directive"),
    "indented": ("Add.\n\nSo:\n\n    >>> print(1)\n    1\n", "indented"),
}


@pytest.mark.parametrize(("docstring", "fault"), FAULTY.values(), ids=FAULTY.keys())
def test_a_faulty_form_is_refused(docstring, fault):
    assert any(fault in found for found in form_faults(docstring))


WRONG = {
    "a wrong digit": ">>> 1.5\n    1.4",
    "ones for zeros": ">>> np.zeros(2)\n    array([1., 1.])",
    "an output that is not shown": ">>> 1.5",
    "an output that nothing printed": ">>> x = 1\n    1",
    "an error": ">>> 1 / 0\n    1",
    "another error": ">>> 1 / 0\n    Traceback (most recent call last):\n    ValueError: zero",
    "an error with another message": ">>> 1 / 0\n    Traceback (most recent call last):\n"
    "    ZeroDivisionError: something else",
    "a name from another docstring": ">>> made_elsewhere\n    1",
}


@pytest.mark.parametrize("example", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_example_is_refused_with_its_line(tmp_path, example):
    first = 'def first():\n    """Make.\n\n    >>> made_elsewhere = 1\n    """\n\n\n'
    source = f'{first}def f():\n    """Add.\n\n    {example}\n    """\n'
    path = tmp_path / "wrong.py"
    path.write_text(source)
    with pytest.raises(SybilFailure, match=r"line 11\b"):
        for document in documents(path):
            for found in document.examples():
                found.evaluate()

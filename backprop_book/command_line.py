"""The command that checks somebody's gradient: `python -m backprop_book check module:function`."""

import argparse
import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from backprop_book.checking import check_gradient, diagnosis
from backprop_book.rules import callback

F = TypeVar("F", bound=Callable[..., Any])

RIGHT, WRONG, UNUSABLE = 0, 1, 2
EXAMPLE_INPUTS = "__example_inputs__"


class _CannotCheckError(Exception):
    """What keeps the command from a verdict, in words for whoever typed it."""


def example_inputs(make: Callable[[np.random.Generator], Any]) -> Callable[[F], F]:
    """Give a function the inputs that it is to be checked with from the command line.

    `make(rng)` returns them as a tuple, or one array alone; the function itself is not changed.

    Raises TypeError for a `make` that cannot be called.

    >>> @example_inputs(lambda rng: rng.normal(size=(4, 3)))
    ... def double(x):
    ...     return 2 * x, lambda doutput: 2 * doutput
    >>> double(1.0)[0]
    2.0
    """

    callback("make", make, {})

    def decorate(function: F) -> F:
        setattr(function, EXAMPLE_INPUTS, make)
        return function

    return decorate


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with its arguments; return 0 for right, 1 for wrong, 2 for unusable.

    >>> main(["check", "backprop_book:relu", "--shape", "4,3"])
    the gradient is right
    input  shape  verdict  relative error  at  backward  measured
    z      (4,3)  right    < 1e-6
    0
    """
    options = _parser().parse_args(arguments)
    sys.path.insert(0, "")
    try:
        return _check(options)
    except _CannotCheckError as error:
        print(f"cannot check {options.function}: {error}", file=sys.stderr)
        return UNUSABLE
    finally:
        sys.path.remove("")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m backprop_book", description="Check gradients that you have written."
    )
    commands = parser.add_subparsers(required=True, metavar="check")
    told = "compare a backward with measured slopes; diagnose it if it is wrong"
    _add_arguments(commands.add_parser("check", help=told, description=told))
    return parser


def _add_arguments(check: argparse.ArgumentParser) -> None:
    check.add_argument("function", metavar="module:function", help="returns (output, backward)")
    check.add_argument(
        "--backward", metavar="module:function",
        help="for a function that returns its output alone: takes (doutput, *inputs)",
    )  # fmt: skip
    source = check.add_mutually_exclusive_group()
    source.add_argument(
        "--inputs", metavar="module:function",
        help="returns the inputs, given a random generator or nothing",
    )  # fmt: skip
    source.add_argument(
        "--shape", action="append", metavar="N,D", help="a random input of this shape; repeat it"
    )
    check.add_argument("--directions", type=int, metavar="K", help="sample K directions")
    check.add_argument(
        "--wrt", action="append", metavar="NAME", help="check this input, by name or number"
    )
    check.add_argument("--seed", type=int, default=0, help="of the random numbers (default 0)")


def _check(options: argparse.Namespace) -> int:
    function = _found(options.function)
    backward = _found(options.backward) if options.backward else None
    inputs = _inputs(options, function)
    rng = np.random.default_rng(options.seed)
    settings = {"backward": backward, "wrt": _wrt(options.wrt)}
    checked = _called(
        check_gradient, function, *inputs, directions=options.directions, rng=rng, **settings
    )
    print(checked)
    if checked:
        return RIGHT
    print()
    print(diagnosis(function, *inputs, rng=np.random.default_rng(options.seed), **settings))
    return WRONG


def _wrt(names: list[str] | None) -> list[int | str] | None:
    return [int(name) if name.isdigit() else name for name in names] if names else None


def _inputs(options: argparse.Namespace, function: Any) -> tuple[Any, ...]:
    rng = np.random.default_rng(options.seed)
    if options.shape:
        return tuple(rng.normal(size=_shape(text)) for text in options.shape)
    make = _found(options.inputs) if options.inputs else getattr(function, EXAMPLE_INPUTS, None)
    if make is None:
        raise _CannotCheckError(
            "it has no inputs; give --shape 4,3 for each, or --inputs module:function, or decorate "
            "it with backprop_book.example_inputs"
        )
    made = _called(_made, make, rng)
    return made if isinstance(made, tuple) else (made,)


def _made(make: Any, rng: np.random.Generator) -> Any:
    """Return what a maker makes, given a generator if it has an `rng` or needs an argument."""
    parameters = inspect.signature(make).parameters
    if "rng" in parameters and parameters["rng"].kind != inspect.Parameter.POSITIONAL_ONLY:
        return make(rng=rng)
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [p for p in parameters.values() if p.default is p.empty and p.kind not in several]
    return make(rng) if needed else make()


def _shape(text: str) -> tuple[int, ...]:
    try:
        lengths = tuple(int(part) for part in text.strip("()").split(",") if part.strip())
    except ValueError:
        lengths = (0,)
    if any(length < 1 for length in lengths):
        raise _CannotCheckError(f"--shape is {text!r}; it should be whole numbers, as 4,3 or 5")
    return lengths


def _found(text: str) -> Any:
    """Return what module:function names."""
    module_name, colon, name = text.partition(":")
    if not (module_name and colon and name):
        raise _CannotCheckError(f"{text!r} should be module:function, as layers:dense")
    try:
        value: Any = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever somebody's module raises is told
        raise _CannotCheckError(
            f"importing {module_name} failed with {type(error).__name__}: {error}{_where(error)}"
        ) from None
    for part in name.split("."):
        if not hasattr(value, part):
            raise _CannotCheckError(f"{module_name} has no {name}")
        value = getattr(value, part)
    if not callable(value):
        raise _CannotCheckError(f"{text} is no function")
    return value


def _called(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Return what a function returns, or say what it raised and where."""
    try:
        return function(*args, **kwargs)
    except Exception as error:  # whatever somebody's function raises is told
        raise _CannotCheckError(f"{type(error).__name__}: {error}{_where(error)}") from None


def _where(error: BaseException) -> str:
    """Say where an error was raised in somebody's code, if it was there."""
    frames = traceback.extract_tb(error.__traceback__)
    libraries = [Path(file).parent for file in (__file__, np.__file__, importlib.__file__)]
    not_theirs = ("<frozen", *map(str, libraries))
    theirs = [frame for frame in frames if not frame.filename.startswith(not_theirs)]
    if not theirs:
        return ""
    return f" (raised in {theirs[-1].name}, line {theirs[-1].lineno} of {theirs[-1].filename})"

"""Memory for time: keep what goes in, and compute the rest again. Written in chapter 20."""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from backprop_book.arrays import a_kind
from backprop_book.functional import vjp
from backprop_book.input_checks import of_a_function
from backprop_book.nested import mapped
from backprop_book.numerical import arrays_in
from backprop_book.operands import apply, highest, new_level, plain
from backprop_book.pushforward import is_floats
from backprop_book.tensor import Tensor, made

ANOTHER = (
    "the second run of a checkpointed function gave another output than the first; "
    "if it draws random numbers, pass it the generator, so that the draws can be repeated"
)
ONE_ARRAY = "it should return one array of floats"
NOT_AMONG = (
    "a checkpointed function uses a tensor that is not among its inputs, "
    "and its gradient would be lost; pass it to checkpoint"
)


@of_a_function
def checkpoint(f: Callable[..., Any], *inputs: Any) -> Any:
    """Return f(*inputs), and put on the tape the inputs alone: `backward` runs f again.

    inputs are tensors, arrays or dicts of them, and whatever else f takes. A random generator among
    them is copied, so that the second run draws what the first drew. It costs one more run of f
    (Chen et al., arXiv:1604.06174; Griewank, Optimization Methods and Software 1, 1992, 35-54).

    Raises ValueError if f uses a tensor that is not among the inputs, whose gradient would be lost,
    TypeError if f does not return one array, and RuntimeError, from `backward`, if the second run
    gives another output than the first.

    >>> from backprop_book import grad
    >>> float(grad(lambda x: checkpoint(np.sin, x))(0.0))
    1.0
    """

    def of_arrays(*arrays: Any) -> Any:
        rest = iter(arrays)
        return f(*(mapped(lambda _: next(rest), x) for x in inputs))

    return apply(forgetful(of_arrays), *arrays_in(inputs))


def forgetful(f: Callable[..., Any]) -> Callable[..., tuple[Any, Callable[[Any], Any]]]:
    """Return f as a function that returns (output, backward), and keeps its inputs and its output.

    >>> output, backward = forgetful(np.square)(np.array(3.0))
    >>> float(output), float(backward(1.0))
    (9.0, 6.0)
    """

    def run(*inputs: Any) -> tuple[Any, Callable[[Any], Any]]:
        kept = rewound(inputs)
        output = off_the_tape(f, inputs)

        def backward(doutput: Any) -> Any:
            again, backward_again = vjp_of_floats(f, rewound(kept))
            if not np.array_equal(plain(again), plain(output), equal_nan=True):
                raise RuntimeError(ANOTHER)
            return backward_again(doutput)

        return output, backward

    return run


def rewound(inputs: Iterable[Any]) -> list[Any]:
    """Return the inputs with copies of the random generators, as they stand now.

    >>> rng = np.random.default_rng(0)
    >>> (copy,) = rewound([rng])
    >>> rng.random() == copy.random()
    True
    """
    return [deepcopy(x) if isinstance(x, np.random.Generator) else x for x in inputs]


def off_the_tape(f: Callable[..., Any], inputs: Sequence[Any]) -> Any:
    """Return the array, or operand of a lower level, that f gives, with nothing recorded here.

    >>> off_the_tape(np.square, [np.array([3.0])])
    array([9.])
    """
    level = new_level()
    output = f(*(made(x, None, level) if is_floats(x) else x for x in inputs))
    value = output.value if isinstance(output, Tensor) and output.level == level else output
    if not is_floats(value):
        raise TypeError(f"a checkpointed function returned {a_kind(value)}; {ONE_ARRAY}")
    if level_of([value]) > level_of(inputs):
        raise ValueError(NOT_AMONG)
    return value


def level_of(values: Iterable[Any]) -> int:
    """Return the highest level among values, -1 if none is an operand.

    >>> level_of([np.ones(2)]), level_of([Tensor(1.0)])
    (-1, 0)
    """
    top = highest(values)
    return -1 if top is None else top.level


def vjp_of_floats(f: Callable[..., Any], inputs: Sequence[Any]) -> tuple[Any, Callable[[Any], Any]]:
    """Return the output of f, and its backward for the inputs that are arrays of floats.

    >>> vjp_of_floats(np.sum, [np.ones(2), 0])[1](1.0)
    array([1., 1.])
    """
    places = [i for i, x in enumerate(inputs) if is_floats(x)]

    def of_floats(*arrays: Any) -> Any:
        given = list(inputs)
        for i, array in zip(places, arrays, strict=True):
            given[i] = array
        return f(*given)

    return vjp(of_floats, *(inputs[i] for i in places))

"""Arrays that remember what they were made from, and send gradients back. Written in chapter 18."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from backprop_book.arrays import check_like
from backprop_book.kinds import ELEMENTWISE
from backprop_book.operands import Operand, apply, as_floats, pair, plain
from backprop_book.operations import matmul
from backprop_book.pushforward import is_floats
from backprop_book.regression import dense

RECORDING = contextvars.ContextVar("RECORDING", default=True)

SPARES_FIRST = {dense: {"with_dx": False}, matmul: {"with_da": False}}


@contextmanager
def recording(on: bool) -> Iterator[None]:
    """Switch the tape on or off for what is done inside, as `with recording(False):` does.

    Raises what is raised inside, and switches back before.

    >>> with recording(False):
    ...     (Tensor([1.0], requires_grad=True) * 2).requires_grad
    False
    """
    before = RECORDING.set(on)
    try:
        yield
    finally:
        RECORDING.reset(before)


def no_grad() -> contextlib.AbstractContextManager[None]:
    """Keep what is done inside off the tape, as `with no_grad():` does.

    >>> with no_grad():
    ...     (Tensor([1.0], requires_grad=True) * 2).requires_grad
    False
    """
    return recording(False)


CHANGED = (
    "was given an array of shape {} that has been changed in place since; "
    "make a new one instead, as x = x + 1 does"
)
LEAF = (
    "entries of a tensor that requires a gradient are set in place; "
    "do it under no_grad(), or on a tensor made of it"
)
NO_TAPE = (
    "this tensor is not on the tape: nothing that it was made of requires a gradient, "
    "or it was made under no_grad(), or detached"
)


class Node:
    """A step on the tape: where a gradient goes from here, and the `backward` that sends it there.

    parents has a node, or None for a constant, for each gradient that `backward` returns, and saved
    has the tensors it may need, each with its version. A leaf has no `backward`, and keeps its
    gradient in `grad`.

    >>> leaf = Node()
    >>> double = Node([leaf], lambda doutput: 2 * doutput, name="double")
    >>> double.keeps, leaf.keeps
    (False, True)
    """

    __slots__ = ("backward", "grad", "hooks", "keeps", "name", "parents", "saved")

    def __init__(
        self, parents: Any = (), backward: Any = None, saved: Any = (), name: str = ""
    ) -> None:
        """Begin without a gradient, which only a leaf will keep."""
        self.parents, self.backward, self.saved, self.name = parents, backward, saved, name
        self.grad: Any = None
        self.keeps = backward is None
        self.hooks: tuple[Any, ...] = ()

    def shares(self, gradient: Any) -> Iterator[tuple[Node, Any]]:
        """Yield the parents that want a gradient, each with its own.

        Raises RuntimeError if an array that the function was given has been changed in place.

        >>> node = Node([Node(), None], lambda doutput: (2 * doutput, 3 * doutput))
        >>> [share for parent, share in node.shares(1.0)]
        [2.0]
        """
        for tensor, version in self.saved:
            if tensor.version() != version:
                raise RuntimeError(f"{self.name} {CHANGED.format(tensor.shape)}")
        gradients = self.backward(gradient) if self.parents else ()
        if not isinstance(gradients, tuple):
            gradients = (gradients,)
        for parent, share in zip(self.parents, gradients, strict=True):
            if parent is not None:
                yield parent, share


def count_uses(output: Node) -> dict[Node, int]:
    """Return how often each step that an output depends on is used on the way to it.

    >>> x = Tensor(3.0, requires_grad=True)
    >>> list(count_uses((x * x).node).values())
    [0, 2]
    """
    uses = {output: 0}
    to_visit = [output]
    while to_visit:
        for parent in to_visit.pop().parents:
            if parent is None:
                continue
            if parent not in uses:
                uses[parent] = 0
                to_visit.append(parent)
            uses[parent] += 1
    return uses


def sweep(output: Node, given: Any) -> dict[Node, Any]:
    """Send a gradient back from an output; return those of the nodes that keep theirs.

    A node passes its gradient on once all that use it have added to it, as in chapter 7.

    >>> x = Tensor(3.0, requires_grad=True)
    >>> float(sweep((x * x).node, np.array(1.0))[x.node])
    6.0
    """
    waiting_for, total, kept = count_uses(output), {output: given}, {}
    ready = [output]
    while ready:
        node = ready.pop()
        gradient = total.pop(node)
        for hook in node.hooks:
            changed = hook(gradient)
            gradient = gradient if changed is None else changed
        if node.keeps:
            kept[node] = gradient
        for parent, share in node.shares(gradient):
            total[parent] = total[parent] + share if parent in total else share
            waiting_for[parent] -= 1
            if waiting_for[parent] == 0:
                ready.append(parent)
    return unshared(kept, given)


def unshared(gradients: dict[Node, Any], given: Any) -> dict[Node, Any]:
    """Copy the gradients that share their numbers with another, or with what was given.

    >>> same, one, two = np.ones(2), Node(), Node()
    >>> gradients = unshared({one: same, two: same}, given=None)
    >>> gradients[one] is same, gradients[two] is same
    (True, False)
    """
    seen = {id(given)}
    for node, gradient in gradients.items():
        if id(gradient) in seen or getattr(gradient, "base", None) is not None:
            gradients[node] = gradient.copy()
        seen.add(id(gradient))
    return gradients


def made(value: Any, node: Node | None, level: int) -> Tensor:
    """Return a tensor of an array that was computed, without copying it.

    >>> made(np.ones(2), node=None, level=0)
    Tensor([1., 1.])
    """
    tensor = Tensor.__new__(Tensor)
    tensor.value, tensor.node, tensor.level = value, node, level
    tensor._version, tensor._kept = 0, None
    return tensor


class Tensor(Operand):
    """An array that may be on the tape: `backward` on what was made of it fills its `grad`.

    data is a number, a list or an array, and is copied; whole numbers become float64. Where
    `requires_grad` is true, what is made of it goes on the tape: the operators, NumPy's functions
    and `apply` make new tensors.

    Raises TypeError for data that are no numbers.

    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> w.grad
    array([2., 4.])
    """

    __slots__ = ("_kept", "_version", "level", "node", "value")

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        """Copy the data."""
        self.value = np.array(as_floats(plain(data), name="data"))
        self.node = Node() if requires_grad else None
        self.level, self._version, self._kept = 0, 0, None

    def __repr__(self) -> str:
        shown = np.array2string(plain(self), separator=", ", prefix="Tensor(")
        return f"Tensor({shown}{', requires_grad=True' if self.requires_grad else ''})"

    @property
    def requires_grad(self) -> bool:
        """Whether what is made of this goes on the tape."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self.node is not None and self.node.parents:
            raise RuntimeError("this tensor was made of others; detach() gives one that was not")
        self.node = (self.node or Node()) if wanted else None

    @property
    def grad(self) -> Any:
        """The gradient that `backward` has added up so far, or None."""
        return None if self.node is None else self.node.grad

    @grad.setter
    def grad(self, gradient: Any) -> None:
        self.on_tape().grad = gradient

    def on_tape(self) -> Node:
        """Return the step that made this tensor, or raise RuntimeError if it is not on the tape.

        >>> (Tensor(3.0, requires_grad=True) * 2).on_tape().name
        'multiply'
        """
        if self.node is None:
            raise RuntimeError(NO_TAPE)
        return self.node

    def backward(self, gradient: Any = None) -> None:
        """Add to the `grad` of every leaf the gradient of this tensor with respect to it.

        gradient is that of a loss with respect to this tensor, of its shape; a tensor with one
        entry needs none, and has 1. It may be called again, and adds again.

        Raises RuntimeError if nothing here is on the tape, or an array was changed in place since;
        TypeError or ValueError for a gradient that is not like this tensor.

        >>> x = Tensor([1.0, 2.0], requires_grad=True)
        >>> (3 * x).backward(np.array([1.0, 10.0]))
        >>> x.grad
        array([ 3., 30.])
        """
        if gradient is None:
            if self.size != 1:
                raise ValueError(f"gradient is None; it should be an array of shape {self.shape}")
            gradient = np.ones_like(self.value)
        check_like("gradient", gradient, "the tensor", self)
        for node, found in sweep(self.on_tape(), gradient).items():
            node.grad = found if node.grad is None else node.grad + found

    def zero_grad(self) -> None:
        """Forget the gradient.

        >>> x = Tensor(2.0, requires_grad=True)
        >>> (3 * x).backward()
        >>> x.zero_grad(), x.grad
        (None, None)
        """
        self.grad = None

    def retain_grad(self) -> None:
        """Keep the gradient of a tensor that is no leaf.

        >>> h = 2 * Tensor(3.0, requires_grad=True)
        >>> h.retain_grad()
        >>> (h * h).backward()
        >>> float(h.grad)
        12.0
        """
        self.on_tape().keeps = True

    def register_hook(self, hook: Callable[[Any], Any]) -> None:
        """Call a function with each gradient that passes; what it returns, if any, goes on.

        It has to return a new array, and leave the one it is given as it is: others may have it.

        >>> x = Tensor(3.0, requires_grad=True)
        >>> x.register_hook(lambda gradient: print("passes", gradient))
        >>> (x * x).backward()
        passes 6.0
        """
        self.on_tape().hooks += (hook,)

    def detach(self) -> Tensor:
        """Return a tensor of the same array, off the tape.

        >>> Tensor(3.0, requires_grad=True).detach()
        Tensor(3.)
        """
        self.version()
        return made(plain(self.kept()), None, self.level)

    def numpy(self) -> Any:
        """Return the array, as `data` does.

        >>> Tensor([1.0, 2.0]).numpy()
        array([1., 2.])
        """
        return plain(self.data)

    @property
    def data(self) -> Any:
        """The array. It may be changed; a backward of what was made of it before will say so."""
        if self._kept is None:
            self._kept, self.value = self.value, self.value.copy()
        return self.value

    @data.setter
    def data(self, array: Any) -> None:
        self._version += array is self.value  # the same array: it was changed in place
        self.value, self._kept = np.array(as_floats(plain(array), name="data")), None

    def version(self) -> int:
        """Return how often the array was seen to have changed.

        >>> x = Tensor([1.0, 2.0])
        >>> x.data[0] = 5.0
        >>> x.version()
        1
        """
        if self._kept is not None and not np.array_equal(self.value, self._kept, equal_nan=True):
            self._version, self._kept = self._version + 1, self.value.copy()
        return self._version

    def kept(self) -> Any:
        """Return the array for the tape to keep: nobody else has it, so nobody can change it.

        >>> x = Tensor([1.0, 2.0])
        >>> x.kept() is x.data
        False
        """
        return self.value if self._kept is None else self._kept

    def carry(self, function: Callable[..., Any], inputs: Any, options: Any) -> Any:
        """Apply a function to inputs of which this is one, and put its `backward` on the tape.

        >>> x = Tensor([1.0, 2.0])
        >>> x.carry(matmul, [np.ones((1, 2)), Tensor([[1.0], [2.0]])], {})
        Tensor([[3.]])
        """
        values, parents, saved = [], [], []
        for x in inputs:
            mine = isinstance(x, Tensor) and x.level == self.level
            if mine:
                saved.append((x, x.version()))
            values.append(x.kept() if mine else x)
            if mine or is_floats(x):
                parents.append(x.node if mine else None)
        output, backward = pair(function, values, options)
        if function in ELEMENTWISE and isinstance(output, Operand):
            output = apply(function, *values, **options)
        if not any(parents) or not RECORDING.get():
            return made(output, None, self.level)
        if parents[0] is None and function in SPARES_FIRST:
            backward = partial(backward, **SPARES_FIRST[function])
        name = getattr(function, "__name__", "a function")
        return made(output, Node(parents, backward, saved, name), self.level)

    def become(self, other: Any) -> None:
        """Take another's array and its place on the tape.

        Raises RuntimeError for a leaf. Under `no_grad` a leaf takes the array alone, which counts
        as a change in place, and stays the leaf it is.

        >>> x = Tensor([1.0, 2.0])
        >>> x.become(Tensor([1.0, 5.0]))
        >>> x
        Tensor([1., 5.])
        """
        is_leaf = self.node is not None and not self.node.parents
        if is_leaf and RECORDING.get():
            raise RuntimeError(LEAF)
        if is_leaf:
            self._version += 1
            self.value = other.value if other.level == self.level else plain(other)
        else:
            if other.node is not None:  # it was made of the old self, which is no more
                other.node.saved = [pair for pair in other.node.saved if pair[0] is not self]
            self.value, self.node, self.level = other.value, other.node, other.level
        self._kept = None

"""What a change reaches where values keep their gradients: `loss.backward()` changes its leaves.

Such a value is an object, and knows those that it was made from. A method in `METHODS`, one of
PyTorch's that change in place (`fill_`), and an assignment within what an object holds count as
changes of each value that the object was made from. And whatever is changed in place, all that was
made from it counts as changed: so a list of parameters with the parameters. A function's calls
change what its body does.

Which values keep a gradient is guessed: what a class or PyTorch had a part in, and what a page asks
for its `grad`. So arrays do not, though tensors be made from them, and are not taken for changed.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

METHODS = {"backward", "step", "zero_grad", "retain_grad", "register_hook"}
ASKED = METHODS | {"grad", "requires_grad"}
ARGUMENTS = "the arguments of a call"
CLASS_NAME = re.compile(r"[A-Z]\w*[a-z]")


@dataclass
class Step:
    """What a statement does with names.

    It sets attributes of those in `placed`, augments those in `augmented`, and changes what those
    in `touched` hold. Those in `asked` it takes for values with gradients, and those in `hooked`
    are called when these are there. `calls` holds functions, each with the names in its arguments.
    `sure` tells that the statement runs, `alias` that what it stores is a part of what it uses.
    """

    used: set[str]
    stored: set[str]
    changed: set[str]
    sure: bool
    alias: bool = False
    placed: set[str] = field(default_factory=set)
    augmented: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    hooked: set[str] = field(default_factory=set)
    calls: list[tuple[str, set[str]]] = field(default_factory=list)


@dataclass
class Body:
    """The body of a function: its parameters, its statements, and the functions it defines."""

    parameters: set[str]
    steps: list[Step]
    bodies: dict[str, "Body"]


@dataclass
class Makings:
    """What values are made from, as the statements run one after another.

    `late` holds what functions read when called, `acts` the names that their calls touch, and
    `ARGUMENTS` there stands for what they are given. `latest` holds the value of each name, under a
    name of its own: another for each time that the name is bound. `sources` tells what a value is
    made from, `aliases` which are a part of that, and `marks` which keep gradients.
    """

    marks: set[str]
    late: dict[str, set[str]] = field(default_factory=dict)
    acts: dict[str, set[str]] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)
    sources: dict[str, set[str]] = field(default_factory=dict)
    aliases: set[str] = field(default_factory=set)

    def follow(self, step: Step) -> set[str]:
        """Return the names whose values a statement changes beside those it names."""
        touched, placed = step.touched, self._values(step.placed)
        for function, arguments in step.calls:
            acts = self.acts.get(function, set())
            touched = touched | acts - {ARGUMENTS} | (arguments if ARGUMENTS in acts else set())
        parts = (placed | self._values(step.augmented)) & self.aliases
        reached = self._reached(self._values(touched) | parts, placed)
        self._store(step)
        return {name for name, value in self.latest.items() if value in reached}

    def define(self, name: str, body: Body, outside: set[str]) -> None:
        """Note which names a function's calls touch: its arguments, or some from outside it."""
        local = set().union(*(step.stored for step in body.steps)) | body.parameters
        watched = {name: name for name in body.parameters | outside}
        sources: dict[str, set[str]] = {name: set() for name in watched}
        inside = Makings(set(watched), self.late, dict(self.acts), watched, sources)
        for inner in body.bodies.items():
            inside.define(*inner, set(sources))
        acts: set[str] = set()
        for step in body.steps:
            acts |= {name for name in inside.follow(step) if inside.latest[name] == name}
            self.marks |= self._values(step.asked - local)
        arguments = {ARGUMENTS} if acts & body.parameters else set()
        self.acts[name] = acts - body.parameters | arguments

    def _values(self, names: set[str]) -> set[str]:
        return {self.latest.get(name, name) for name in names}

    def _reached(self, touched: set[str], placed: set[str]) -> set[str]:
        if not touched | placed:
            return set()
        origins = {value: reach({value}, self.sources) for value in self.sources}
        holders = {value for value in origins if origins[value] & self.marks}
        changed = (reach(touched, self.sources) | placed) & holders
        return {value for value in holders if origins[value] & changed}

    def _store(self, step: Step) -> None:
        """Note what is made from what, and which values keep gradients."""
        parts, used = self._values(step.used), self._values(reach(step.used, self.late))
        self.marks |= self._values(step.asked | reach(step.hooked, self.late))
        for name in sorted(step.stored | step.changed):
            if name in step.stored and (step.sure or name not in self.latest):
                self.latest[name] = f"{name}, bound as number {len(self.sources)}"
            value = self.latest.get(name, name)
            self.sources[value] = self.sources.get(value, set()) | used - {value}
            if step.alias:
                self.aliases.add(value)
                self.marks |= parts & self.sources.keys() if value in self.marks else set()


def reach(names: set[str], onward: dict[str, set[str]]) -> set[str]:
    """Return the names, what a map leads to from them, and so on."""
    reached: set[str] = set()
    queue = set(names)
    while queue:
        name = queue.pop()
        reached.add(name)
        queue |= onward.get(name, set()) - reached
    return reached


def is_engine_method(name: str) -> bool:
    """Tell whether a method of this name changes an object that keeps a gradient."""
    return name in METHODS or (name.endswith("_") and not name.startswith("_"))


def placed_by(node: ast.AST) -> set[str]:
    """Return the names of whose values a statement sets an attribute."""
    return {part.id for part in _within_assigned(node) if isinstance(part, ast.Name)}


def touched_by(node: ast.AST) -> set[str]:
    """Return the names of whose values a statement changes a part, or calls a method that does."""
    assigned = [part for part in _within_assigned(node) if not isinstance(part, ast.Name)]
    calls = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
    methods = [call.func for call in calls if isinstance(call.func, ast.Attribute)]
    called = [method for method in methods if is_engine_method(method.attr)]
    return set().union(*map(loaded, [*assigned, *called]))


def _within_assigned(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what has an attribute that is assigned to, or in which something is assigned to."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute | ast.Subscript) and not isinstance(part.ctx, ast.Load):
            yield from (n.value for n in ast.walk(part) if isinstance(n, ast.Attribute))


def augmented_by(node: ast.AST) -> set[str]:
    """Return the name that a statement augments."""
    target = node.target if isinstance(node, ast.AugAssign) else None
    return {target.id} if isinstance(target, ast.Name) else set()


def calls_in(node: ast.AST) -> list[tuple[str, set[str]]]:
    """Return the functions that a statement calls by name, and the names in their arguments."""
    calls = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
    return [(call.func.id, loaded(call)) for call in calls if isinstance(call.func, ast.Name)]


def asked_by(node: ast.AST) -> set[str]:
    """Return the names that a piece of code asks for a gradient."""
    parts = (part for part in ast.walk(node) if isinstance(part, ast.Attribute))
    return {name for part in parts if part.attr in ASKED for name in root(part)}


def hooked_by(node: ast.AST) -> set[str]:
    """Return the names in what a piece of code registers, to be called when a gradient is there."""
    calls = (n for n in ast.walk(node) if isinstance(n, ast.Call))
    return {
        name
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr.startswith("register_")
        for argument in call.args
        for name in loaded(argument)
    }


def makers_of(node: ast.Import | ast.ImportFrom) -> set[str]:
    """Return those of the imported names that make objects, by their names, or as PyTorch's."""
    module = getattr(node, "module", None) or ""
    return {
        alias.asname or alias.name.split(".")[0]
        for alias in node.names
        if CLASS_NAME.fullmatch(alias.name) or f"{module or alias.name}.".startswith("torch.")
    }


def loaded(node: ast.AST) -> set[str]:
    """Return the names that a piece of code reads."""
    names = (n for n in ast.walk(node) if isinstance(n, ast.Name))
    return {n.id for n in names if isinstance(n.ctx, ast.Load)}


def root(node: ast.expr) -> Iterator[str]:
    """Yield the name that an element or an attribute is of, if it is of a name's value."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id

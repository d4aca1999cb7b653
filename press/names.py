"""What each snippet of a page does with names: which it reads, binds and changes in place.

The snippets are read in order, and what is known of a name goes on from one to the next: which
functions its value may run, whether each use moves it on (a random generator, an iterator), and
which other names share what it holds. Where Python would have to run to tell, this errs on the side
of a snippet too many; the tests run each snippet with only what it is said to need.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

MUTATORS = {
    *("append", "extend", "insert", "update", "setdefault", "pop", "popitem", "remove", "clear"),
    *("sort", "reverse", "add", "discard", "fill", "resize", "partition", "put", "setflags"),
    *("appendleft", "popleft", "rotate", "move_to_end", "send", "write", "seek"),
}
"""Methods that change what they are called on."""

ARGUMENT_CHANGERS = {
    *("next", "setattr", "delattr", "copyto", "fill_diagonal", "put", "place", "putmask", "at"),
    *("shuffle", "heappush", "heappop", "heapify"),
}
"""Functions that change their first argument."""

SETTERS = {"set_printoptions", "seterr", "setrecursionlimit"}
"""Functions that change how everything after them runs or prints."""

VIEWS = {"reshape", "ravel", "view", "transpose", "squeeze", "items", "values", "get", "asarray"}
"""Functions whose result shares what they are given or called on."""

COPIES = {"shape", "size", "ndim", "dtype"}
"""Attributes that share nothing with what they are of."""

GENERATOR_MAKERS = {"default_rng", "RandomState", "Random"}
ITERATOR_MAKERS = {"iter", "zip", "map", "filter", "enumerate", "reversed", "iterate_minibatches"}
GLOBAL_GENERATOR = "numpy's global generator"
SESSION = "the session's settings"

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass
class Names:
    """What a snippet does with names.

    `reads` are those whose earlier value it needs, `binds` those that it surely gives a new value,
    `changes` those that it changes in place or only perhaps binds; `bodies_read` are those that the
    functions it defines will read.
    """

    reads: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    bodies_read: set[str] = field(default_factory=set)


@dataclass(frozen=True, eq=False)
class Body:
    """What running a function does with names outside it, and the functions that it hands out.

    A class is a body that hands out its methods.
    """

    name: str
    reads: frozenset[str]
    changes: frozenset[str]
    changes_argument: bool = False
    yields: bool = False
    calls: frozenset[str] = frozenset()
    made: tuple["Body", ...] = ()


@dataclass(frozen=True)
class Fact:
    """What is known of a value.

    The functions it may run, the names it shares something with, whether each use moves it on, and
    whether it holds what it was made from, as a closure or an instance of a class of the page does.
    """

    bodies: frozenset[Body] = frozenset()
    shares: frozenset[str] = frozenset()
    moves: bool = False
    holds: bool = False


NOTHING = Fact()


def names_of(sources: list[str]) -> list[Names]:
    """Return what each snippet of a page does with names."""
    facts: dict[str, Fact] = {}
    return [_read(source, facts) for source in sources]


def _read(source: str, facts: dict[str, Fact]) -> Names:
    reader = Reader(facts)
    for statement in ast.parse(source).body:
        reader.ran = set()
        reader.visit(statement)
    reader.names.reads.add(SESSION)
    return reader.names


class Reader(ast.NodeVisitor):
    """Goes through code in the order it runs; `own` holds a function's own names, else None."""

    def __init__(self, facts: dict[str, Fact], own: set[str] | None = None) -> None:
        """Begin with what is known of names so far."""
        self.facts = facts
        self.own = own
        self.names = Names()
        self.hidden: set[str] = set()  # the targets of the comprehensions around
        self.own_changes: set[str] = set()
        self.made: list[Body] = []
        self.calls: set[str] = set()
        self.ran: set[Body] = set()

    # What happens to a name

    def use(self, name: str) -> None:
        """Note that a name's value is read, and what that may run."""
        if name in self.hidden or name in (self.own or ()):
            return
        if name not in self.names.binds:
            self.names.reads.add(name)
        if self.own is None:
            fact = self._known(name)
            if fact.moves:
                self.change(name)
            for body in fact.bodies:
                self.run(body)

    def run(self, body: Body) -> None:
        """Note what a function does, as if it were called here."""
        if body not in self.ran:
            self.ran.add(body)
            for name in body.reads:
                self.use(name)
            for name in body.changes:
                self.change(name)

    def change(self, name: str) -> None:
        """Note that what a name holds, and whatever shares it, is changed in place."""
        if name in self.hidden:
            return
        for shared in self._sharing(name):
            (self.own_changes if shared in (self.own or ()) else self.names.changes).add(shared)

    def bind(self, name: str, fact: Fact = NOTHING) -> None:
        """Note that a name gets a new value."""
        if name in self.hidden:
            return
        self._forget(name)
        self.facts[name] = fact
        if name not in (self.own or ()):
            self.names.binds.add(name)

    def _sharing(self, name: str) -> set[str]:
        above = self._above(name)
        below = {other for other in self.facts if name in self._above(other)}
        return above | below

    def _above(self, name: str) -> set[str]:
        found, queue = set(), [name]
        while queue:
            found.add(name := queue.pop())
            queue.extend(self._known(name).shares - found)
        return found

    def _forget(self, name: str) -> None:
        old = self.facts.pop(name, NOTHING)
        for other, fact in list(self.facts.items()):
            if name in fact.shares:
                shares = (fact.shares - {name} | old.shares) - {other}
                self.facts[other] = replace(fact, shares=shares)

    # Names, and what is assigned to them

    def visit_Name(self, node: ast.Name) -> None:  # noqa: D102
        if isinstance(node.ctx, ast.Store):
            self.bind(node.id)
        else:
            self.use(node.id)

    def visit_Subscript(self, node: ast.Subscript | ast.Attribute) -> None:  # noqa: D102
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            for name in _root(node):
                self.change(name)

    def visit_Attribute(self, node: ast.Attribute) -> None:  # noqa: D102
        self.visit_Subscript(node)
        if ast.unparse(node.value) in ("np.random", "numpy.random") and node.attr.islower():
            if node.attr == "seed":
                self.bind(GLOBAL_GENERATOR)
            elif node.attr not in GENERATOR_MAKERS:
                self.use(GLOBAL_GENERATOR)
                self.change(GLOBAL_GENERATOR)

    def visit_Assign(self, node: ast.Assign) -> None:  # noqa: D102
        self._visit_value(node.value)
        for target in node.targets:
            self._assign(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:  # noqa: D102
        self.visit(node.annotation)
        if node.value:
            self._visit_value(node.value)
            self._assign(node.target, node.value)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:  # noqa: D102
        self.visit(node.value)
        self._assign(node.target, node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:  # noqa: D102
        self.visit(node.value)
        for name in _root(node.target):
            self.use(name)
            self.change(name)
        if not isinstance(node.target, ast.Name):
            self.generic_visit(node.target)

    def _visit_value(self, value: ast.expr) -> None:
        if isinstance(value, ast.Lambda) and self.own is None:
            self._visit_signature(value)
            self.names.bodies_read |= self._body(value).reads - self.names.binds
        else:
            self.visit(value)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        known = [(part, self._fact(of)) for part, of in _pairs(target, value)]
        for part, fact in known:
            self.visit(part)
            for name in _stored(part):
                self.facts[name] = replace(fact, shares=fact.shares - {name})

    # Statements with parts

    def visit_For(self, node: ast.For) -> None:  # noqa: D102
        self.visit(node.iter)
        fact = self._fact(node.iter)
        self.visit(node.target)
        for name in _stored(node.target):
            self.facts[name] = replace(fact, shares=self._elements_of(node.iter), moves=False)
        for statement in node.body + node.orelse:
            self.visit(statement)

    def _elements_of(self, iterable: ast.expr) -> frozenset[str]:
        apart = {name for name in self.facts if self.facts[name].moves}
        return frozenset(_mentioned(iterable)) - apart - set(_callees(iterable))

    def visit_If(self, node: ast.If) -> None:  # noqa: D102
        self.visit(node.test)
        self._branches(node.body, node.orelse)

    def visit_Try(self, node: ast.Try) -> None:  # noqa: D102
        self._branches(node.body + node.orelse, *([handler] for handler in node.handlers))
        for statement in node.finalbody:
            self.visit(statement)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:  # noqa: D102
        if node.type:
            self.visit(node.type)
        if node.name:
            self.bind(node.name)
        for statement in node.body:
            self.visit(statement)

    def visit_Match(self, node: ast.Match) -> None:  # noqa: D102
        self.visit(node.subject)
        self._branches([], *([case] for case in node.cases))

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:  # noqa: D102
        self.generic_visit(node)
        if node.name:
            self.bind(node.name)

    visit_MatchStar = visit_MatchAs

    def _branches(self, *branches: Sequence[ast.AST]) -> None:
        """Read code of which one part runs: only what each part binds is surely bound."""
        before = self.names.binds
        bound = [self._branch(branch, before) for branch in branches]
        self.names.changes |= set().union(*bound)
        self.names.binds = before | set.intersection(*bound)

    def _branch(self, nodes: Sequence[ast.AST], before: set[str]) -> set[str]:
        self.names.binds = set(before)
        for node in nodes:
            self.visit(node)
        return self.names.binds - before

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:  # noqa: D102
        for alias in node.names:
            moves = alias.name == "random" and isinstance(node, ast.Import)
            self.bind(alias.asname or alias.name.split(".")[0], Fact(moves=moves))

    visit_ImportFrom = visit_Import

    # Calls

    def visit_Call(self, node: ast.Call) -> None:  # noqa: D102
        self.generic_visit(node)
        called = _last_name(node.func)
        self.calls.add(called)
        for name in self._changed_by(node, called):
            self.change(name)

    def _changed_by(self, node: ast.Call, called: str) -> Iterator[str]:
        if called in SETTERS:
            yield SESSION
        if called in ARGUMENT_CHANGERS and node.args:
            yield from _root(node.args[0])
        if isinstance(node.func, ast.Attribute) and called in MUTATORS:
            yield from _root(node.func.value)
        for keyword in node.keywords:
            if keyword.arg == "out":
                yield from _root(keyword.value)
        if any(body.changes_argument for body in self._called(node.func, called)):
            for argument in [node.func, *node.args, *(k.value for k in node.keywords)]:
                yield from _root(argument)

    def _called(self, func: ast.expr, called: str) -> Iterator[Body]:
        """Yield the functions of the page that a call may run."""
        for name in _root(func):
            bodies = self._known(name).bodies
            wanted = "__call__" if isinstance(func, ast.Name) else called
            named = [body for body in bodies if body.name == wanted]
            yield from named or (bodies if isinstance(func, ast.Name) else ())

    # Functions, lambdas, classes and comprehensions

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:  # noqa: D102
        self._visit_signature(node)
        body = self._body(node)
        self.bind(node.name, Fact(frozenset({body})))
        self._note_made(body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:  # noqa: D102
        self._visit_signature(node)
        body = self._body(node)
        self._note_made(body)
        self.run(body)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:  # noqa: D102
        for part in [*node.decorator_list, *node.bases, *node.keywords]:
            self.visit(part)
        body = self._class_body(node)
        self.bind(node.name, Fact(frozenset({body})))
        self._note_made(body)

    def _note_made(self, body: Body) -> None:
        if self.own is None:
            self.names.bodies_read |= body.reads - self.names.binds
        else:
            self.made.append(body)
            self.run(body)

    def _visit_signature(self, node: Function) -> None:
        self.visit(node.args)
        if not isinstance(node, ast.Lambda):
            for part in [*node.decorator_list, *([node.returns] if node.returns else [])]:
                self.visit(part)

    def _body(self, node: Function) -> Body:
        statements = [node.body] if isinstance(node, ast.Lambda) else node.body
        arguments = {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
        own = arguments | _locals(statements)
        facts = {name: fact for name, fact in self.facts.items() if name not in own}
        inner = Reader(facts, own)
        for statement in statements:
            inner.visit(statement)
        return Body(
            node.name if isinstance(node, ast.FunctionDef) else "",
            frozenset(inner.names.reads),
            frozenset(inner.names.changes | inner.names.binds),
            bool(inner.own_changes & arguments),
            any(isinstance(part, ast.Yield | ast.YieldFrom) for part in ast.walk(node)),
            frozenset(inner.calls),
            tuple(inner.made),
        )

    def _class_body(self, node: ast.ClassDef) -> Body:
        inner = Reader(dict(self.facts), _locals(node.body))
        functions = [part for part in node.body if isinstance(part, ast.FunctionDef)]
        for part in node.body:
            inner._visit_signature(part) if part in functions else inner.visit(part)
        for name in inner.names.reads:
            self.use(name)
        methods = _with_indirect_changes([self._body(function) for function in functions])
        reads = frozenset().union(*(method.reads for method in methods))
        changes = frozenset().union(*(method.changes for method in methods))
        return Body(node.name, reads, changes, made=tuple(methods))

    def visit_ListComp(self, node: Comprehension) -> None:  # noqa: D102
        self.visit(node.generators[0].iter)
        outside = self.hidden
        self.hidden = outside | set().union(*(_stored(g.target) for g in node.generators))
        for part in node.generators:
            self._visit_all([*([part.iter] if part is not node.generators[0] else []), *part.ifs])
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._visit_all(parts)
        self.hidden = outside

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def _visit_all(self, nodes: list[ast.expr]) -> None:
        for node in nodes:
            self.visit(node)

    # What is known of a value

    def _fact(self, value: ast.expr) -> Fact:
        if isinstance(value, ast.Name | ast.Attribute | ast.Subscript):
            return self._fact_of_part(value)
        called = {name for name in _callees(value) if name in self.facts}
        handed_on = set(_mentioned(value)) - called
        made = {made for body in self._reachable(called) for made in body.made}
        moves = self._moves(value)
        shares = set(_shared(value)) | (handed_on if made else self._held(handed_on, moves))
        bodies = frozenset(made | self._bodies(value, handed_on))
        holds = bool(made) or any(self._known(name).holds for name in handed_on)
        return Fact(bodies, frozenset(shares), moves, holds)

    def _known(self, name: str) -> Fact:
        return self.facts.get(name, NOTHING)

    def _fact_of_part(self, value: ast.expr) -> Fact:
        roots = frozenset(_root(value))
        known = [self._known(name) for name in roots]
        bodies = frozenset().union(*(fact.bodies for fact in known))
        moves, holds = any(fact.moves for fact in known), any(fact.holds for fact in known)
        return Fact(bodies, roots, moves, holds)

    def _held(self, names: set[str], moves: bool) -> set[str]:
        """Return the names that a result goes on holding: objects, what an iterator draws on."""
        known = {name: self._known(name) for name in names}
        return {name for name, fact in known.items() if fact.holds or (moves and fact.moves)}

    def _bodies(self, value: ast.expr, handed_on: set[str]) -> set[Body]:
        """Return the functions that an expression hands on: by their names, or as lambdas."""
        lambdas = [node for node in ast.walk(value) if isinstance(node, ast.Lambda)]
        named = {body for name in handed_on for body in self._known(name).bodies}
        return named | {self._body(node) for node in lambdas}

    def _reachable(self, names: set[str]) -> set[Body]:
        """Return the functions that calling these names may run, directly or not."""
        found: set[Body] = set()
        queue = list(names)
        while queue:
            new = self._known(queue.pop()).bodies - found
            found |= new
            queue.extend(name for body in new for name in body.reads)
        return found

    def _moves(self, value: ast.expr) -> bool:
        if isinstance(value, ast.GeneratorExp):
            return True
        if not isinstance(value, ast.Call):
            return False
        called = _last_name(value.func)
        yields = any(body.yields for body in self._called(value.func, called))
        return yields or called in GENERATOR_MAKERS | ITERATOR_MAKERS


def _with_indirect_changes(methods: list[Body]) -> list[Body]:
    """Mark the methods that change their object by calling a method that does."""
    changing = {method.name for method in methods if method.changes_argument}
    more = {method.name for method in methods if method.calls & changing}
    if more <= changing:
        return methods
    marked = [m if m.name not in more else replace(m, changes_argument=True) for m in methods]
    return _with_indirect_changes(marked)


def _root(node: ast.AST) -> Iterator[str]:
    """Yield the name that an element, an attribute or a view of it belongs to, if there is one."""
    while True:
        if isinstance(node, ast.Attribute) and node.attr in COPIES:
            return
        if isinstance(node, ast.Subscript | ast.Attribute | ast.Starred):
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr not in VIEWS:
                return
            node = node.args[0] if node.func.attr == "asarray" and node.args else node.func.value
        else:
            break
    if isinstance(node, ast.Name):
        yield node.id


def _shared(value: ast.AST) -> Iterator[str]:
    """Yield the names whose values an expression's result holds, not copies of them."""
    if isinstance(value, ast.List | ast.Tuple | ast.Set | ast.Dict):
        for part in ast.iter_child_nodes(value):
            yield from _shared(part)
    elif isinstance(value, ast.IfExp):
        yield from (*_shared(value.body), *_shared(value.orelse))
    else:
        yield from _root(value)


def _mentioned(value: ast.AST) -> Iterator[str]:
    names = (node for node in ast.walk(value) if isinstance(node, ast.Name))
    return (name.id for name in names if isinstance(name.ctx, ast.Load))


def _callees(value: ast.AST) -> Iterator[str]:
    calls = (node.func for node in ast.walk(value) if isinstance(node, ast.Call))
    return (func.id for func in calls if isinstance(func, ast.Name))


def _last_name(func: ast.expr) -> str:
    return ast.unparse(func).rpartition(".")[2]


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield each target with the expression it gets; a tuple of both sorts is taken apart."""
    both = isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List)
    if both and len(target.elts) == len(value.elts):  # type: ignore[attr-defined]
        for pair in zip(target.elts, value.elts, strict=True):  # type: ignore[attr-defined]
            yield from _pairs(*pair)
    else:
        yield target, value


def _locals(statements: list[ast.stmt] | list[ast.expr]) -> set[str]:
    parts = [part for statement in statements for part in ast.walk(statement)]
    outside = {n for p in parts if isinstance(p, ast.Global | ast.Nonlocal) for n in p.names}
    return set().union(*(_stored(statement) for statement in statements)) - outside


def _stored(node: ast.AST) -> set[str]:
    """Return the names that code binds in its own scope."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Store) else set()
    if isinstance(node, ast.comprehension | ast.Lambda):
        return set()
    own = {node.name} if isinstance(node, ast.ExceptHandler | ast.MatchAs) and node.name else set()
    return own.union(*(_stored(child) for child in ast.iter_child_nodes(node)))

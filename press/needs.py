"""Work out which earlier snippets of a page a snippet needs, from the names they use and define.

A name that is changed in place counts as defined again by the snippet that changes it: by `+=`, by
assigning to an element or an attribute, by a method in `MUTATORS`, by `next`, and, for what each
use moves on (a random generator, an iterator), by any use at all. What `loss.backward()` changes
beside `loss`, and the like, `press.engines` tells.

Other aliases are not followed, nor what a function does to its arguments. That is for the tests:
they run each snippet with only what it is said to need, and refuse the page if it then does
something else.
"""

import ast
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from press import engines
from press.engines import Body, Makings, Step, loaded, reach, root

MUTATORS = {"append", "extend", "insert", "update", "setdefault", "pop", "popitem", "remove",
            "clear", "sort", "reverse", "add", "discard", "fill", "record"}  # fmt: skip
MOVERS = {"default_rng", "RandomState", "iter", "zip", "map", "filter", "enumerate", "reversed",
          "iterate_minibatches"}  # fmt: skip
"""What makes values that each use moves on."""

GLOBAL_GENERATOR = "numpy's global generator"

COMPOUND = (ast.For, ast.While, ast.If, ast.With, ast.withitem, ast.Try, ast.ExceptHandler)
CONDITIONAL = (ast.While, ast.If, ast.Try)


@dataclass
class Names:
    """What a snippet does with names; `late` holds what each function's body reads when called.

    `functions` are bound to functions, and `makers` make values that keep gradients.
    """

    reads: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    late: dict[str, set[str]] = field(default_factory=dict)
    moving: set[str] = field(default_factory=set)
    steps: list[Step] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    makers: set[str] = field(default_factory=set)
    bodies: dict[str, Body] = field(default_factory=dict)


def needs(sources: list[str]) -> list[list[int]]:
    """Return, for each snippet, the indices of the earlier snippets it needs, in order."""
    snippets = [names_of(source) for source in sources]
    moving = {GLOBAL_GENERATOR}.union(*(names.moving for names in snippets))
    for names in snippets:
        names.changes |= names.reads.union(names.binds, *names.late.values()) & moving
    _follow_engines(snippets)
    return [_needs_of(i, snippets) for i in range(len(snippets))]


def _follow_engines(snippets: list[Names]) -> None:
    """Add to what each snippet changes all that its changes reach.

    A page may tell late which values keep gradients, so it is gone through until it tells no more.
    """
    stored = set().union(*(step.stored for names in snippets for step in names.steps))
    marks, told = set().union(*(names.makers for names in snippets)), -1
    while told < len(marks):
        told, makings = len(marks), Makings(marks)
        for names in snippets:
            makings.late |= {name: names.late.get(name, set()) for name in names.functions}
            for function, body in names.bodies.items():
                makings.define(function, body, stored)
            names.changes |= set().union(*map(makings.follow, names.steps))


def _needs_of(i: int, snippets: list[Names]) -> list[int]:
    wanted = _with_late_reads(snippets[i].reads, i, snippets)
    found = []
    for j in range(i - 1, -1, -1):
        names = snippets[j]
        if wanted & (names.binds | names.changes):
            found.append(j)
            wanted -= names.binds - names.reads
            wanted |= _with_late_reads(names.reads, j, snippets)
    return found[::-1]


def _with_late_reads(wanted: set[str], i: int, snippets: list[Names]) -> set[str]:
    """Add what the bodies of the wanted functions read, as those stand when snippet i runs."""
    late: dict[str, set[str]] = {}
    for names in snippets[: i + 1]:
        for name, read in names.late.items():  # a class that extends its draft reads what that does
            late[name] = read | (late.get(name, set()) if name in names.reads else set())
    return reach(wanted, late)


def names_of(source: str) -> Names:
    """Return what a snippet does with names, its statements taken in the order they run."""
    return _names_of_body(ast.parse(source).body)


def _names_of_body(body: list[ast.stmt]) -> Names:
    names = Names()
    for step, sure in _steps(body):
        if isinstance(step, ast.FunctionDef | ast.ClassDef):
            _note_definition(step, names)
        else:
            _note_step(step, sure, names)
    called = (names.late.get(name, set()) for name in names.reads | names.binds)
    names.reads |= set().union(*called) - names.binds
    return names


def _steps(nodes: Iterable[ast.AST], sure: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    """Yield a body's statements, and of a compound one its parts, and whether each surely runs."""
    for node in nodes:
        if isinstance(node, COMPOUND):
            yield from _steps(_in_running_order(node), sure and not isinstance(node, CONDITIONAL))
        else:
            yield node, sure


def _in_running_order(node: ast.AST) -> list[ast.AST]:
    """Return a node's children; a target is bound to a part of what is looped over or entered."""
    children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.For):
        children[:2] = [_binding(node.target, node.iter)]
    if isinstance(node, ast.withitem) and node.optional_vars:
        children = [_binding(node.optional_vars, node.context_expr)]
    if isinstance(node, ast.ExceptHandler) and node.name:
        children[1:1] = [ast.Name(node.name, ast.Store())]
    return children


def _binding(target: ast.expr, whole: ast.expr) -> ast.AST:
    part = ast.Subscript(whole, ast.Constant(0), ast.Load())
    return ast.copy_location(ast.Assign([target], part), whole)


def _note_definition(node: ast.FunctionDef | ast.ClassDef, names: Names) -> None:
    table = _table(node)
    read, before = _referenced(table), names.late.get(node.name, set())
    names.reads |= read - names.binds
    names.binds.add(node.name)
    inner = {n for scope in table.get_children() for n in _free(scope)}
    names.late[node.name] = inner | (before if node.name in read else set())
    if _uses_global_generator(node):
        names.late[node.name].add(GLOBAL_GENERATOR)
    if isinstance(node, ast.ClassDef):
        names.makers.add(node.name)
    else:
        _note_body(node, names)


def _note_body(node: ast.FunctionDef, names: Names) -> None:
    inside = _names_of_body(node.body)
    parameters = {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
    names.functions.add(node.name)
    names.bodies[node.name] = Body(parameters, inside.steps, inside.bodies)


def _note_step(step: ast.AST, sure: bool, names: Names) -> None:
    table = _table(step)
    inner = {n for scope in table.get_children() for n in _free(scope)}
    stored, named = _stored(step), _referenced(table) | inner
    changed = {n for node in ast.walk(step) for n in _changed_by(node)} & (named | stored)
    used = named | changed
    if _uses_global_generator(step):
        used.add(GLOBAL_GENERATOR)
    names.reads |= (used - stored | used & loaded(step) | changed) - names.binds
    names.changes |= changed if sure else changed | stored
    names.binds |= stored - changed if sure else set()
    if isinstance(step, ast.Assign):
        names.late |= dict.fromkeys(stored, inner) if inner else {}
        names.moving |= stored if _makes_mover(step.value) else set()
    _note_engine(step, Step(used, stored, changed, sure), names)


def _note_engine(node: ast.AST, step: Step, names: Names) -> None:
    value = node.value if isinstance(node, ast.Assign) else None
    step.alias = isinstance(value, ast.Name | ast.Attribute | ast.Subscript)
    step.placed = _known(engines.placed_by(node), step.used)
    step.augmented = engines.augmented_by(node)
    step.touched = _known(engines.touched_by(node), step.used)
    step.asked, step.hooked = engines.asked_by(node), engines.hooked_by(node)
    step.calls = [(called, _known(given, step.used)) for called, given in engines.calls_in(node)]
    if isinstance(node, ast.Import | ast.ImportFrom):
        names.makers |= engines.makers_of(node)
    elif isinstance(value, ast.Lambda):
        names.functions |= step.stored
    else:
        names.steps.append(step)


def _known(found: set[str], used: set[str]) -> set[str]:
    """Return the names, or all that are used where one is a comprehension's own."""
    return found if found <= used else used


def _table(node: ast.AST) -> symtable.SymbolTable:
    tree = _Scoped().visit(ast.parse(ast.unparse(node)))
    return symtable.symtable(ast.unparse(tree), "snippet", "exec")


class _Scoped(ast.NodeTransformer):
    """Makes comprehensions generators: since 3.12 only those have a scope of their own.

    And lets a function within another stand alone: its `nonlocal` would name what is not there.
    """

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        return ast.Pass()

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp) -> ast.AST:
        return self.generic_visit(ast.GeneratorExp(node.elt, node.generators))

    visit_SetComp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        pair = ast.Tuple([node.key, node.value], ast.Load())
        return self.generic_visit(ast.GeneratorExp(pair, node.generators))


def _referenced(table: symtable.SymbolTable) -> set[str]:
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}


def _free(table: symtable.SymbolTable) -> set[str]:
    """Return the names that a scope, or one inside it, looks up outside the snippet's functions."""
    own = {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    return own.union(*(_free(child) for child in table.get_children()))


def _stored(node: ast.AST) -> set[str]:
    """Return the names that a statement binds; the targets of a comprehension do not count."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return {node.id}
    inside = [n.iter for n in [node] if isinstance(n, ast.comprehension)]
    children = inside or ([] if isinstance(node, ast.Lambda) else ast.iter_child_nodes(node))
    return set().union(*(_stored(child) for child in children))


def _changed_by(node: ast.AST) -> Iterator[str]:
    """Yield the name whose value this node changes in place, if it changes one."""
    if isinstance(node, ast.AugAssign):
        yield from root(node.target)
    elif isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
        yield from root(node.value)
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and _is_mutator(node.func.attr):
            yield from root(node.func.value)
        elif isinstance(node.func, ast.Name) and node.func.id == "next":
            yield from root(node.args[0])


def _is_mutator(method: str) -> bool:
    return method in MUTATORS or engines.is_engine_method(method)


def _uses_global_generator(node: ast.AST) -> bool:
    parts = (n for n in ast.walk(node) if isinstance(n, ast.Attribute))
    drawn = {n.attr for n in parts if ast.unparse(n.value) == "np.random"}
    return bool(drawn - MOVERS)


def _makes_mover(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).split(".")[-1] in MOVERS
    return isinstance(value, ast.GeneratorExp)

"""Work out which earlier snippets of a page a snippet needs, from the names it uses and defines.

A name that is changed in place counts as defined again by the snippet that changes it: by `+=`, by
assigning to an element or an attribute, by a method in `MUTATORS`, by `next`, and, for a random
generator, by any use at all, since every draw moves it on.
"""

import ast
import symtable
from collections.abc import Iterator
from dataclasses import dataclass, field

MUTATORS = {"append", "extend", "insert", "update", "setdefault", "pop", "popitem", "remove",
            "clear", "sort", "reverse", "add", "discard", "fill"}  # fmt: skip
GENERATOR_MAKERS = {"default_rng", "RandomState"}
GLOBAL_GENERATOR = "numpy's global generator"


@dataclass
class Names:
    """What a snippet does with names; `late` holds what each function's body reads when called."""

    reads: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    late: dict[str, set[str]] = field(default_factory=dict)
    generators: set[str] = field(default_factory=set)


def needs(sources: list[str]) -> list[list[int]]:
    """Return, for each snippet, the indices of the earlier snippets it needs, in order."""
    snippets = [names_of(source) for source in sources]
    generators = {GLOBAL_GENERATOR}.union(*(names.generators for names in snippets))
    for names in snippets:
        names.changes |= names.reads.union(names.binds, *names.late.values()) & generators
    return [_needs_of(i, snippets) for i in range(len(snippets))]


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
    reached: set[str] = set()
    queue = set(wanted)
    while queue:
        name = queue.pop()
        reached.add(name)
        makers = [names for names in snippets[: i + 1] if name in names.late]
        queue |= makers[-1].late[name] - reached if makers else set()
    return reached


def names_of(source: str) -> Names:
    """Return what a snippet does with names, its statements taken in the order they run."""
    names = Names()
    for step in _steps(ast.parse(source).body):
        if isinstance(step, ast.FunctionDef | ast.ClassDef):
            _note_definition(step, names)
        else:
            _note_step(step, names)
    calls = set().union(*(names.late.get(name, set()) for name in names.reads | names.binds))
    names.reads |= calls - names.binds
    return names


def _steps(nodes: list[ast.AST] | list[ast.stmt]) -> Iterator[ast.AST]:
    """Yield a body's statements; of a compound one, its heads and the statements inside it."""
    for node in nodes:
        if isinstance(node, ast.For | ast.While | ast.If | ast.With | ast.Try | ast.ExceptHandler):
            yield from _steps(_in_running_order(node))
        else:
            yield node


def _in_running_order(node: ast.AST) -> list[ast.AST]:
    """Return a node's children; the iterable of a loop runs before its target is bound."""
    children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.For):
        children[:2] = [node.iter, node.target]
    return children


def _note_definition(node: ast.FunctionDef | ast.ClassDef, names: Names) -> None:
    table = _table(node)
    names.reads |= _referenced(table) - names.binds - {node.name}
    names.binds.add(node.name)
    names.late[node.name] = {n for inner in table.get_children() for n in _free(inner)}
    if _uses_global_generator(node):
        names.late[node.name].add(GLOBAL_GENERATOR)


def _note_step(step: ast.AST, names: Names) -> None:
    table = _table(step)
    inner = {n for scope in table.get_children() for n in _free(scope)}
    changed = {n for node in ast.walk(step) for n in _changed_by(node)}
    used = _referenced(table) | inner | changed
    if _uses_global_generator(step):
        used.add(GLOBAL_GENERATOR)
    names.reads |= (used - _stored(step) | used & _loaded(step) | changed) - names.binds
    names.changes |= changed
    names.binds |= _stored(step) - changed
    names.late |= {n: inner for n in _stored(step) if isinstance(step, ast.Assign) and inner}
    if isinstance(step, ast.Assign) and _makes_generator(step.value):
        names.generators |= _stored(step)


def _table(node: ast.AST) -> symtable.SymbolTable:
    return symtable.symtable(ast.unparse(node), "snippet", "exec")


def _referenced(table: symtable.SymbolTable) -> set[str]:
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}


def _free(table: symtable.SymbolTable) -> set[str]:
    """Return the names that a scope, or one inside it, looks up outside the snippet's functions."""
    own = {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    return own.union(*(_free(child) for child in table.get_children()))


def _stored(node: ast.AST) -> set[str]:
    """Return the names that a statement binds (those inside a comprehension do not count)."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return {node.id}
    if isinstance(node, ast.comprehension | ast.Lambda):
        return set()
    return set().union(*(_stored(child) for child in ast.iter_child_nodes(node)))


def _loaded(node: ast.AST) -> set[str]:
    names = (n for n in ast.walk(node) if isinstance(n, ast.Name))
    return {n.id for n in names if isinstance(n.ctx, ast.Load)}


def _changed_by(node: ast.AST) -> Iterator[str]:
    """Yield the name whose value this node changes in place, if it changes one."""
    if isinstance(node, ast.AugAssign):
        yield from _root(node.target)
    elif isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
        yield from _root(node.value)
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
            yield from _root(node.func.value)
        elif isinstance(node.func, ast.Name) and node.func.id == "next":
            yield from _root(node.args[0])


def _root(node: ast.expr) -> Iterator[str]:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _uses_global_generator(node: ast.AST) -> bool:
    parts = (n for n in ast.walk(node) if isinstance(n, ast.Attribute))
    return any(
        ast.unparse(n.value) == "np.random" and n.attr not in GENERATOR_MAKERS for n in parts
    )


def _makes_generator(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[-1] in (
        GENERATOR_MAKERS
    )

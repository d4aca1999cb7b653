"""Hold a chapter to the package: the same definitions, and no import of what is yet to come."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import backprop_book
from press.comparing import difference
from press.faults import Fault
from press.fences import Page

PACKAGE = Path(backprop_book.__file__).parent

SUPPORTING = {
    "data": "the data sets: nothing in them is derived",
    "figures": "how the book's figures look",
    "drawing": "draws the graphs of chapters 7 and 15: a picture, nothing that is derived",
    "arrays": "what an array of floats is, and how it is said that a value is none",
    "checks": "checks of arguments as decorators, so that a function's body is its mathematics",
    "rules": "the rules that arguments are held to",
    "input_checks": "a check for functions of a function and its inputs",
    "checking": "compares and reports; chapter 11 uses it",
    "diagnosing": "finds which mistake gives a gradient; chapter 13 uses it",
    "command_line": "the command that checks a gradient",
    "shape_rules": "those that hold an argument to an array beside it",
    "elementwise": "arithmetic as chapter 14 shows it on two functions, for the others",
    "primitives": "more of the same, which the engines need",
    "kinds": "which functions are linear, which work entry by entry",
    "operands": "the long table from operators and NumPy's functions to the package's",
    "nested": "arrays and dicts of arrays, taken alike",
}
"""The modules that no chapter writes, each with its reason."""

WRITTEN_IN = re.compile(r"[Ww]ritten in chapter (\d+)")
BEGUN_IN = re.compile(r"Begun in chapter (\d+)")
CHAPTER = re.compile(r"(\d+)-")


def chapter_number(path: Path) -> int | None:
    """Return the number a chapter's file name begins with; None for a page that is no chapter."""
    number = CHAPTER.match(path.name)
    return int(number[1]) if number else None


def module_chapters() -> dict[str, int]:
    """Return the chapter that writes each module of the package, 0 for a supporting module.

    Raises ValueError for a module whose docstring names no chapter and that is not in SUPPORTING.
    """
    chapters = {}
    for file in sorted(PACKAGE.glob("[!_]*.py")):
        docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        written = WRITTEN_IN.search(docstring)
        if not written and file.stem not in SUPPORTING:
            raise ValueError(f"{file.name}: its docstring should say 'Written in chapter N'")
        chapters[file.stem] = int(written[1]) if written else 0
    return chapters


def begun_chapters() -> dict[str, int]:
    """Return the chapter from which on the pages may import a module: where it is begun.

    That is the chapter that writes it, unless an earlier one begins it, with a draft of some name.
    """
    chapters = module_chapters()
    for module in chapters:
        text = (PACKAGE / f"{module}.py").read_text(encoding="utf-8")
        begun = BEGUN_IN.search(ast.get_docstring(ast.parse(text)) or "")
        chapters[module] = int(begun[1]) if begun else chapters[module]
    return chapters


def definition_faults(page: Page) -> list[Fault]:
    """Return the definitions of a page that are missing or differ from the package's.

    A module that is begun in one chapter and written in a later one is a draft until then.
    """
    number = chapter_number(page.path)
    if number is None:
        return []
    told: dict[str, tuple[int, ast.stmt]] = {}
    for name, line, node in _page_definitions(page):
        told[name] = line, _continued(node, told[name][1]) if name in told else node
    faults = []
    begun = begun_chapters()
    for module, chapter in module_chapters().items():
        if begun[module] <= number < chapter:
            continue
        for name, node in _module_definitions(module).items():
            if name in told and not same_definition(told[name][1], node):
                faults.append(_differs(page, told[name][0], name, told[name][1], node))
            elif name not in told and chapter == number:
                message = f"{module}.{name} is not written here; it should stand in this chapter"
                faults.append(Fault(page.path, 1, message))
    return faults


def import_faults(page: Page) -> Iterator[Fault]:
    """Yield the imports of what neither the book so far wrote nor a supporting module holds."""
    number = chapter_number(page.path)
    written = {name: line for name, line, _ in reversed(list(_page_definitions(page)))}
    for line, node in _imports(page):
        for name in _imported_names(node):
            chapter = _chapter_of(name)
            if chapter is None:
                yield Fault(page.path, line, f"backprop_book has no public name {name!r}")
            elif number is not None and chapter >= number and written.get(name, line) >= line:
                message = f"{name} is imported, but it is chapter {chapter} that writes it"
                yield Fault(page.path, line, message)


def same_definition(a: ast.stmt, b: ast.stmt) -> bool:
    """Compare two definitions, docstrings, comments, decorators and annotations aside."""
    return bare(a) == bare(b)


def bare(node: ast.stmt) -> str:
    """Return a definition's code without docstrings, comments, decorators and annotations."""
    return ast.unparse(_Bare().visit(ast.parse(ast.unparse(node))))


class _Bare(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._strip(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._strip(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        assign = ast.Assign([node.target], node.value)
        return ast.fix_missing_locations(ast.copy_location(assign, node))

    def _strip(self, node: ast.FunctionDef | ast.ClassDef) -> ast.AST:
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        node.decorator_list = []
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        return self.generic_visit(node)


def _continued(node: ast.stmt, before: ast.stmt) -> ast.stmt:
    """Return a class with what was there before, where it goes on as `class Name(Name)`."""
    if not isinstance(node, ast.ClassDef) or not isinstance(before, ast.ClassDef):
        return node
    if [ast.unparse(base) for base in node.bases] != [node.name]:
        return node
    again = {name for statement in node.body for name in _defined(statement)}
    kept = [statement for statement in before.body if not again & set(_defined(statement))]
    whole = ast.ClassDef(
        node.name, before.bases, before.keywords, [*kept, *node.body], before.decorator_list
    )
    return ast.fix_missing_locations(ast.copy_location(whole, node))


def _differs(page: Page, line: int, name: str, told: ast.stmt, held: ast.stmt) -> Fault:
    diff = difference(bare(told), bare(held)).replace("--- shown", "--- the chapter's")
    diff = diff.replace("+++ printed", "+++ the package's")
    return Fault(page.path, line, f"{name} differs from the package's:\n{diff}")


def _page_definitions(page: Page) -> Iterator[tuple[str, int, ast.stmt]]:
    for snippet in page.snippets:
        for node in ast.parse(snippet.code.source).body:
            for name in _defined(node):
                yield name, snippet.code.line + node.lineno, node


def _module_definitions(module: str) -> dict[str, ast.stmt]:
    if module in SUPPORTING:
        return {}
    tree = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
    return {name: node for node in tree.body for name in _defined(node)}


def _defined(node: ast.stmt) -> list[str]:
    """Return the names that a statement defines; an alias of a type is an annotation, no more."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        alias = ast.unparse(node.annotation) == "TypeAlias"
        return [node.target.id] if node.value and not alias else []
    return []


def _imports(page: Page) -> Iterator[tuple[int, ast.Import | ast.ImportFrom]]:
    for snippet in page.snippets:
        for node in ast.walk(ast.parse(snippet.code.source)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield snippet.code.line + node.lineno, node


def _imported_names(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Return what a statement imports of the package; a module stands for itself."""
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
        return [m.partition(".")[2] for m in modules if m.startswith("backprop_book")]
    package, _, module = (node.module or "").partition(".")
    if package != "backprop_book":
        return []
    return [module] if module else [alias.name for alias in node.names]


def _chapter_of(name: str) -> int | None:
    """Return the chapter that begins a public name's module or a module, 0 for supporting ones."""
    chapters = begun_chapters()
    if name in chapters:
        return chapters[name]
    if name not in backprop_book.__all__:
        return None
    module = getattr(backprop_book, name).__module__.rpartition(".")[2]
    return chapters[module]

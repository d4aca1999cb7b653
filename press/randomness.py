"""Refuse randomness without a seed: it would print another number each time."""

import ast
from collections.abc import Iterator

from press.faults import Fault
from press.fences import Page, Snippet

MAKERS = {"default_rng", "RandomState", "SeedSequence", "Random"}


def unseeded_faults(page: Page) -> Iterator[Fault]:
    """Yield the generators that are made without a seed, and draws of one that nothing seeded."""
    seeded: set[str] = set()
    for snippet in page.snippets:
        nodes = list(ast.walk(ast.parse(snippet.code.source)))
        seeded |= {_owner(node) for node in nodes if _name(node) == "seed"}
        for node in nodes:
            if _is_made_unseeded(node):
                yield _fault(page, snippet, node, "a random generator without a seed")
            elif _draws_globally(node) and _owner(node) not in seeded:
                yield _fault(page, snippet, node, f"a draw from {_owner(node)} without a seed")


def _fault(page: Page, snippet: Snippet, node: ast.AST, message: str) -> Fault:
    line = snippet.code.line + getattr(node, "lineno", 0)
    return Fault(page.path, line, f"{message}: it gives another number each time")


def _is_made_unseeded(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] not in MAKERS:
        return False
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    return not given or ast.unparse(given[0]) == "None"


def _draws_globally(node: ast.AST) -> bool:
    drawn_from = _owner(node) in ("np.random", "numpy.random", "random")
    return drawn_from and _name(node).islower() and _name(node) not in {*MAKERS, "seed"}


def _owner(node: ast.AST) -> str:
    return ast.unparse(node.value) if isinstance(node, ast.Attribute) else ""


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ""

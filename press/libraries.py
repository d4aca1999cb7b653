"""The libraries that a page may ask for beyond those that every page needs."""

import ast

from press.fences import Page

OPTIONAL = {"jax": "JAX", "torch": "PyTorch"}
"""What a page may import and a reader need not have, each with the name that people know it by."""


def optional_libraries(page: Page) -> list[str]:
    """Return the optional libraries that a page's snippets import, in the order of their names."""
    imported: set[str] = set()
    for source in page.sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])
    return sorted(imported & OPTIONAL.keys())

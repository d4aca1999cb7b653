"""Rewrite the outputs and figures of pages from what their snippets print and draw."""

import sys
from pathlib import Path

from press.faults import Fault
from press.fences import Page, Snippet
from press.running import Ran, run

DOCS = Path("docs")


def refresh(page: Page) -> list[Fault]:
    """Bring a page up to date in place; where a snippet raises, return that and leave it alone."""
    results = run(page)
    for ran in results.values():
        if ran.error:
            return [Fault(page.path, ran.error_line, f"the snippet raises {ran.error}")]
    for snippet, ran in zip(page.snippets, results.values(), strict=True):
        _write_figure(page, snippet, ran)
    text = refreshed_text(page, results)
    if text != page.text:
        page.path.write_text(text, encoding="utf-8")
    return []


def refreshed_text(page: Page, results: dict[int, Ran]) -> str:
    """Return the page's text with each output replaced, inserted or removed, as was printed."""
    text = page.text
    for i in sorted(results, reverse=True):
        snippet = page.snippets[i]
        end = snippet.output.end if snippet.output else snippet.code.end
        text = text[: snippet.code.end] + _output_block(snippet, results[i].printed) + text[end:]
    return text


def _output_block(snippet: Snippet, printed: str) -> str:
    if not printed:
        return ""
    fence = "```"
    while fence in printed:
        fence += "`"
    lines = ["", f"{fence}output", *printed.rstrip("\n").split("\n"), fence]
    return "\n" + "\n".join((snippet.code.prefix + line).rstrip() for line in lines)


def _write_figure(page: Page, snippet: Snippet, ran: Ran) -> None:
    if snippet.figure and ran.figures:
        file = page.path.parent / snippet.figure
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(ran.figures[0])


def main(names: list[str]) -> int:
    """Refresh the named pages, or all; say what changed and what could not be run."""
    failed = 0
    for path in [Path(name) for name in names] or sorted(DOCS.rglob("*.md")):
        page = Page(path)
        faults = refresh(page)
        changed = "left as it was" if faults else "changed" if Page(path).text != page.text else ""
        print(f"{path} {changed}".rstrip(), *faults, sep="\n  ")
        failed += bool(faults)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

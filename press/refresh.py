"""Rewrite the outputs and figures of pages from what their snippets print and draw."""

import sys
from pathlib import Path

from press.book import missing_libraries
from press.comparing import same_output
from press.faults import Fault
from press.fences import FenceError, Page, Snippet
from press.running import Ran, run

DOCS = Path("docs")


def refresh(page: Page) -> list[Fault]:
    """Bring a page up to date in place; where a snippet raises, return that and leave it alone."""
    try:
        results = run(page)
    except FenceError as error:
        return [Fault(page.path, error.line, error.message)]
    for ran in results.values():
        if ran.error:
            return [Fault(page.path, ran.error_line, f"the snippet raises {ran.error}")]
    for snippet, ran in zip(page.snippets, results.values(), strict=True):
        _write_figure(page, snippet, ran)
    text = refreshed_text(page, results)
    if text != page.text:
        page.path.write_text(text, encoding="utf-8", newline=_line_end(page.path))
    return []


def refreshed_text(page: Page, results: dict[int, Ran]) -> str:
    """Return the page's text with each output that is not right replaced, inserted or removed."""
    text = page.text
    for i in sorted(results, reverse=True):
        snippet, printed = page.snippets[i], results[i].printed
        if not _is_right(snippet, printed):
            end = snippet.output.end if snippet.output else snippet.code.end
            text = text[: snippet.code.end] + _output_block(snippet, printed) + text[end:]
    return text


def _is_right(snippet: Snippet, printed: str) -> bool:
    if snippet.output is None or not printed:
        return snippet.output is None and not printed
    return same_output(snippet.output.source, printed)


def _output_block(snippet: Snippet, printed: str) -> str:
    if not printed:
        return ""
    fence = "```"
    while fence in printed:
        fence += "`"
    lines = ["", f"{fence}output", *printed.rstrip("\n").split("\n"), fence]
    prefix = snippet.code.prefix
    return "\n" + "\n".join(prefix + line if line else prefix.rstrip() for line in lines)


def _line_end(path: Path) -> str:
    return "\r\n" if b"\r\n" in path.read_bytes() else "\n"


def _write_figure(page: Page, snippet: Snippet, ran: Ran) -> None:
    if snippet.figure and ran.figures:
        file = page.path.parent / snippet.figure
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(ran.figures[0])


def main(names: list[str]) -> int:
    """Refresh the named pages, or all; say what changed and what could not be run."""
    paths = [Path(name) for name in names] or sorted(DOCS.rglob("*.md"))
    return 0 if all([_refresh_and_tell(path) for path in paths]) else 1


def _refresh_and_tell(path: Path) -> bool:
    if not path.is_file():
        print(f"{path}: there is no such page")
        return False
    page = Page(path)
    missing = missing_libraries(page)
    if missing:
        print(f"{path} left as it was: it needs {' and '.join(missing)}, not installed here")
        return True
    faults = refresh(page)
    changed = "left as it was" if faults else "changed" if Page(path).text != page.text else ""
    print(f"{path} {changed}".rstrip(), *faults, sep="\n  ")
    return not faults


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

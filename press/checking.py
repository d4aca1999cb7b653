"""Say what is wrong with a page's fences, outputs, figures and prerequisites."""

import os
from collections.abc import Iterator

from press.comparing import difference, same_output
from press.faults import Fault
from press.fences import LANGUAGES, FenceError, Page, Snippet
from press.needs import needs
from press.running import Ran, run


def faults_of(page: Page) -> list[Fault]:
    """Run a page and return everything wrong with it; nothing runs while a fence is unreadable."""
    unreadable = unreadable_faults(page)
    if unreadable:
        return unreadable
    results = run(page)
    faults = [fault for i, ran in results.items() for fault in _faults_of_run(page, i, ran)]
    if not any(ran.error for ran in results.values()):
        faults += _prerequisite_faults(page, results)
    return faults


def unreadable_faults(page: Page) -> list[Fault]:
    """Return what keeps a page's fences from being run."""
    try:
        return list(_fence_faults(page))
    except FenceError as error:
        return [Fault(page.path, error.line, error.message)]


def refresh_command(page: Page) -> str:
    """Return the command that rewrites what a page shows."""
    return f"make refresh PAGES={os.path.relpath(page.path)}"


def _fence_faults(page: Page) -> Iterator[Fault]:
    paired = {snippet.output for snippet in page.snippets}
    for fence in page.fences:
        if fence.language not in LANGUAGES:
            wanted = ", ".join(sorted(LANGUAGES))
            message = f"the fence's language is {fence.language!r}; it should be one of {wanted}"
            yield Fault(page.path, fence.line, message)
        elif fence.language == "output" and fence not in paired:
            yield Fault(page.path, fence.line, "an output with no snippet right above it")
    for snippet in page.snippets:
        yield from _syntax_fault(page, snippet)


def _syntax_fault(page: Page, snippet: Snippet) -> Iterator[Fault]:
    try:
        compile(snippet.code.source, str(page.path), "exec")
    except SyntaxError as error:
        line = snippet.code.line + (error.lineno or 1)
        yield Fault(page.path, line, f"SyntaxError: {error.msg}")


def _faults_of_run(page: Page, i: int, ran: Ran) -> Iterator[Fault]:
    snippet = page.snippets[i]
    if ran.error:
        yield Fault(page.path, ran.error_line, f"the snippet raises {ran.error}")
        return
    yield from _output_faults(page, snippet, ran.printed)
    yield from _figure_faults(page, snippet, ran.figures)


def _output_faults(page: Page, snippet: Snippet, printed: str) -> Iterator[Fault]:
    output = snippet.output
    refresh = f"To accept what it printed: {refresh_command(page)}"
    if output is None:
        if printed:
            message = f"the snippet prints and no output is shown:\n{printed}{refresh}"
            yield Fault(page.path, snippet.code.line, message)
    elif not printed:
        yield Fault(page.path, output.line, f"an output that nothing printed. {refresh}")
    elif not same_output(output.source, printed):
        diff = difference(output.source, printed)
        message = f"shown and printed differ:\n{diff}\n{refresh}"
        yield Fault(page.path, output.line, message)


def _figure_faults(page: Page, snippet: Snippet, figures: list[bytes]) -> Iterator[Fault]:
    if len(figures) != (snippet.figure is not None):
        shown = 1 if snippet.figure else 0
        message = f"figures drawn by the snippet: {len(figures)}; shown before the next: {shown}"
        yield Fault(page.path, snippet.figure_line, message)
    elif snippet.figure:
        file = page.path.parent / snippet.figure
        if not file.exists():
            yield Fault(page.path, snippet.figure_line, f"the figure {snippet.figure} is missing")
        elif file.read_bytes() != figures[0]:
            message = f"the figure {snippet.figure} is stale; {refresh_command(page)} redraws it"
            yield Fault(page.path, snippet.figure_line, message)


def _prerequisite_faults(page: Page, results: dict[int, Ran]) -> Iterator[Fault]:
    """Run each snippet with only what it is said to need, and demand what it did on the page.

    A run of what one needs is a run of each of these too that needs all of it that comes before.
    """
    needed = needs(page.sources)
    seen = {i for i, earlier in enumerate(needed) if len(earlier) == i}  # the page was that run
    for i in reversed(range(len(needed))):
        if i in seen:
            continue
        indices = [*needed[i], i]
        alone = run(page, indices)
        for place, j in enumerate(indices):
            if j not in seen and needed[j] == indices[:place]:
                seen.add(j)
                if j not in alone or not _same_run(alone[j], results[j]):
                    told = _differs_alone(page, needed[j], alone.get(j))
                    yield Fault(page.path, page.snippets[j].code.line, told)


def _same_run(alone: Ran, on_page: Ran) -> bool:
    return (
        not alone.error
        and same_output(on_page.printed, alone.printed)
        and alone.figures == on_page.figures
    )


def _differs_alone(page: Page, needed: list[int], alone: Ran | None) -> str:
    lines = ", ".join(str(page.snippets[j].code.line) for j in needed) or "none"
    told = alone.error if alone and alone.error else "another result"
    return f"with only the snippets it is said to need (lines {lines}) it gives {told}"

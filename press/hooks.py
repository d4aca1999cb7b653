"""What MkDocs calls while it builds the book; each hook hands its work to the module it is of."""

import posixpath
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink
from mkdocs.utils.templates import TemplateContext

from press.cards import write_card
from press.contents import list_chapters
from press.counts import fill_counts
from press.descriptions import describe
from press.explorables import add_buttons
from press.figures import inline_figures
from press.labs import clean_lab
from press.math import equation_ids, typeset_formulas, typeset_title
from press.notebooks import write_notebooks
from press.numbering import number
from press.roles import mark_roles
from press.serve import keep_labs, keep_serving
from press.snippet_ids import mark_snippets


def on_config(config: MkDocsConfig) -> None:
    """Keep what the labs gave from one build to the next, while the book is served."""
    keep_labs(config)


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in the counts that a page tells, its numbers and its references."""
    if page.file.src_uri.endswith(".ipynb"):
        return markdown
    with _named(page):
        filled = fill_counts(_in_its_lines(markdown, page), lambda: _read_pages(files))
        return number(filled, Path(page.file.abs_src_path or ""))


def on_page_content(html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Number the snippets of a page and mark its parts; a lab sheds what the book has no use for.

    A named equation gets its id with its formula, later than MkDocs asks which ids there are.
    """
    if page.present_anchor_ids is not None:
        page.present_anchor_ids |= equation_ids(html)
    prepare = clean_lab if page.file.src_uri.endswith(".ipynb") else mark_snippets
    with _named(page):
        marked = mark_roles(prepare(html, page.markdown or ""))
    page.meta.update(describe(marked))
    return marked


def on_page_context(
    context: TemplateContext, *, page: Page, config: MkDocsConfig, nav: Navigation
) -> None:
    """Typeset formulas and inline figures; by now the search index has read the plain page."""

    def find(src: str) -> Path:
        return Path(config.docs_dir, posixpath.normpath(posixpath.join(page.url, src)))

    with _named(page):
        card = write_card(page, config.site_name, find, Path(config.site_dir))
        page.meta["card"] = card.as_posix()
        formulas = typeset_formulas(page.content or "", page.markdown or "")
        page.content = inline_figures(formulas, find)
        page.content = add_buttons(page.content, Path(config.docs_dir))
        if page.is_homepage:
            page.content = list_chapters(page, nav)
        for entry in _entries(page.toc):
            entry.title = typeset_title(entry.title)


def on_post_build(*, config: MkDocsConfig) -> None:
    """Write each chapter's notebook beside the site's pages."""
    try:
        write_notebooks(Path(config.docs_dir), Path(config.site_dir), config.site_url or "")
    except ValueError as fault:
        raise PluginError(str(fault)) from fault


def on_serve(server: LiveReloadServer, *, config: MkDocsConfig, builder: object) -> None:
    """Keep the last good site in view where a change breaks the build."""
    keep_serving(server)


def _in_its_lines(markdown: str, page: Page) -> str:
    """Return a page's text with an empty line for each that its front matter had."""
    missing = page.file.content_string.count("\n") - markdown.count("\n")
    return "\n" * missing + markdown


def _read_pages(files: Files) -> list[str]:
    pages = [f for f in files.documentation_pages() if f.src_uri.endswith(".md")]
    return [page.content_string for page in pages]


def _entries(toc: Iterable[AnchorLink]) -> Iterator[AnchorLink]:
    for entry in toc:
        yield entry
        yield from _entries(entry.children)


@contextmanager
def _named(page: Page) -> Iterator[None]:
    """Turn a fault in a page into one that stops the build and names the page."""
    try:
        yield
    except (ValueError, SyntaxError) as fault:
        raise PluginError(f"{page.file.src_uri}: {fault}") from fault

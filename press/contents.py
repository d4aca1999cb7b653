"""List on the home page each part's chapters, each with the question that it answers."""

from html import escape

from mkdocs.structure.nav import Navigation, Section
from mkdocs.structure.pages import Page

from press.roles import question_of

MARK = "<!-- contents -->"


def list_chapters(home: Page, nav: Navigation) -> str:
    """Return the home page's HTML with the list of all parts in the place of its mark."""
    parts = [item for item in nav.items if isinstance(item, Section)]
    return (home.content or "").replace(MARK, "\n".join(_part(part, home) for part in parts))


def _part(part: Section, home: Page) -> str:
    chapters = [page for page in part.children if isinstance(page, Page)]
    asked = [(page, question_of(page.content or "")) for page in chapters]
    rows = [_row(page, question, home) for page, question in asked if question]
    title = f"<h3>{escape(part.title)}</h3>"
    return f'<section class="part">{title}<ul>{"".join(rows)}</ul></section>' if rows else ""


def _row(page: Page, question: str, home: Page) -> str:
    link = f'<a href="{page.file.url_relative_to(home.file)}">{page.title}</a>'
    return f"<li>{link} <span>{question}</span></li>"

"""Print the book, from the pages of its site, into one PDF: `python -m press.print_book SITE PDF`.

Chromium sets the pages and numbers them, but cannot say in the text on which page a thing is.
So the book is printed twice: the first print tells where everything is, and the second says so.
"""

import argparse
import html
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from playwright.sync_api import Page, Route, sync_playwright
from pypdf import PdfReader

from press.chromium import FLAGS, MISSING, find_chromium

ROOT = Path(__file__).parent.parent
SCRIPT = Path(__file__).with_suffix(".js")
HOST = "http://book/"
PATIENCE = 600_000  # milliseconds that a print may take
PRINT: dict[str, Any] = {"prefer_css_page_size": True, "print_background": True}

STYLES = re.compile(r'<link rel="stylesheet"[^>]*>')
ARTICLE = re.compile(r"<article[^>]*>(.*)</article>", re.DOTALL)
FOR_SCREEN_READERS = re.compile(r'<span class="katex-mathml">.*?</math></span>', re.DOTALL)

BOOK = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title>{styles}</head>
<body class="book md-typeset" data-md-color-scheme="default">
<header class="title-page">
<p class="title">{title}</p>
<p>{description}</p>
<p class="imprint"><a href="{url}">{url}</a><br>{copyright}</p>
</header>
<nav class="contents"><p class="title">Contents</p></nav>
{sections}
<section class="answers" id="answers"><h1>Hints and solutions</h1></section>
</body>
</html>"""
PART = '<section class="part" id="part-{number}"><h1>{title}</h1></section>'
CHAPTER = '<section class="chapter" data-page="{url}">{article}</section>'

FILL_IN = """numbers => {
  for (const link of document.querySelectorAll("a.pointer")) {
    link.dataset.number = numbers[decodeURIComponent(link.hash.slice(1))];
  }
}"""


def assemble(site: Path, config: MkDocsConfig, nav: list[Any]) -> str:
    """Return one HTML document that holds the pages of a built site that `nav` names, in order."""
    home = (site / "index.html").read_text(encoding="utf-8")
    return BOOK.format(
        title=html.escape(config.site_name),
        description=html.escape(config.site_description or ""),
        url=config.site_url,
        copyright=config.copyright,
        styles="".join(STYLES.findall(home)),
        sections="\n".join(_sections(site, nav)),
    )


def open_book(page: Page, site: Path, config: MkDocsConfig, nav: list[Any]) -> None:
    """Show the assembled book in a page of Chromium, as it will be printed."""
    book = assemble(site, config, nav)

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path.lstrip("/")
        if not path:
            route.fulfill(body=book, content_type="text/html")
        elif path.endswith(".css"):
            route.fulfill(body=_patient(site / path), content_type="text/css")
        else:
            route.fulfill(path=site / path)

    page.set_default_timeout(PATIENCE)
    page.emulate_media(media="print", color_scheme="light")
    page.route("**/*", answer)
    page.goto(HOST)
    page.evaluate(SCRIPT.read_text(encoding="utf-8"), config.site_url)
    page.evaluate("document.fonts.ready.then(() => {})")


def print_book(page: Page, pdf: Path) -> None:
    """Print the open book with the numbers of its pages.

    Raises ValueError where a link leads to nothing, or the numbers moved what they number.
    """
    page.pdf(path=pdf, **PRINT)
    numbers = page_numbers(PdfReader(pdf))
    page.evaluate(FILL_IN, numbers)
    page.pdf(path=pdf, outline=True, tagged=True, **PRINT)
    if page_numbers(PdfReader(pdf)) != numbers:
        raise ValueError("the numbers in the book have moved its pages")


def page_numbers(reader: PdfReader) -> dict[str, int]:
    """Return the number of the page that each anchor which something links to is on."""
    return {
        name.removeprefix("/"): (reader.get_destination_page_number(place) or 0) + 1
        for name, place in reader.named_destinations.items()
    }


def main() -> None:
    """Print the book into the file named; exit with 1 where there is no Chromium to do it."""
    parser = argparse.ArgumentParser(prog="python -m press.print_book", description=__doc__)
    parser.add_argument("site", type=Path, metavar="SITE", help="the folder of the built site")
    parser.add_argument("pdf", type=Path, metavar="PDF", help="the file to write")
    arguments = parser.parse_args()
    chromium = find_chromium() or sys.exit(MISSING)
    config = load_config(str(ROOT / "mkdocs.yml"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        open_book(page, arguments.site, config, config.nav or [])
        print_book(page, arguments.pdf)
        browser.close()
    print(f"{arguments.pdf}: {len(PdfReader(arguments.pdf).pages)} pages")


def _sections(site: Path, nav: list[Any]) -> Iterator[str]:
    """Yield each part's title and each page's text, as the navigation of the site names them."""
    for number, entry in enumerate(nav):
        [(title, below)] = entry.items() if isinstance(entry, dict) else [("", entry)]
        if isinstance(below, list):
            yield PART.format(number=number, title=html.escape(title))
            yield from _sections(site, below)
        else:
            url = _url(below)
            yield CHAPTER.format(url=url, article=_article(site / url / "index.html"))


def _article(file: Path) -> str:
    """Return the text of a page of the site, with each formula as it is seen alone."""
    article = ARTICLE.search(file.read_text(encoding="utf-8"))
    if not article:
        raise ValueError(f"{file} holds no article")
    return FOR_SCREEN_READERS.sub("", article[1])


def _patient(stylesheet: Path) -> str:
    """Return a stylesheet that waits for its faces: on paper a late one is not optional."""
    text = stylesheet.read_text(encoding="utf-8")
    return re.sub(r"font-display: \w+", "font-display: block", text)


def _url(source: str) -> str:
    """Return the address that a source has on the site, from the home page."""
    stem = source.rsplit(".", 1)[0]
    return "" if stem == "index" else f"{stem}/"


if __name__ == "__main__":
    main()

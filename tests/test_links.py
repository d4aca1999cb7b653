"""Every link of the built site that stays on it leads to a page, a place in it or a file."""

import posixpath
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from conftest import SUBPATH
from sources import SOURCES, url_of

SITE = f"http://localhost/{SUBPATH}/"
ELSEWHERE = {"data", "http", "https", "mailto"}
LINKS = {"href", "src", "poster", "xlink:href"}


class Links(HTMLParser):
    """Gathers where a page leads, and the ids that lead into it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.targets += [value for name, value in attrs if name in LINKS and value is not None]
        self.targets += [
            part.split()[0] for part in (named.get("srcset") or "").split(",") if part.strip()
        ]
        self.ids |= {value for name, value in attrs if name in {"id", "name"} and value}


@cache
def links_of(file: Path) -> Links:
    return Links(file.read_text(encoding="utf-8"))


def dead_links(file: Path, site: Path) -> list[str]:
    """Return the links of a page that lead nowhere on the site."""
    address = SITE + file.relative_to(site).as_posix().removesuffix("index.html")
    return [
        target for target in links_of(file).targets if not leads_somewhere(address, target, site)
    ]


def leads_somewhere(address: str, target: str, site: Path) -> bool:
    url = urljoin(address, target)
    if not url.startswith(SITE):
        return urlsplit(url).scheme in ELSEWHERE and urlsplit(url).hostname != "localhost"
    path, fragment = unquote(urlsplit(url).path), unquote(urlsplit(url).fragment)
    file = site / posixpath.relpath(path, f"/{SUBPATH}/")
    file = file / "index.html" if file.is_dir() else file
    if not file.is_file():
        return False
    return not fragment or file.suffix != ".html" or fragment in links_of(file).ids


@pytest.mark.parametrize(
    "url", [*(f"{url_of(source)}index.html" for source in SOURCES), "404.html"]
)
def test_no_link_is_dead(url: str, site: Path) -> None:
    assert dead_links(site / url, site) == []


@pytest.mark.parametrize(
    "broken", ["nowhere/", "#nowhere", "assets/nowhere.css", "http://localhost/", "javascript:"]
)
def test_a_dead_link_is_found(broken: str, tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text(f'<p id="here"><a href="#here">here</a><a href="{broken}">there</a>')
    assert dead_links(page, tmp_path) == [broken]

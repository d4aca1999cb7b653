"""What the site tells those who find it, share it or read it by machine."""

import re
from collections import Counter
from functools import cache
from html import unescape
from pathlib import Path

import pytest
from conftest import SUBPATH
from PIL import Image
from sources import CHAPTERS, SOURCES, question_of, url_of

SITE = f"http://localhost/{SUBPATH}/"
META = re.compile(r'<meta (?:name|property)="([\w:]+)" content="([^"]*)">')
CANONICAL = re.compile(r'<link rel="canonical" href="([^"]*)">')


@cache
def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def told_by(source: str, site: Path) -> dict[str, str]:
    """Return what the head of a source's page says of it."""
    page = read(site / url_of(source) / "index.html")
    return {name: unescape(content) for name, content in META.findall(page)}


def words(text: str) -> str:
    """Return a text without its signs, which the site sets in its own way."""
    return " ".join(re.findall(r"[\w+.@]+", text))


def test_every_page_describes_itself_and_no_other(site: Path) -> None:
    told = [told_by(source, site)["description"] for source in SOURCES]
    assert all(told)
    assert [text for text, count in Counter(told).items() if count > 1] == []


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_is_described_by_its_question(chapter: str, site: Path) -> None:
    assert words(told_by(chapter, site)["description"]) == words(question_of(chapter))


def test_every_page_names_its_address_and_its_card(site: Path) -> None:
    for source in SOURCES:
        told, address = told_by(source, site), SITE + url_of(source)
        assert CANONICAL.findall(read(site / url_of(source) / "index.html")) == [address]
        assert told["og:url"] == address
        assert told["og:title"] and told["og:description"] == told["description"]
        assert told["twitter:card"] == "summary_large_image"
        assert (site / told["og:image"].removeprefix(SITE)).is_file()


def test_every_chapter_has_a_card_of_its_own(site: Path) -> None:
    cards = [
        site / told_by(source, site)["og:image"].removeprefix(SITE)
        for source in ["index.md", *CHAPTERS]
    ]
    assert len({card.read_bytes() for card in cards}) == len(cards)
    for card in cards:
        with Image.open(card) as drawn:
            told = told_by("index.md", site)
            assert drawn.size == (int(told["og:image:width"]), int(told["og:image:height"]))


def test_the_sitemap_names_every_page(site: Path) -> None:
    named = re.findall(r"<loc>(.*?)</loc>", read(site / "sitemap.xml"))
    assert sorted(named) == sorted(SITE + url_of(source) for source in SOURCES)


def test_llms_txt_names_every_page_with_what_it_is_about(site: Path) -> None:
    text = read(site / "llms.txt")
    assert text.startswith("# Learning from Mistakes\n\n> ")
    named = {
        url: told for url, told in re.findall(r"^- \[.+\]\((\S+)\): (.+)$", text, re.MULTILINE)
    }
    assert named == {
        SITE + url_of(source): told_by(source, site)["description"]
        for source in SOURCES
        if source != "index.md"
    }

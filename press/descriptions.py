"""Describe a page in a sentence or two, for search engines and for whoever meets a link to it."""

import html
import re
from typing import Any

from press.roles import question_of

TAG = re.compile(r"<[^>]+>")
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\.(.*?)\\.</\1>', re.DOTALL)
PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.DOTALL)
SENTENCE = re.compile(r"(?<=[.?!])\s+")
QUOTES = re.compile('["“”]')
ROOM = 160  # characters that search engines show


def describe(page: str) -> dict[str, Any]:
    """Return what a page's HTML says of itself: the question it asks, or else its first sentences.

    The question is a tag as well, so that search, to which tags weigh most, finds the page by it;
    in quotation marks a word would be another to it.
    """
    question = plain_text(question_of(page))
    description = html.escape(question or _opening(page))
    return {"description": description, "tags": [QUOTES.sub("", question)] if question else []}


def plain_text(markup: str) -> str:
    """Return the text of a piece of HTML, its formulas as they were written."""
    text = html.unescape(TAG.sub("", FORMULA.sub(r"\2", markup)))
    return " ".join(text.split())


def _opening(page: str) -> str:
    paragraph = PARAGRAPH.search(page)
    sentences = SENTENCE.split(plain_text(paragraph[1])) if paragraph else [""]
    opening = sentences[0]
    for sentence in sentences[1:]:
        if len(opening) + len(sentence) >= ROOM:
            break
        opening += f" {sentence}"
    return opening

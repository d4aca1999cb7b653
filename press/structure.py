"""Say what is wrong with a page's links, anchors, headings and images, before the site is built."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import markdown
from markdown.extensions.toc import slugify
from mkdocs.config import load_config

from press.faults import Fault
from press.fences import Page
from press.numbering import numbered_ids, numbering_faults

ROOT = Path(__file__).parent.parent
LINK = re.compile(
    r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]"
    r"\(\s*(?P<target>[^()\s]+)(?:\s+\"[^\"]*\")?\s*\)"
)
REFERENCE = re.compile(r"^ {0,3}\[[^\]^]+\]:\s*<?(?P<target>[^\s>]+)", re.MULTILINE)
HEADING = re.compile(r"^#{1,6} +(?P<text>.+?)(?: *\{:? *#(?P<id>[\w-]+)[^}]*\})? *$", re.MULTILINE)
GIVEN_ID = re.compile(r"^(?!#).*\{:? *#(?P<id>[\w-]+)[^}]*\}", re.MULTILINE)
IMAGE_TAG = re.compile(r"<img\b(?P<attributes>[^>]*)>")
ALT = re.compile(r"\balt=[\"']\s*[^\"'\s]")
ID = re.compile(r"\bid=\"([^\"]+)\"")
ELSEWHERE = ("http:", "https:", "mailto:")


def structure_faults(page: Page) -> Iterator[Fault]:
    """Yield the broken links and anchors, the repeated headings and the images without alt text."""
    prose = page.prose
    yield from numbering_faults(page)
    yield from _heading_faults(page, prose)
    yield from _comment_faults(page, prose)
    yield from _image_tag_faults(page, prose)
    for reference in REFERENCE.finditer(prose):
        fault = _link_fault(page.path, reference["target"])
        if fault:
            yield Fault(page.path, page.line_of(reference.start()), fault)
    for link in LINK.finditer(prose):
        line = page.line_of(link.start())
        if link["image"] and not link["text"].strip():
            yield Fault(page.path, line, f"the image {link['target']} has no alt text")
        fault = _link_fault(page.path, link["target"])
        if fault and (link["image"] or link["text"]):
            yield Fault(page.path, line, fault)


def anchors(path: Path) -> set[str]:
    """Return the ids that a page of the site has."""
    return _anchors(path.read_text(encoding="utf-8")) | numbered_ids(path)


@cache
def _anchors(text: str) -> set[str]:
    settings = markdown_settings()
    html = markdown.markdown(text, **settings)
    return set(ID.findall(html))


@cache
def markdown_settings() -> dict[str, Any]:
    """Return the extensions with which the site's Markdown is read, and their settings."""
    config = load_config(str(ROOT / "mkdocs.yml"))
    return {"extensions": config.markdown_extensions, "extension_configs": config.mdx_configs}


def _heading_faults(page: Page, prose: str) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    found = [*HEADING.finditer(prose), *GIVEN_ID.finditer(prose)]
    for heading in sorted(found, key=lambda match: match.start()):
        name = heading["id"] or slugify(heading["text"], "-")
        line = page.line_of(heading.start())
        if name in seen:
            message = f"the id {name!r} is that of line {seen[name]} too"
            yield Fault(page.path, line, message)
        seen.setdefault(name, line)


def _comment_faults(page: Page, prose: str) -> Iterator[Fault]:
    for fence in page.fences:
        before = prose[: fence.start]
        if before.rfind("<!--") > before.rfind("-->"):
            message = "a fence inside an HTML comment: no reader sees it; take it out"
            yield Fault(page.path, fence.line, message)


def _image_tag_faults(page: Page, prose: str) -> Iterator[Fault]:
    for image in IMAGE_TAG.finditer(prose):
        if not ALT.search(image["attributes"]):
            yield Fault(page.path, page.line_of(image.start()), "the image has no alt text")


def _link_fault(path: Path, target: str) -> str | None:
    if target.startswith(ELSEWHERE):
        return None
    file, _, anchor = target.partition("#")
    destination = path.parent / file if file else path
    if not destination.exists():
        return f"the link to {target} leads nowhere: there is no {file}"
    if anchor and destination.suffix == ".md" and anchor not in anchors(destination):
        return f"the link to {target} leads nowhere: {destination.name} has no #{anchor}"
    return None

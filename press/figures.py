"""Put a page's SVG figures into its HTML, in the colours and the type of the page around them."""

import re
from collections.abc import Callable
from pathlib import Path

IMAGE = re.compile(r'<img\b[^>]*?\bsrc="(?P<src>[^"]*\bfigures/(?P<name>[\w-]+)\.svg)"[^>]*>')
ALT = re.compile(r'\balt="(?P<alt>[^"]+)"')
VIEW_BOX = re.compile(r'\bviewBox="[\d.]+ [\d.]+ (?P<width>[\d.]+) [\d.]+"')
PIXELS_PER_UNIT = 1.35

COLOURS = {
    "#0072b2": "var(--plot-1)",
    "#c04e00": "var(--plot-2)",
    "#00795a": "var(--plot-3)",
    "#a8487d": "var(--plot-4)",
    "#75757d": "var(--plot-muted)",
    "#1b1b1f": "currentColor",
    "#000000": "currentColor",
    "#ffffff": "var(--md-default-bg-color)",
}
COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b")
NOT_DRAWN = re.compile(r"<metadata>.*?</metadata>|<style\b.*?</style>|<!--.*?-->", re.DOTALL)
ID = re.compile(r'(\bid="|href="#|url\(#)(?=[\w.-])')
TAG = re.compile(r"<[^>]+>")
PLACE = re.compile(r"\d+\.\d{3,}")
FONT = re.compile(r"(font-family: |font: [^;\"]*?[\d.]+px )[^;\"]*")


def inline_figures(page: str, find: Callable[[str], Path]) -> str:
    """Replace each image of a figure by its SVG; `find` tells the file behind an image's address.

    Raises ValueError for a figure that is not there or has no alternative text.
    """
    return IMAGE.sub(lambda match: _inline(match, find(match["src"])), page)


def inline_svg(svg: str, name: str, alt: str) -> str:
    """Return an SVG file's drawing as an element of the page, described by `alt`."""
    box = VIEW_BOX.search(svg)
    if not box:
        raise ValueError(f"{name}: this SVG has no viewBox")
    width = round(float(box["width"]) * PIXELS_PER_UNIT)
    opening = f'<svg class="plot" role="img" aria-label="{alt}" {box[0]}'
    return f'{opening} style="max-width: {width}px">{restyle(_drawing(svg), name)}'


def restyle(drawing: str, name: str) -> str:
    """Give a drawing ids of its own, the page's colours and type, and its places to a tenth.

    The digits left out are half of what a drawing weighs, and a tenth is less than a pixel.
    """
    drawing = NOT_DRAWN.sub("", drawing)
    drawing = ID.sub(rf"\g<1>{name}-", drawing)
    drawing = FONT.sub(r"\g<1>var(--sans)", drawing)
    drawing = TAG.sub(lambda tag: PLACE.sub(_to_a_tenth, tag[0]), drawing)
    return COLOUR.sub(lambda match: COLOURS.get(match[0].lower(), match[0]), drawing)


def _inline(image: re.Match[str], path: Path) -> str:
    alt = ALT.search(image[0])
    if not alt:
        raise ValueError(f"{image['src']}: this figure has no alternative text")
    if not path.is_file():
        raise ValueError(f"{image['src']}: there is no such figure")
    return inline_svg(path.read_text(encoding="utf-8"), image["name"], alt["alt"])


def _to_a_tenth(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")


def _drawing(svg: str) -> str:
    return svg[svg.index(">", svg.index("<svg")) + 1 :].strip()

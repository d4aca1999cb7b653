"""Cut the faces of the site down to the weights and characters that the book uses.

    pip install "fonttools[woff]"
    npm pack @fontsource-variable/source-serif-4     # likewise source-sans-3, jetbrains-mono
    tar xzf fontsource-variable-source-serif-4-*.tgz --one-top-level=faces/source-serif-4
    python -m press.fonts faces

It writes `docs/assets/fonts/`: the files, and the stylesheet that names them.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from fontTools.varLib.instancer import instantiateVariableFont  # type: ignore[import-untyped]

ROOT = Path(__file__).parent.parent
FONTS = ROOT / "docs" / "assets" / "fonts"
FACES = {
    "Source Serif 4": ["normal", "italic"],
    "Source Sans 3": ["normal", "italic"],
    "JetBrains Mono": ["normal"],
}
SUBSETS = ["latin", "latin-ext", "greek"]
WEIGHTS = {"normal": (400, 600), "italic": 400}  # nothing is both bold and in italics
FEATURES = ["ccmp", "kern", "liga", "locl", "mark", "mkmk", "tnum"]

LATIN = {*range(0x20, 0x7F), *range(0xA0, 0x100)}
PUNCTUATION = {0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2026, 0x2032, 0x2212}
GREEK = {*range(0x3B1, 0x3CA)}

RULE = (
    '@font-face {{ font-family: "{family}"; font-style: {style}; font-weight: {weight}; '
    'font-display: {display}; src: url({file}) format("woff2"); unicode-range: {characters} }}'
)
FIXED = """\
/* the signs that the text faces lack (∂ → ≈ ≤ √ ∞), from KaTeX's main face */
@font-face { font-family: "Math Signs"; font-display: swap; src: url(../katex/fonts/KaTeX_Main-Regular.woff2) format("woff2"); unicode-range: U+2190-21FF, U+2200-2211, U+2213-22FF, U+27E8-27E9 }
/* metric-matched fallbacks: the page does not move when the fonts arrive */
@font-face { font-family: "Serif Fallback"; src: local("Georgia"), local("DejaVu Serif"), local("Liberation Serif"), local("Times New Roman"); size-adjust: 97%; ascent-override: 104%; descent-override: 34%; line-gap-override: 0% }
"""  # noqa: E501


def main(folder: Path) -> None:
    """Write the faces that `folder` holds in full, cut down, and their stylesheet."""
    for old in FONTS.glob("*.woff2"):
        old.unlink()
    head = "/* Made by press/fonts.py; a browser fetches only what it meets. */"
    rules = "\n".join(_rules(folder, LATIN | PUNCTUATION | GREEK | _used()))
    (FONTS / "fonts.css").write_text(f"{head}\n{rules}\n{FIXED}", encoding="utf-8")


def _used() -> set[int]:
    pages = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "docs").rglob("*.ipynb")]
    return {ord(sign) for page in pages for sign in page.read_text(encoding="utf-8")}


def _rules(folder: Path, wanted: set[int]) -> Iterator[str]:
    for family, styles in FACES.items():
        name = family.lower().replace(" ", "-")
        for style in styles:
            for subset in SUBSETS:
                found = next(folder.rglob(f"{name}-{subset}-wght-{style}.woff2"))
                if held := _cut(found, wanted if subset == "latin" else wanted - LATIN, style):
                    yield RULE.format(
                        family=family,
                        style=style,
                        weight="400" if style == "italic" else "400 600",
                        display="optional" if subset == "latin" else "swap",
                        file=found.name,
                        characters=_ranges(held),
                    )


def _cut(found: Path, wanted: set[int], style: str) -> set[int]:
    """Write a face with the wanted characters alone; return those that it has."""
    face = TTFont(found)
    held = wanted & set(face.getBestCmap())
    if held:
        cut = Subsetter(Options(layout_features=FEATURES))
        cut.populate(unicodes=held)
        cut.subset(face)
        instantiateVariableFont(face, {"wght": WEIGHTS[style]}, inplace=True)
        face.flavor = "woff2"
        face.save(FONTS / found.name)
    return held


def _ranges(characters: set[int]) -> str:
    """Write characters as a `unicode-range`."""
    starts = sorted(c for c in characters if c - 1 not in characters)
    ends = sorted(c for c in characters if c + 1 not in characters)
    pairs = zip(starts, ends, strict=True)
    return ", ".join(f"U+{a:X}" if a == b else f"U+{a:X}-{b:X}" for a, b in pairs)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

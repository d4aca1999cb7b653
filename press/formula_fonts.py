"""Cut KaTeX's faces down to the characters that the book's formulas use, and some that they may.

    pip install "fonttools[woff]"
    npm pack katex
    tar xzf katex-*.tgz
    python -m press.formula_fonts package/dist/fonts

It writes `docs/assets/katex/fonts/`. A test finds a formula that needs a character beyond these.
"""

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

FONTS = Path(__file__).parent.parent / "docs" / "assets" / "katex" / "fonts"
LATIN = set(range(0x20, 0x7F))
GREEK = {*range(0x391, 0x3AA), *range(0x3B1, 0x3CA), 0x3D1, 0x3D5, 0x3F5}
SIGNS = "¬±·×÷ˆˉ˙˜…′ℓℝ←→↔↦⇒∀∂∃∇∈∏∑−∗∘√∝∞∣∥∧∨∩∪∫∼≈≠≡≤≥≪≫⊙⊤⋅⋮⋯⋱⌈⌉⌊⌋⟨⟩"  # noqa: RUF001
UNSEEN = {0xA0, 0x200B, 0x338, 0xE020}  # spaces, and the bar that KaTeX lays over what is not so
WANTED = LATIN | GREEK | UNSEEN | set(map(ord, SIGNS))


def main(folder: Path) -> None:
    """Write each face that `folder` holds in full, cut down."""
    for found in sorted(folder.glob("*.woff2")):
        face = TTFont(found)
        cut = Subsetter(Options(layout_features=[], hinting=False))
        if "Size" in found.name:  # pieces of large brackets: few, and all needed
            cut.populate(glyphs=face.getGlyphOrder())
        else:
            cut.populate(unicodes=WANTED)
        cut.subset(face)
        face.flavor = "woff2"
        face.save(FONTS / found.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

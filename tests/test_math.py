"""Formulas become HTML and MathML, and one that KaTeX refuses is told with its line."""

import pytest
from markdown import markdown

from press.math import equation_ids, typeset_formulas
from press.structure import markdown_settings

INSIDE = '- item\n\n    1. inner\n\n        !!! note "N"\n\n'
REFUSED = r"\frac{1"


def typeset(text: str) -> str:
    """Return the HTML that the site has for a Markdown text."""
    return typeset_formulas(markdown(text, **markdown_settings()), text)


@pytest.mark.parametrize("text", ["$a < b$", r"\(a < b\)", "$$\na < b\n$$", "\\[\na < b\n\\]"])
def test_a_formula_has_html_and_mathml(text):
    html = typeset(f"Before.\n\n{text}\n")
    assert html.count('<span class="katex">') == html.count("<math") == 1
    assert ('display="block"' in html) == ("\n" in text)


def test_the_id_of_a_numbered_equation_is_on_its_block():
    text = "$$ a = b \\tag{2.1}\\label{equation-same} $$\n"
    html = typeset(text)
    assert '<div class="arithmatex" id="equation-same">' in html
    assert "label" not in html and "<mtext>(2.1)</mtext>" in html
    assert equation_ids(markdown(text, **markdown_settings())) == {"equation-same"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"One.\nTwo ${REFUSED}$.\n", 4),
        (f"One.\n\n$$\n{REFUSED}\n$$\n", 5),
        (f"One.\n\n$$ {REFUSED} $$\n", 5),
        (f"One.\n\n\\[ {REFUSED} \\]\n", 5),
        (f"One \\({REFUSED}\\).\n", 3),
        (f"$a$, $a$ and ${REFUSED}$.\n\nAgain ${REFUSED}$.\n", 3),
        (f"In code `${REFUSED}$`.\n\n```text\n${REFUSED}$\n```\n\nNot ${REFUSED}$.\n", 9),
        ("$a < b$\n\n$a <\nb \\tag{1}$\n", 5),
        ("$$ a \\tag{1} $$\n\nA tag $a \\tag{1}$.\n", 5),
        (f"{INSIDE}            $$\n            a\n            + {REFUSED}\n            $$\n", 9),
        (f"{INSIDE}            Text, ${REFUSED} +\n            a$.\n", 9),
        (f"> Quoted ${REFUSED} +\n> a$.\n", 3),
        ("$$ a \\label{equation-lost} $$\n", 3),
    ],
)
def test_a_formula_that_is_refused_is_told_with_its_line(text, line):
    with pytest.raises(ValueError, match=rf"^line {line}: formula .*KaTeX parse error"):
        typeset(f"# Title\n\n{text}")

"""The chapters as notebooks: what the press makes of a page, and that each runs as it shows."""

from pathlib import Path

import nbformat
import pytest
from kernels import run_in_fresh_kernel

from press.book import DOCS, missing_libraries
from press.comparing import same_output
from press.fences import Page
from press.libraries import optional_libraries
from press.notebooks import Site, notebook, write_notebooks

CHAPTERS = sorted(DOCS.glob("part-*/*.md"))
BOOK = "https://example.org/book/"
REPO = "https://example.org/repo"
PAGE = f"{BOOK}part-1/01-small/"
FENCE = """```python
print("hello")
```

```output
hello
```
"""


@pytest.fixture
def make(tmp_path: Path):
    """Make the cells of a chapter that holds a text, after those that every notebook has."""

    def made(text: str):
        folder = tmp_path / "part-1"
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        (folder / "figures" / "drawn.svg").write_text("<svg><path/></svg>")
        page = Page(folder / "01-small.md", f"# Small\n\n{text}")
        return notebook(page, Site(tmp_path, BOOK, REPO)).cells[2:]

    return made


@pytest.fixture
def plain(make):
    """Return what a text without Python becomes."""

    def only_source(text: str) -> str:
        (cell,) = make(text)
        return cell.source

    return only_source


def indented(text: str) -> str:
    return "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines())


# Every chapter


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_runs_in_a_fresh_kernel_and_prints_and_draws_what_it_shows(path, tmp_path):
    page = Page(path)
    made = notebook(page, Site(DOCS, BOOK, REPO))
    nbformat.validate(made)
    if missing := missing_libraries(page):
        pytest.skip(f"not run: {' and '.join(missing)} not installed")
    shown = [cell for cell in made.cells if cell.cell_type == "code"]
    cells = run_in_fresh_kernel(made, tmp_path, tuple(optional_libraries(page)))
    for cell, ran in zip(shown, cells, strict=True):
        printed = "".join(o.text for o in cell.outputs if o.output_type == "stream")
        assert same_output(printed, ran.printed), cell.source
        assert not ran.warned, cell.source
        drawn = [output for output in cell.outputs if output.output_type == "display_data"]
        assert len(ran.displayed) == len(ran.figures) == len(drawn), cell.source


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_keeps_nothing_that_jupyter_does_not_render(path):
    made = notebook(Page(path), Site(DOCS, BOOK, REPO))
    text = "\n".join(cell.source for cell in made.cells if cell.cell_type == "markdown")
    for leftover in [
        "[](",
        "\\label",
        "\n!!! ",
        "\n??? ",
        '\n=== "',
        "<fig",
        "{: ",
        "{#",
        "[^",
        "\\(",
        "](../",
    ]:
        assert leftover not in text
    assert not any("\ue000" <= character <= "\uf8ff" for character in text)


def test_the_kernel_has_only_what_a_reader_installs(tmp_path):
    kept = ["numpy", "matplotlib.pyplot", "backprop_book", "json"]
    refused = ["press", "sybil", "mkdocs", "pytest", "scipy", "autograd", "torch", "kernels"]
    lines = [f"import {name}" for name in [*kept, *refused]]
    cells = [
        nbformat.v4.new_code_cell(f"try: {line}\nexcept ImportError: print('no')") for line in lines
    ]
    ran = run_in_fresh_kernel(nbformat.v4.new_notebook(cells=cells), tmp_path)
    assert [cell.printed for cell in ran] == [""] * len(kept) + ["no\n"] * len(refused)


def test_what_a_cell_displays_and_warns_of_is_seen(tmp_path):
    plot = "from matplotlib import pyplot as plt\nfigure, ax = plt.subplots()"
    warn = "import warnings\nwarnings.warn('beware')\nprint(1)"
    cells = map(nbformat.v4.new_code_cell, [plot, "1 + 1", "_ = 1 + 1", warn, f"{plot}\nax"])
    ran = run_in_fresh_kernel(nbformat.v4.new_notebook(cells=list(cells)), tmp_path)
    assert [len(cell.displayed) for cell in ran] == [1, 1, 0, 0, 2]
    assert [len(cell.figures) for cell in ran] == [1, 0, 0, 0, 1]
    assert [cell.printed for cell in ran] == ["", "", "", "1\n", ""]
    assert ["UserWarning: beware" in cell.warned for cell in ran] == [False] * 3 + [True, False]


def test_a_notebook_finds_nothing_of_the_one_before(tmp_path):
    for _ in range(2):
        cell = nbformat.v4.new_code_cell("import json\nprint(hasattr(json, 'x'))\njson.x = 1")
        (ran,) = run_in_fresh_kernel(nbformat.v4.new_notebook(cells=[cell]), tmp_path)
        assert ran.printed == "False\n"


def test_an_error_in_a_cell_is_raised(tmp_path):
    cells = [nbformat.v4.new_code_cell("1 / 0")]
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        run_in_fresh_kernel(nbformat.v4.new_notebook(cells=cells), tmp_path)


# The notebook


def test_the_first_cells_tell_where_it_is_from_and_how_to_install(tmp_path):
    page = Page(tmp_path / "part-1" / "01-small.md", "# Small\n\nText.\n")
    front, install, _ = notebook(page, Site(tmp_path, BOOK, REPO)).cells
    assert front.source.startswith("# Small\n")
    assert f"]({PAGE})" in front.source and "CC BY 4.0" in front.source and "MIT" in front.source
    assert install.cell_type == "code"
    assert install.source == (f'# %pip install numpy matplotlib "backprop-book @ git+{REPO}"')


def test_they_tell_which_other_libraries_the_chapter_needs(tmp_path):
    text = "# Small\n\n```python\nimport jax.numpy\nfrom torch import nn\n```\n"
    page = Page(tmp_path / "part-1" / "01-small.md", text)
    front, install, _ = notebook(page, Site(tmp_path, BOOK, REPO)).cells
    assert "The cells need NumPy, matplotlib, JAX, PyTorch and the book's package." in front.source
    assert install.source.startswith("# %pip install numpy matplotlib jax torch ")


def test_a_snippet_becomes_a_cell_with_its_output(make):
    before, code, after = make(f"Before.\n\n{FENCE}\nAfter.\n")
    assert (before.source, code.source, after.source) == ("Before.", 'print("hello")', "After.")
    assert code.outputs == [{"output_type": "stream", "name": "stdout", "text": "hello\n"}]
    assert code.execution_count is None


@pytest.mark.parametrize("info", ['python title="x.py" hl_lines="1"', "{.python .small}"])
def test_the_attributes_of_a_fence_are_dropped(make, info):
    (code,) = make(f"```{info}\nx = 1\n```\n")
    assert (code.cell_type, code.source) == ("code", "x = 1")


def test_a_figure_is_an_output_and_its_caption_is_in_italics(make):
    drawing = "```python\ndraw()\n```\n"
    figure = (
        '<figure markdown="span">\n![A line.](figures/drawn.svg){ width=300 }\n'
        "<figcaption>It rises,\nalways.</figcaption>\n</figure>\n"
    )
    code, caption = make(f"{drawing}\n{figure}")
    (output,) = code.outputs
    assert output.output_type == "display_data"
    assert output.data == {"image/svg+xml": "<svg><path/></svg>", "text/plain": "A line."}
    assert caption.source == "*Figure 1.1. It rises, always.*"


def test_numbers_and_references_are_those_of_the_site(plain):
    text = "$$ a = b \\label{equation-same} $$\n\nSee [](#equation-same).\n"
    told = f"See [Equation (1.1)]({PAGE}#equation-same)."
    assert plain(text) == f"$$ a = b \\tag{{1.1}} $$\n\n{told}"


def test_a_caption_with_emphasis_of_its_own_stays_whole(plain):
    assert plain("<figcaption>a *b* c</figcaption>\n") == "<em>a *b* c</em>"


def test_an_image_that_no_snippet_drew_stays_as_a_link_to_the_site(plain):
    for file in ["cat.png", "cat.svg"]:
        assert plain(f"![A cat.]({file})\n") == f"![A cat.]({BOOK}part-1/{file})"


def test_fences_of_other_languages_stay_markdown(plain):
    for language in ["bash", "text", "markdown"]:
        text = f'Run:\n\n```{language}\n!!! note "$x$"\n```'
        assert plain(text) == text


def test_every_snippet_must_become_a_cell(make, monkeypatch):
    monkeypatch.setattr("press.notebooks.plain", lambda text, address: "# Small\n\nAll gone.")
    with pytest.raises(ValueError, match=r"01-small\.md: 1 snippets became 0 cells"):
        make(FENCE)


def test_a_page_without_a_title_is_refused(tmp_path):
    page = Page(tmp_path / "01-small.md", "No title.\n")
    with pytest.raises(ValueError, match=r"01-small\.md: it does not begin with a title"):
        notebook(page, Site(tmp_path, BOOK, REPO))


def test_the_same_page_is_the_same_bytes(tmp_path):
    for folder in ["first", "second"]:
        write_notebooks(DOCS, tmp_path / folder, BOOK)
    for path in CHAPTERS:
        first, second = (
            (tmp_path / folder / "notebooks" / f"{path.stem}.ipynb").read_bytes()
            for folder in ["first", "second"]
        )
        assert first == second
        cells = nbformat.reads(first.decode(), as_version=4).cells
        assert [cell.id for cell in cells] == [f"cell-{i + 1}" for i in range(len(cells))]


def test_the_labs_are_there_too_as_they_are_stored(tmp_path):
    write_notebooks(DOCS, tmp_path, BOOK)
    for lab in DOCS.glob("labs/*.ipynb"):
        assert (tmp_path / "notebooks" / lab.name).read_bytes() == lab.read_bytes()


# What nests


def test_an_admonition_is_quoted_under_its_title(plain):
    text = '!!! result "One *update*"\n\n    First.\n\n    - second\n\nAfter.\n'
    assert plain(text) == "> **Result 1.1. One *update***\n>\n> First.\n>\n> - second\n\nAfter."


def test_a_fence_of_another_language_is_quoted_with_its_admonition(plain):
    text = '!!! note "N"\n\n    ```text\n    a\n      b\n    ```\n'
    assert plain(text) == "> **N**\n>\n> ```text\n> a\n>   b\n> ```"


def test_an_admonition_without_a_title_is_told_by_its_kind(plain):
    assert plain("!!! note inline end\n    Text.\n") == "> **Note**\n>\n> Text."


def test_an_admonition_with_an_empty_title_has_none(plain):
    assert plain('!!! note ""\n    Text.\n') == "> Text."


def test_code_in_an_admonition_comes_out_as_a_cell(make):
    title, code, after = make(f'!!! note "Try"\n\n{indented(FENCE)}\n    Seen?\n\n    Yes.\n')
    assert (title.source, code.source) == ("**Try**", 'print("hello")')
    assert code.outputs[0].text == "hello\n"
    assert after.source == "Seen?\n\nYes."


def test_a_hint_is_folded(plain):
    folded = "<details><summary>Hint</summary>\n\nThink of $x$.\n\n</details>"
    assert plain('??? hint "Hint"\n\n    Think of $x$.\n') == folded


def test_a_solution_without_python_is_folded_with_all_it_holds(plain):
    text = '??? success "Solution"\n\n    Text.\n\n    ```text\n    a\n      b\n    ```\n'
    inside = "Text.\n\n```text\na\n  b\n```"
    assert plain(text) == f"<details><summary>Solution</summary>\n\n{inside}\n\n</details>"


def test_a_solution_with_code_has_a_heading_and_cells(make):
    first, code, last = make(f'??? success "Solution"\n\n{indented(FENCE)}\n    So.\n')
    assert (first.source, code.source, last.source) == ("**Solution**", 'print("hello")', "So.")


def test_what_nests_in_what_nests(make):
    inner = f'??? success "Solution"\n\n{indented(FENCE)}'
    outer, code = make(f'!!! note "Outer"\n\n{indented(inner)}')
    assert (outer.source, code.source) == ("**Outer**\n\n**Solution**", 'print("hello")')


def test_tabs_become_paragraphs(make):
    text = f'=== "Words"\n\n    Text.\n\n=== "Code"\n\n{indented(FENCE)}'
    before, code = make(text)
    assert before.source == "**Words**\n\nText.\n\n**Code**"
    assert code.source == 'print("hello")'


def test_a_heading_underlined_is_not_a_tab(plain):
    assert plain("Heading\n===\n\nText.\n") == "Heading\n===\n\nText."


def test_a_block_quote_with_code_goes_on_after_the_cell(make):
    before, code, after = make("> Before.\n>\n> ```python\n> x = 1\n> ```\n>\n> After.\n")
    assert (before.source, code.source, after.source) == ("> Before.", "x = 1", "> After.")


def test_a_list_with_code_goes_on_after_the_cell(make):
    text = f"1. One.\n\n{indented(FENCE)}\n    More.\n\n2. Two.\n\n        deep\n"
    before, code, after = make(text)
    assert (before.source, code.source) == ("1. One.", 'print("hello")')
    assert after.source == "More.\n\n2. Two.\n\n        deep"


# Text


def test_formulas_are_written_as_jupyter_reads_them(plain):
    assert plain(r"So \(a_1\) and $b$.") == "So $a_1$ and $b$."
    assert plain("So\n\n\\[\na\n\\]\n") == "So\n\n$$ a $$"
    assert plain("$$\na &= b \\\\\nc &= d\n$$\n") == r"$$ a &= b \\ c &= d $$"
    assert plain("A $a\n+ b$.") == "A $a + b$."


def test_a_formula_in_a_quotation_stays_in_one_line(plain):
    assert plain('!!! result "R"\n\n    $$\n    a\n    $$\n') == "> **Result 1.1. R**\n>\n> $$ a $$"


def test_a_dollar_that_opens_no_formula_is_escaped(plain):
    assert plain("It costs $ 5, or `$x$`.") == "It costs \\$ 5, or `$x$`."


def test_attribute_lists_are_dropped(plain):
    assert plain("Text.\n{: #an-id .a }\n\nMore.\n") == "Text.\n\nMore."
    assert plain("## Title {#an-id}\n\n[a](https://b.c){ .button rel='x' }") == (
        "## Title\n\n[a](https://b.c)"
    )


def test_what_only_looks_like_an_attribute_list_stays(plain):
    text = r"The set {1, 2}, `{: #id }` and $\frac{a}{.5}$."
    assert plain(text) == text


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("02-next.md", f"{BOOK}part-1/02-next/"),
        ("02-next.md#top", f"{BOOK}part-1/02-next/#top"),
        ("../index.md", BOOK),
        ("../labs/one.ipynb", f"{BOOK}labs/one/"),
        ("../assets/book.css", f"{BOOK}assets/book.css"),
        ("#here", f"{PAGE}#here"),
        ("https://a.b/c.md", "https://a.b/c.md"),
        ("mailto:a@b.c", "mailto:a@b.c"),
    ],
)
def test_links_lead_to_the_site(plain, target, address):
    assert plain(f"[x]({target})") == f"[x]({address})"
    assert plain(f'[[x]]({target} "Title")') == f'[[x]]({address} "Title")'
    assert plain(f'<a href="{target}">x</a>') == f'<a href="{address}">x</a>'
    assert plain(f"[x]: {target}") == f"[x]: {address}"
    assert plain(f"`[x]({target})`") == f"`[x]({target})`"


def test_footnotes_lead_to_the_site_and_their_text_stays(plain):
    text = "Said.[^who]\n\n[^who]: By her.\n\n    Twice.\n\nEnd.\n"
    assert plain(text) == (
        f"Said.<sup>[who]({PAGE}#fn:who)</sup>\n\n<sup>who</sup> By her.\n\nTwice.\n\nEnd."
    )


def test_metadata_of_the_page_is_dropped(tmp_path):
    page = Page(tmp_path / "01-small.md", "---\ntitle: x\n---\n\n# Small\n\nText.\n")
    front, _, text = notebook(page, Site(tmp_path, BOOK, REPO)).cells
    assert front.source.startswith("# Small\n") and text.source == "Text."

"""The checks of a page, checked: each kind of fault is refused, and its line is named.

In the pages below `<<` marks the line that the fault should name; the mark is taken out first.
"""

import re
from pathlib import Path
from textwrap import dedent, indent

import pytest

from press import checking, definitions
from press.book import all_faults
from press.comparing import same_output
from press.faults import Fault
from press.fences import FenceError, Page, read_fences
from press.refresh import refresh

MARK = " <<"


def page_with(text: str, path: Path = Path("page.md")) -> tuple[Page, list[int]]:
    """Return a page, and the lines that were marked."""
    lines = text.split("\n")
    marked = [number for number, line in enumerate(lines, 1) if line.endswith(MARK)]
    return Page(path, "\n".join(line.removesuffix(MARK) for line in lines)), marked


def only_fault(page: Page) -> Fault:
    faults = all_faults(page)
    assert len(faults) == 1, "\n".join(map(str, faults)) or "the page was accepted"
    return faults[0]


def assert_refused(text: str, why: str, path: Path = Path("page.md")) -> None:
    page, [line] = page_with(dedent(text), path)
    fault = only_fault(page)
    assert fault.path == path
    assert fault.line == line, str(fault)
    assert re.search(why, fault.message), fault.message


def snippet(code: str, output: str = "", info: str = "python", marked: str = "") -> str:
    """Return a fence and its output; `marked` is "code" or "output"."""
    text = f"```{info}{MARK if marked == 'code' else ''}\n{code}\n```\n"
    if output:
        text += f"\n```output{MARK if marked == 'output' else ''}\n{output}\n```\n"
    return text


# Outputs


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("0.25", "0.26"),
        ("0.25", "0.250"),
        ("0.25", "0.2"),
        ("[0. 0.]", "[1. 1.]"),
        ("-0.0", "0.0"),
        ("1e-3", "1e-4"),
        ("12", "1 2"),
        ("a\n\nb", "a\n\nc"),
        ("a\nb", "a"),
        ("a", "a\nb"),
        ("loss 1", "Loss 1"),
        ("  1", "1"),
        ("nan", "0.0"),
        ("0.123456789", "0.123456788"),
        ("1.234567891", "1.234567901"),
        ("12345678.91", "12345678.99"),
        ("-1.234567891", "1.234567891"),
        ("3.0", "2.9999999999"),
        ("1.500000000", "1.50000000"),
    ],
)
def test_output_that_differs(printed: str, shown: str) -> None:
    text = snippet(f"print({printed!r})", shown, marked="output")
    assert_refused(text, "shown and printed differ")


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("0.25", "0.25"),
        ("1.2345678912", "1.2345678913"),
        ("[1.2345678912 0.5]", "[1.2345678913 0.5]"),
        ("loss 1.2345678912e-07", "loss 1.2345678913e-07"),
        ("  1\n  2", "  1\n  2"),
        ("a\n\n\nb", "a\n\n\nb"),
    ],
)
def test_output_that_is_right(printed: str, shown: str) -> None:
    page, _ = page_with(snippet(f"print({printed!r})", shown))
    assert not all_faults(page)


@pytest.mark.parametrize(
    ("relative_error", "digits", "accepted"),
    [(1e-8, 10, False), (1e-8, 17, False), (1e-10, 11, True), (1e-10, 17, True), (1e-8, 9, False)],
)
def test_the_tolerance(relative_error: float, digits: int, accepted: bool) -> None:
    number = 1.23456789012345
    shown, printed = (f"{x:.{digits - 1}f}" for x in (number, number * (1 + relative_error)))
    assert shown != printed
    assert same_output(shown, printed) is accepted


def test_the_fault_shows_the_difference_and_the_cure() -> None:
    page, _ = page_with(snippet("print('a\\nright\\nz')", "a\nwrong\nz"))
    message = only_fault(page).message
    assert "\n-wrong\n+right\n" in message
    assert "make refresh PAGES=page.md" in message


def test_missing_output() -> None:
    assert_refused(snippet("print(1)", marked="code"), "no output is shown:\n1\n")


def test_output_that_nothing_printed() -> None:
    assert_refused(snippet("x = 1", "1", marked="output"), "nothing printed")


@pytest.mark.parametrize("before", ["", "```python\nprint(1)\n```\n\nand so it prints\n\n"])
def test_output_without_a_snippet_right_above(before: str) -> None:
    assert_refused(before + "```output <<\n1\n```\n", "no snippet right above")


def test_a_second_output() -> None:
    assert_refused(snippet("print(1)", "1") + "\n```output <<\n1\n```\n", "no snippet right above")


# Snippets that fail


def test_a_snippet_that_raises() -> None:
    assert_refused(
        """
        ```python
        x = 1
        x / 0 <<
        y = 2
        ```
        """,
        "raises ZeroDivisionError: division by zero",
    )


def test_a_snippet_that_raises_in_a_function_written_before() -> None:
    assert_refused(
        """
        ```python
        def invert(x):
            return 1 / x
        ```

        ```python
        print(1)
        invert(0) <<
        ```
        """,
        r"raises ZeroDivisionError.*raised on line 4",
    )


def test_a_snippet_that_stops_the_program() -> None:
    assert_refused("```python\nraise SystemExit(3) <<\n```\n", "raises SystemExit: 3")


def test_a_snippet_that_warns() -> None:
    text = """
        ```python
        import numpy as np

        np.log(np.zeros(1)) <<
        ```
        """
    assert_refused(text, "raises RuntimeWarning: divide by zero")


def test_an_import_of_what_is_not_installed() -> None:
    assert_refused("```python\nimport no_such_thing <<\n```\n", "ModuleNotFoundError")


@pytest.mark.parametrize(
    "code", ["x = 1\nif x <<", "x = 1\n  y = 2 <<", "x = (1, <<", "x = 1\nreturn x <<"]
)
def test_a_syntax_error(code: str) -> None:
    assert_refused(f"# One\n\n```python\n{code}\n```\n", "SyntaxError")


def test_an_undefined_name_of_another_page() -> None:
    first, _ = page_with(snippet("left_behind = 1"))
    assert not all_faults(first)
    assert_refused("```python\nprint(left_behind) <<\n```\n", "NameError")


def test_settings_of_another_page_are_gone() -> None:
    setting = "import numpy as np\n\nnp.set_printoptions(precision=1)\nnp.seterr(all='ignore')"
    first, _ = page_with(snippet(setting))
    assert not all_faults(first)
    second, _ = page_with(snippet("import numpy as np\n\nprint(np.array([0.123]))", "[0.123]"))
    assert not all_faults(second)


# However the fence is written, and whatever it is nested in

INFOS = [
    "python",
    'python title="x.py"',
    'python hl_lines="1"',
    'python linenums="1"',
    'python title="x.py" hl_lines="1" linenums="3"',
    " python",
    "{.python}",
    '{.python title="x"}',
    "{ .python .annotate #named }",
]

WRAPPINGS = [
    '!!! note "Look"\n\n    {}',
    '??? question "Exercise"\n\n    ??? success "Solution"\n\n        {}',
    '=== "NumPy"\n\n    {}',
    "> {}",
    "> > {}",
    "- a list\n\n    {}",
    "1. a list\n\n    {}",
]


def nested(text: str, wrapping: str) -> str:
    before, prefix = wrapping.replace("{}", "").rpartition("\n")[0::2]
    if not before:
        prefix = wrapping.replace("{}", "")
    inside = indent(text, prefix, lambda line: ">" in prefix or bool(line.strip()))
    return f"{before}\n{inside}" if before else inside


@pytest.mark.parametrize("info", INFOS)
def test_a_wrong_snippet_with_attributes(info: str) -> None:
    assert_refused(snippet("print(1)", "2", info, marked="output"), "shown and printed differ")


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_wrong_snippet_that_is_nested(wrapping: str) -> None:
    text = nested(snippet("print('  1\\n\\n2')", "  1\n\n3", marked="output"), wrapping)
    assert_refused(text, "shown and printed differ")


@pytest.mark.parametrize("info", INFOS)
@pytest.mark.parametrize("wrapping", ["{}", *WRAPPINGS])
def test_a_right_snippet(info: str, wrapping: str) -> None:
    code = "if True:\n    print('  1\\n\\n2')"
    page, _ = page_with(nested(snippet(code, "  1\n\n2", info), wrapping))
    assert not all_faults(page)
    assert page.sources == [code + "\n"]


def test_tildes() -> None:
    assert_refused("~~~python\nprint(1)\n~~~\n\n~~~output <<\n2\n~~~\n", "differ")


@pytest.mark.parametrize(
    "language",
    ["py", "python3", "Python", "PYTHON", "pyhton", "pycon", "console", "", "{python}", "ouptut"],
)
def test_a_mistyped_language(language: str) -> None:
    assert_refused(f"```{language} <<\nprint(1)\n```\n", "the fence's language is")


@pytest.mark.parametrize("language", ["bash", "text", "markdown"])
def test_the_other_languages_are_not_run(language: str) -> None:
    page, _ = page_with(f"```{language}\nprint(1) and (\n```\n")
    assert not all_faults(page)


def test_an_illustration_is_not_run() -> None:
    page, _ = page_with("````markdown\n```python\n1 / 0\n```\n\n```output\n2\n```\n````\n")
    assert not all_faults(page)
    assert [fence.language for fence in page.fences] == ["markdown"]


def test_a_fence_that_is_never_closed() -> None:
    assert_refused("# One\n\n```python <<\nprint(1)\n", "never closed")


def test_a_fence_that_is_closed_by_that_of_the_next() -> None:
    text = "```text\n1\n\n```python <<\n1 / 0\n```\n"
    assert_refused(text, "begins inside the one of line 1")


def test_a_fence_less_indented_than_its_opening() -> None:
    text = "- a list\n\n    ```python\n  x = 1 <<\n    ```\n"
    assert_refused(text, "less indented than its fence, which begins on line 3")


def test_a_fence_on_the_line_of_a_bullet() -> None:
    assert_refused("- ```python <<\n  print(1)\n  ```\n", "a line of its own")


def test_an_unreadable_fence_is_a_value_error() -> None:
    with pytest.raises(FenceError, match="line 1: this fence is never closed"):
        read_fences("```python\n")
    assert issubclass(FenceError, ValueError)


def test_a_fence_in_a_comment() -> None:
    assert_refused("<!--\n```python <<\nx = 1\n```\n-->\n", "HTML comment")


def test_a_comment_closed_before() -> None:
    page, _ = page_with(
        "<!-- a `-->` closes -->\n\n```python\nx = '<!--'\n```\n\n```python\n1\n```\n"
    )
    assert not all_faults(page)


# Figures

DRAW = "import matplotlib.pyplot as plt\n\nplt.subplots()[1].plot([0, {}])"


@pytest.fixture
def chapter(tmp_path: Path) -> Path:
    return tmp_path / "page.md"


def drawing(path: Path, height: int = 1, image: str = "![A line](figures/line.svg)") -> Page:
    path.write_text(snippet(DRAW.format(height)) + f"\n{image}\n", encoding="utf-8")
    return Page(path)


def test_a_figure(chapter: Path) -> None:
    assert not refresh(drawing(chapter))
    assert not all_faults(Page(chapter))


def test_a_stale_figure(chapter: Path) -> None:
    refresh(drawing(chapter, height=1))
    fault = only_fault(drawing(chapter, height=2))
    assert "stale" in fault.message
    assert "make refresh PAGES=" in fault.message
    assert fault.line == 7


def test_a_missing_figure(chapter: Path) -> None:
    faults = all_faults(drawing(chapter))
    assert {fault.line for fault in faults} == {7}
    assert any("figures/line.svg is missing" in fault.message for fault in faults)


def test_a_figure_that_is_not_shown(chapter: Path) -> None:
    fault = only_fault(drawing(chapter, image="No image."))
    assert "drawn by the snippet: 1; shown before the next: 0" in fault.message
    assert fault.line == 1


def test_a_figure_that_is_not_drawn(chapter: Path) -> None:
    refresh(drawing(chapter))
    chapter.write_text(snippet("x = 1") + "\n![A line](figures/line.svg)\n", encoding="utf-8")
    fault = only_fault(Page(chapter))
    assert "drawn by the snippet: 0; shown before the next: 1" in fault.message
    assert fault.line == 5


def test_two_figures_of_one_snippet(chapter: Path) -> None:
    code = DRAW.format(1) + "\nplt.subplots()"
    chapter.write_text(snippet(code), encoding="utf-8")
    assert "drawn by the snippet: 2" in only_fault(Page(chapter)).message


# Prerequisites


def test_a_change_that_no_name_tells() -> None:
    assert_refused(
        """
        ```python
        log = []
        record = [log.append][0]
        hidden = globals()
        ```

        ```python
        hidden["log"] = [1]
        ```

        ```python <<
        print(log)
        ```

        ```output
        [1]
        ```
        """,
        r"needs? \(lines 2\) it gives another result",
    )


def test_needs_that_miss_a_snippet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were one left out of those that a snippet is said to need, the page would be refused."""
    monkeypatch.setattr(checking, "needs", lambda sources: [[], [], [0]])
    assert_refused(
        """
        ```python
        w = 1
        ```

        ```python
        w = 2
        ```

        ```python <<
        print(w)
        ```

        ```output
        2
        ```
        """,
        "gives another result",
    )


def test_needs_that_miss_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "needs", lambda sources: [[], []])
    text = "```python\nw = 1\n```\n\n```python <<\nw + 1\n```\n"
    assert_refused(text, r"\(lines none\) it gives NameError")


# The package: here a small one, so that these tests do not hang on the real one's every line


SGD = '''def sgd_step(parameters, gradients, learning_rate):
    """Words of the chapter's own."""
    # and a comment
    return {name: value - learning_rate * gradients[name] for name, value in parameters.items()}
'''

HALVES = "HALVES = {2: 0.5}\n"

DESCENT = '''"""Gradient descent. Written in chapter 4."""

HALVES: dict[int, float] = {2: 0.5}


@values(learning_rate=positive)
def sgd_step(
    parameters: Parameters, gradients: Parameters, learning_rate: float
) -> Parameters:
    """Return the parameters moved one step.

    >>> sgd_step({}, {}, 1.0)
    {}
    """
    return {
        name: value - learning_rate * gradients[name] for name, value in parameters.items()
    }
'''

MODULES = {
    "data": "Supporting.",
    "numerical": "Written in chapter 2.",
    "regression": "Written in chapter 3.",
}

CHAPTER_4 = Path("04-batches.md")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package whose chapter 4 writes HALVES and sgd_step."""
    (tmp_path / "descent.py").write_text(DESCENT, encoding="utf-8")
    for name, docstring in MODULES.items():
        (tmp_path / f"{name}.py").write_text(f'"""{docstring}"""\n', encoding="utf-8")
    monkeypatch.setattr(definitions, "PACKAGE", tmp_path)
    return tmp_path


@pytest.mark.usefixtures("package")
class TestThePackage:
    def test_a_chapter_that_holds_its_definitions(self) -> None:
        page, _ = page_with(snippet(SGD) + snippet(HALVES), CHAPTER_4)
        assert not all_faults(page)

    def test_drafts_do_not_count(self) -> None:
        draft = "HALVES = {}\n\n\ndef sgd_step(parameters):\n    return parameters"
        page, _ = page_with(snippet(draft) + snippet(HALVES) + snippet(SGD), CHAPTER_4)
        assert not all_faults(page)

    def test_a_definition_that_differs(self) -> None:
        wrong = SGD.replace("value - l", "value + l").replace("rate):", f"rate):{MARK}")
        text = snippet(HALVES) + snippet(f"x = 1\n\n{wrong}")
        why = r"sgd_step differs from the package's:(?s:.*)\n-.*value \+.*\n\+.*value -"
        assert_refused(text, why, CHAPTER_4)

    def test_a_value_that_differs(self) -> None:
        text = snippet(SGD) + snippet(f"HALVES = {{2: 0.25}}{MARK}")
        assert_refused(text, "HALVES differs", CHAPTER_4)

    def test_a_draft_that_comes_last(self) -> None:
        draft = f"def sgd_step(parameters):{MARK}\n    return parameters"
        text = snippet(HALVES) + snippet(SGD) + snippet(draft)
        assert_refused(text, "sgd_step differs", CHAPTER_4)

    def test_a_definition_that_is_missing(self) -> None:
        page, _ = page_with(snippet(SGD), CHAPTER_4)
        fault = only_fault(page)
        assert "descent.HALVES is not written here" in fault.message
        assert fault.line == 1

    def test_another_chapter_need_not_hold_it(self) -> None:
        assert not all_faults(Page(Path("05-later.md"), "No code.\n"))

    def test_a_module_that_names_no_chapter(self, package: Path) -> None:
        (package / "loose.py").write_text('"""Functions."""\n', encoding="utf-8")
        with pytest.raises(ValueError, match=r"loose.py: its docstring should say"):
            definitions.module_chapters()

    @pytest.mark.parametrize(
        "statement",
        [
            "from backprop_book import sgd_step",
            "from backprop_book import lights, sgd_step",
            "from backprop_book.descent import sgd_step",
            "import backprop_book.descent",
            "if True:\n    from backprop_book import sgd_step",
        ],
    )
    def test_an_import_of_what_is_written_later(self, statement: str) -> None:
        text = snippet(f"x = 1\n{statement}{MARK}")
        assert_refused(text, "it is chapter 4 that writes it", Path("01-first.md"))

    def test_an_import_of_what_the_chapter_wrote_above(self) -> None:
        imported = snippet("from backprop_book import sgd_step")
        page, _ = page_with(snippet(SGD) + snippet(HALVES) + imported, CHAPTER_4)
        assert not all_faults(page)

    def test_an_import_of_what_the_chapter_writes_below(self) -> None:
        imported = snippet(f"from backprop_book import sgd_step{MARK}")
        text = imported + snippet(SGD) + snippet(HALVES)
        assert_refused(text, "it is chapter 4 that writes it", CHAPTER_4)

    @pytest.mark.parametrize("name", ["lights", "dense", "numerical_gradient"])
    def test_an_import_of_what_stands_earlier(self, name: str) -> None:
        imported = snippet(f"from backprop_book import {name}")
        page, _ = page_with(snippet(SGD) + snippet(HALVES) + imported, CHAPTER_4)
        assert not all_faults(page)

    def test_a_page_that_is_no_chapter_may_import_all(self) -> None:
        page, _ = page_with(snippet("from backprop_book import sgd_step"), Path("interlude.md"))
        assert not all_faults(page)

    @pytest.mark.parametrize(
        "imported", ["from backprop_book import nothing", "import backprop_book"]
    )
    def test_an_import_that_is_no_public_name(self, imported: str) -> None:
        page, [line] = page_with(snippet(f"x = 1\n{imported}{MARK}"), Path("09-late.md"))
        faults = all_faults(page)
        assert {fault.line for fault in faults} == {line}
        assert any("backprop_book" in fault.message for fault in faults)


# Links, headings, images


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("A [link](nowhere.md).", "there is no nowhere.md"),
        ('A [link](nowhere.md "with a title").', "there is no nowhere.md"),
        ("A [link](other.md#nowhere).", "other.md has no #nowhere"),
        ("A [link](#nowhere).", "has no #nowhere"),
        ("[named]: nowhere.md", "there is no nowhere.md"),
        ("![A picture](nowhere.png)", "there is no nowhere.png"),
        ("![](picture.png)", "no alt text"),
        ("![ ](picture.png)", "no alt text"),
        ('<img src="picture.png">', "no alt text"),
        ('<img alt="" src="picture.png">', "no alt text"),
        ("## Here", "the id 'here' is that of line 3 too"),
        ("## Elsewhere {#here}", "the id 'here' is that of line 3 too"),
        ("## Elsewhere {: #here }", "the id 'here' is that of line 3 too"),
        ("A paragraph.\n{: #here }", "the id 'here' is that of line 3 too"),
    ],
)
def test_a_broken_link_heading_or_image(line: str, why: str, tmp_path: Path) -> None:
    text = f"# One\n\n## Here\n\nText.\n\n{line}{MARK}\n"
    page, [number] = page_with(text, tmp_path / "page.md")
    page.path.write_text(page.text, encoding="utf-8")
    (tmp_path / "other.md").write_text("# Other\n\n## There\n", encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"")
    fault = only_fault(page)
    assert re.search(why, fault.message), fault.message
    assert fault.line == number


@pytest.mark.parametrize(
    "line",
    [
        "A [link](other.md), [another](other.md#there), [and one](#here), [off](https://a.org/b).",
        'A [link](other.md#named "with a title") and [`code`](other.md#there).',
        "![A picture](picture.png)",
        '<img alt="A picture" src="picture.png">',
        "`[no link](nowhere.md)` and ``![](none.png)``",
        "```text\n# Here\n\n[no link](nowhere.md) ![](none.png)\n```",
        "A footnote.[^1]\n\n[^1]: nowhere.md",
        "[named]: other.md",
    ],
)
def test_good_links_headings_and_images(line: str, tmp_path: Path) -> None:
    page = Page(tmp_path / "page.md", f"# One\n\n## Here\n\n{line}\n")
    page.path.write_text(page.text, encoding="utf-8")
    other = "# Other\n\n## There\n\nText.\n{: #named }\n"
    (tmp_path / "other.md").write_text(other, encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"")
    assert not all_faults(page)


# Randomness


@pytest.mark.parametrize(
    "draw",
    [
        "np.random.default_rng()",
        "np.random.default_rng(None)",
        "np.random.RandomState()",
        "random.Random()",
        "np.random.rand()",
        "np.random.shuffle([1])",
        "random.random()",
    ],
)
def test_unseeded_randomness(draw: str) -> None:
    text = f"```python\nimport random\n\nimport numpy as np\n\n_ = {draw} <<\n```\n"
    assert_refused(text, "without a seed")


@pytest.mark.parametrize(
    "draw",
    [
        "np.random.default_rng(0)",
        "np.random.default_rng(seed=0).normal()",
        "np.random.RandomState(1)",
        "np.random.seed(1), np.random.rand()",
        "random.seed(1), random.random()",
        "isinstance(1, np.random.Generator)",
    ],
)
def test_seeded_randomness(draw: str) -> None:
    page, _ = page_with(snippet(f"import random\n\nimport numpy as np\n\n_ = {draw}"))
    assert not all_faults(page)


def test_an_unseeded_number_that_is_shown() -> None:
    code = "import os\n\nprint(int.from_bytes(os.urandom(8)))"
    assert_refused(snippet(code, "123456", marked="output"), "differ")

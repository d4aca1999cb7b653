"""`make refresh`: what it rewrites, what it leaves alone, and what it says."""

from pathlib import Path

import pytest
from matplotlib import pyplot as plt

from press.book import all_faults
from press.fences import Page
from press.refresh import main, refresh

PRINT = "```python\nprint(1)\n```\n"
SHOWN = PRINT + "\n```output\n1\n```\n"
DRAW = """```python
import matplotlib.pyplot as plt

figure, ax = plt.subplots()
line, = ax.plot([0, 1])
```

![A line](figures/line.svg)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "page.md"


def refreshed(file: Path, text: str) -> str:
    """Return what refreshing makes of a page; a second time must change nothing."""
    file.write_bytes(text.encode())
    assert not refresh(Page(file))
    once = file.read_bytes()
    assert not refresh(Page(file))
    assert file.read_bytes() == once
    return once.decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(SHOWN, SHOWN, id="a right page stays"),
        pytest.param(SHOWN.replace("\n1\n", "\n2\n"), SHOWN, id="a wrong output is replaced"),
        pytest.param(PRINT, SHOWN, id="a missing output is inserted"),
        pytest.param(f"{PRINT}\nText.\n", f"{SHOWN}\nText.\n", id="before the text that follows"),
        pytest.param(f"{PRINT}{PRINT}", f"{SHOWN}{SHOWN}", id="between two snippets"),
        pytest.param(
            "```python\nx = 1\n```\n\n```output\n1\n```\n\nText.\n",
            "```python\nx = 1\n```\n\nText.\n",
            id="an output of nothing is removed",
        ),
        pytest.param(
            "```python\nprint(1)\n```\n```output\n2\n```\n", SHOWN, id="an output without a gap"
        ),
        pytest.param(PRINT.rstrip("\n"), SHOWN.rstrip("\n"), id="no line end at the end"),
        pytest.param("No code.", "No code.", id="no code"),
        pytest.param("", "", id="an empty page"),
        pytest.param(
            PRINT.replace("```python", '```{.python title="x"}'),
            SHOWN.replace("```python", '```{.python title="x"}'),
            id="attributes stay",
        ),
    ],
)
def test_outputs(before: str, after: str, file: Path) -> None:
    assert refreshed(file, before) == after


@pytest.mark.parametrize(
    ("printed", "output"),
    [
        pytest.param("'  1\\n 2'", "  1\n 2", id="leading blanks"),
        pytest.param("'a\\n\\n\\nb'", "a\n\n\nb", id="empty lines"),
        pytest.param("'a  \\nb'", "a  \nb", id="trailing blanks"),
        pytest.param("'a', end=''", "a", id="no line end"),
        pytest.param("'a\\n\\n'", "a", id="many line ends"),
        pytest.param("'é ≤ 😀'", "é ≤ 😀", id="unicode"),
        pytest.param("r'\\1 \\g<0> {x}'", "\\1 \\g<0> {x}", id="what a template would eat"),
    ],
)
def test_odd_outputs(printed: str, output: str, file: Path) -> None:
    code = f"```python\nprint({printed})\n```\n"
    assert refreshed(file, code) == f"{code}\n```output\n{output}\n```\n"
    assert not all_faults(Page(file))


def test_a_printed_fence_gets_a_longer_one(file: Path) -> None:
    code = "```python\nprint('`' * 3)\n```\n"
    assert refreshed(file, code) == f"{code}\n````output\n```\n````\n"
    assert not all_faults(Page(file))


@pytest.mark.parametrize("prefix", ["    ", "        ", "> ", "> > ", "    > "])
def test_nesting_is_kept(prefix: str, file: Path) -> None:
    def nested(text: str) -> str:
        return "".join((prefix + line).rstrip() + "\n" for line in text.splitlines())

    code = "```python\nif True:\n    print('  1\\n\\n2')\n```"
    wrong, right = (f"{code}\n\n```output\n{shown}\n```" for shown in ("3", "  1\n\n2"))
    assert refreshed(file, nested(code)) == nested(right)
    assert refreshed(file, nested(wrong)) == nested(right)


def test_windows_line_ends_are_kept(file: Path) -> None:
    assert refreshed(file, PRINT.replace("\n", "\r\n")) == SHOWN.replace("\n", "\r\n")


def test_a_digit_beyond_the_tenth_is_left_alone(file: Path) -> None:
    page = "```python\nprint('1.23456789012')\n```\n\n```output\n1.23456789013\n```\n"
    assert refreshed(file, page) == page
    assert "1.23456789012\n```" in refreshed(file, page.replace("\n1.23456789013", "\n1.2345"))


def test_illustrations_are_left_alone(file: Path) -> None:
    page = f"````markdown\n{PRINT}````\n"
    assert refreshed(file, page) == page


def test_figures(file: Path) -> None:
    figure = file.parent / "figures" / "line.svg"
    refreshed(file, DRAW)
    first = figure.read_bytes()
    assert first.startswith(b"<?xml")
    figure.write_bytes(b"stale")
    assert refreshed(file, DRAW) == DRAW
    assert figure.read_bytes() == first, "the same figure should be the same bytes"
    refreshed(file, DRAW.replace("[0, 1]", "[0, 2]"))
    assert figure.read_bytes() != first


def test_a_figure_that_was_left_open_is_not_the_page_s(file: Path) -> None:
    refreshed(file, DRAW)
    plt.subplots()
    assert not all_faults(Page(file))


@pytest.mark.parametrize("other", ["plt.rcParams['lines.linewidth'] = 9", "plt.subplots()"])
def test_a_figure_does_not_hang_on_the_pages_before(other: str, file: Path) -> None:
    figure = file.parent / "figures" / "line.svg"
    refreshed(file, DRAW)
    alone = figure.read_bytes()
    refreshed(file, f"```python\nimport matplotlib.pyplot as plt\n\n{other}\n```\n")
    refreshed(file, DRAW)
    assert figure.read_bytes() == alone


@pytest.mark.parametrize(
    ("broken", "line", "message"),
    [
        ("```python\n1 / 0\n```\n", 12, "raises ZeroDivisionError"),
        ("```python\nif\n```\n", 12, "SyntaxError"),
        ("```python\nprint(1)\n", 14, "begins inside the one of line 11"),
    ],
)
def test_a_page_that_fails_is_left_as_it_was(
    broken: str, line: int, message: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = f"# One\r\n\n{DRAW}{broken}\n```output\nstale\n```".encode()
    file.write_bytes(before)
    assert main([str(file)]) == 1
    assert file.read_bytes() == before
    assert not (file.parent / "figures").exists()
    told = capsys.readouterr().out
    assert f"{file} left as it was" in told
    assert f"{file}:{line}: " in told
    assert message in told


def test_what_is_said(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(PRINT, encoding="utf-8")
    assert main([str(file)]) == 0
    assert capsys.readouterr().out == f"{file} changed\n"
    assert main([str(file)]) == 0
    assert capsys.readouterr().out == f"{file}\n"


def test_the_other_pages_are_refreshed_though_one_fails(file: Path) -> None:
    good = file.with_name("good.md")
    file.write_text("```python\n1 / 0\n```\n", encoding="utf-8")
    good.write_text(PRINT, encoding="utf-8")
    assert main([str(file), str(good)]) == 1
    assert good.read_text(encoding="utf-8") == SHOWN


def test_a_page_that_does_not_exist(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(file)]) == 1
    assert f"{file}: there is no such page" in capsys.readouterr().out

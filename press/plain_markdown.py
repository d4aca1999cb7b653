"""Turn the book's Markdown into the plain Markdown that Jupyter renders.

Code and formulas are put aside while the text around them is worked on; a mark keeps their place.
"""

import re
from collections.abc import Callable

from press.fences import INLINE_CODE, Fence, read_fences
from press.numbering import NUMBER

Address = Callable[[str], str]

PYTHON = "\ue000{}\ue001"
"""The mark, on a line of its own, of the Python fence of that number."""

IS_PYTHON = re.compile("\ue000\\d+\ue001")
ASIDE = re.compile("(?P<prefix>^[ \t>]*)?\ue002(?P<number>\\d+)\ue003", re.MULTILINE)
LINE_BREAK = re.compile(r"[ \t]*\n[ \t>]*")

FORMULAS = [
    (re.compile(r"(?<![\\$])\$\$(?P<tex>.+?)\$\$", re.DOTALL), "$${}$$"),
    (re.compile(r"(?<=\n)(?P<before>[ \t>]*)\\\[(?P<tex>.+?)\\\]", re.DOTALL), "$${}$$"),
    (re.compile(r"(?<!\\)\\\((?P<tex>.+?)\\\)", re.DOTALL), "${}$"),
    (re.compile(r"(?<![\\$])\$(?!\s)(?P<tex>(?:(?!\n[ \t>]*\n)[^$])+?)(?<!\s)\$"), "${}$"),
]
DOLLAR = re.compile(r"(?<!\\)\$")
LABEL = re.compile(r"\\label\{[^}]*\}")

ATTRIBUTE = r"(?:[#.][\w:-]+|[\w-]+=(?:\"[^\"]*\"|'[^']*'|[^\s}\"']+))"
ATTRIBUTES = re.compile(rf"[ \t]*\{{:?[ ]*{ATTRIBUTE}(?:[ ]+{ATTRIBUTE})*[ ]*\}}")
CAPTION = re.compile(
    r"^(?P<indent>[ \t>]*)<figcaption\b[^>]*>(?P<text>.*?)</figcaption>", re.MULTILINE | re.DOTALL
)
WRAPPER = re.compile(r"^[ \t>]*</?(?:figure|div|section)\b[^>]*>[ \t]*$", re.MULTILINE)
TARGET = re.compile(
    r"(?P<before>\]\(|\b(?:href|src)=\"|^[ ]{0,3}\[[^\]^]+\]:[ ]+)(?P<target>[^()\s\"]+)",
    re.MULTILINE,
)
REFERENCE = re.compile(r"\[\^(?P<name>[^\]]+)\](?!:)")

BLOCK = re.compile(
    r"(?P<indent>[ ]*)(?P<mark>!!!|\?\?\?\+?|===[+!]?)"
    r"(?:[ ]+(?P<kind>\w[\w -]*?))?(?:[ ]+\"(?P<title>.*)\")?[ ]*$"
)
FOOTNOTE = re.compile(r"(?P<indent>[ ]*)\[\^(?P<name>[^\]]+)\]:[ ]*(?P<text>.*)")
NESTING = " " * 4


class Aside:
    """What has been put aside, to be restored by its marks."""

    def __init__(self) -> None:
        """Begin with nothing put aside."""
        self.kept: list[str] = []

    def put(self, text: str) -> str:
        """Keep a text and return its mark."""
        self.kept.append(text)
        return f"\ue002{len(self.kept) - 1}\ue003"

    def restore(self, text: str) -> str:
        """Put everything back; what has several lines is indented or quoted as its mark is."""
        while ASIDE.search(text):
            text = ASIDE.sub(self._restored, text)
        return text

    def _restored(self, mark: re.Match[str]) -> str:
        prefix = mark["prefix"] or ""
        return prefix + self.kept[int(mark["number"])].replace("\n", f"\n{prefix}")


def plain(markdown: str, address: Address) -> str:
    """Return a page's Markdown without what Jupyter does not know.

    `markdown` has marks in place of its Python fences, and the result has them too; `address`
    turns the target of a link into one that works from anywhere.
    """
    aside = Aside()
    text = _put_code_aside(markdown, aside)
    text = _put_formulas_aside(text, aside)
    text = NUMBER.sub(r"\g<title>", text)
    text = _plain_figures(ATTRIBUTES.sub("", text))
    text = _plain_links(text, address)
    text = "\n".join(_plain_lines(text.split("\n")))
    return aside.restore(re.sub(r"\n{3,}", "\n\n", text))


def _put_code_aside(text: str, aside: Aside) -> str:
    for fence in reversed(read_fences(text)):
        mark = fence.prefix + aside.put(_plain_fence(fence))
        text = text[: fence.start] + mark + text[fence.end :]
    return INLINE_CODE.sub(lambda code: aside.put(LINE_BREAK.sub(" ", code[0])), text)


def _plain_fence(fence: Fence) -> str:
    ticks = "```"
    while ticks in fence.source:
        ticks += "`"
    return f"{ticks}{fence.language}\n{fence.source.rstrip()}\n{ticks}"


def _put_formulas_aside(text: str, aside: Aside) -> str:
    """Put each formula aside in one line: in a quotation Jupyter loses those of several."""
    for pattern, shape in FORMULAS:

        def put(formula: re.Match[str], shape: str = shape) -> str:
            tex = LINE_BREAK.sub(" ", LABEL.sub("", formula["tex"]))
            return (formula.groupdict().get("before") or "") + aside.put(shape.format(tex))

        text = pattern.sub(put, text)
    return DOLLAR.sub(r"\\$", text)


def _plain_figures(text: str) -> str:
    return WRAPPER.sub("", CAPTION.sub(_plain_caption, text))


def _plain_caption(caption: re.Match[str]) -> str:
    text = LINE_BREAK.sub(" ", caption["text"].strip())
    emphasised = f"<em>{text}</em>" if "*" in text else f"*{text}*"
    return f"\n{caption['indent']}{emphasised}"


def _plain_links(text: str, address: Address) -> str:
    text = TARGET.sub(lambda link: link["before"] + address(link["target"]), text)
    return REFERENCE.sub(lambda note: _plain_reference(note["name"], address), text)


def _plain_reference(name: str, address: Address) -> str:
    return f"<sup>[{name}]({address(f'#fn:{name}')})</sup>"


def _plain_lines(lines: list[str]) -> list[str]:
    """Turn each block that nests its text (admonition, tab, footnote) into plain paragraphs."""
    plain_lines = []
    while lines:
        line, *lines = lines
        opening = BLOCK.match(line) or FOOTNOTE.match(line)
        if opening and any(opening.groups()[2:]):
            body, lines = _split_body(lines, opening["indent"] + NESTING)
            block = _plain_block(opening.groupdict(), _plain_lines(body))
            plain_lines += ["", *(opening["indent"] + inner for inner in block), ""]
        else:
            plain_lines.append(line)
    return plain_lines


def _split_body(lines: list[str], nesting: str) -> tuple[list[str], list[str]]:
    """Split off the lines that are nested, with their nesting taken away."""
    end = 0
    for i, line in enumerate(lines):
        if line.startswith(nesting):
            end = i + 1
        elif line.strip():
            break
    return [line[len(nesting) :] for line in lines[:end]], lines[end:]


def _plain_block(opening: dict[str, str | None], body: list[str]) -> list[str]:
    if "name" in opening:
        return [f"<sup>{opening['name']}</sup> {opening['text']}", *body]
    mark, title = str(opening["mark"]), _title(opening)
    body = "\n".join(body).strip("\n").split("\n")
    if mark.startswith("===") or IS_PYTHON.search("\n".join(body)):
        return [f"**{title}**", "", *body]
    return _folded(title, body) if mark.startswith("?") else _quoted(title, body)


def _title(opening: dict[str, str | None]) -> str:
    """Return a block's title; where it has none, its kind is the title, as on the site."""
    kind, title = opening["kind"] or "", opening["title"]
    return kind.partition(" ")[0].capitalize() if title is None else title


def _folded(title: str, body: list[str]) -> list[str]:
    return [f"<details><summary>{title}</summary>", "", *body, "", "</details>"]


def _quoted(title: str, body: list[str]) -> list[str]:
    lines = [f"**{title}**", "", *body] if title else body
    return [f"> {line}".rstrip() for line in lines]

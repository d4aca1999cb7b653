"""Give each figure to play with its button, and the sentence that says what to try."""

import re
from pathlib import Path

FIGURE = re.compile(
    r'<figure(?P<attributes>[^>]* data-explorable="(?P<name>[\w-]+)"[^>]*)>'
    r"(?P<content>.*?)</figure>",
    re.DOTALL,
)
TRY = re.compile(r' data-try="(?P<sentence>[^"]+)"')
MODULES = Path("assets", "explorables")


def add_buttons(page: str, docs: Path) -> str:
    """Put a button, and what to try with it, at the end of each figure to play with.

    Raises ValueError for a figure whose module is not there, or that does not say what to try.
    """
    return FIGURE.sub(lambda figure: _with_button(figure, docs), page)


def _with_button(figure: re.Match[str], docs: Path) -> str:
    name, told = figure["name"], TRY.search(figure["attributes"])
    module = MODULES / f"{name}.js"
    if not (docs / module).is_file():
        raise ValueError(f"the figure {name!r} has no module {module.as_posix()}")
    if not told:
        raise ValueError(f"the figure {name!r} has no data-try: a sentence on what to try")
    return (
        f"<figure{TRY.sub('', figure['attributes'])}>{figure['content']}"
        f'<p class="try">{told["sentence"]}</p>'
        f'<button class="play" type="button">Play with it</button></figure>'
    )

"""What a reader has: IPython, as a notebook runs it, and the libraries that may be imported.

It imports nothing of the tests or the press, so that a notebook finds nothing of theirs.
"""

import os
import sys
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.pylabtools import activate_matplotlib
from IPython.utils.capture import capture_output
from matplotlib_inline.backend_inline import configure_inline_support
from traitlets.config import Config

NO_HISTORY = Config({"HistoryManager": {"enabled": False}})
INLINE = "module://matplotlib_inline.backend_inline"


class Only:
    """Finds the modules that are allowed, as another finder does, and no other."""

    def __init__(self, finder: Any, allowed: set[str]) -> None:
        self.finder = finder
        self.allowed = allowed

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        allowed = name.partition(".")[0] in self.allowed
        return self.finder.find_spec(name, path, target) if allowed else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.finder, name)


def run_cells(sources: list[str], folder: Path, allowed: set[str]) -> list[tuple[Any, ...]]:
    """Run cells in a folder; return what each printed, the warnings it gave, and what it displayed.

    After that this process is good for nothing else.
    """
    os.chdir(folder)
    os.environ["IPYTHONDIR"] = str(folder / ".ipython")
    sys.meta_path[:] = [Only(finder, allowed) for finder in sys.meta_path]
    for name in [name for name in sys.modules if name.partition(".")[0] not in allowed]:
        del sys.modules[name]
    shell = InteractiveShell.instance(config=NO_HISTORY)
    activate_matplotlib(INLINE)
    configure_inline_support(shell, INLINE)
    return [_run(shell, source) for source in sources]


def _run(shell: InteractiveShell, source: str) -> tuple[Any, ...]:
    with capture_output() as captured:
        shell.display_trap.hook = sys.displayhook  # the one that captures
        ran = shell.run_cell(source)
    if error := ran.error_before_exec or ran.error_in_exec:
        raise RuntimeError(f"{error!r} in the cell\n{source}")
    return captured.stdout, captured.stderr, [output.data for output in captured.outputs]

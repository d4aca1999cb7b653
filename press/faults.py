"""What every check of a page returns."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """Something wrong on a page, with the line to look at."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        """Return it as an editor understands it: path, line, message."""
        return f"{self.path}:{self.line}: {self.message}"

"""Decide whether what a page shows is what its code printed."""

import difflib
import math
import re

NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
ENOUGH_DIGITS = 10
RELATIVE_TOLERANCE = 1e-9


def same_output(shown: str, printed: str) -> bool:
    """Compare to the letter, but numbers of ten or more significant digits to 1e-9 relative.

    Line ends at the very end do not count.
    """
    shown, printed = shown.rstrip("\n"), printed.rstrip("\n")
    if NUMBER.sub("#", shown) != NUMBER.sub("#", printed):
        return False
    pairs = zip(NUMBER.findall(shown), NUMBER.findall(printed), strict=True)
    return all(_same_number(a, b) for a, b in pairs)


def difference(shown: str, printed: str) -> str:
    """Return a diff of what the page shows and what its code printed."""
    lines = difflib.unified_diff(
        shown.splitlines(), printed.splitlines(), "shown", "printed", lineterm="", n=1
    )
    return "\n".join(lines)


def _same_number(a: str, b: str) -> bool:
    if a == b:
        return True
    if min(_significant_digits(a), _significant_digits(b)) < ENOUGH_DIGITS:
        return False
    return math.isclose(float(a), float(b), rel_tol=RELATIVE_TOLERANCE, abs_tol=0.0)


def _significant_digits(number: str) -> int:
    mantissa = re.split("[eE]", number)[0]
    return len(mantissa.lstrip("+-0.").replace(".", ""))

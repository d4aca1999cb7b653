"""Find the Chromium that prints the book and that the tests look through."""

import os
import shutil

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
MISSING = "Chromium is not installed: apt-get install chromium, or set CHROMIUM to the path of one"


def find_chromium() -> str | None:
    """Return the path of a Chromium, that in the variable CHROMIUM first; None if there is none."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)

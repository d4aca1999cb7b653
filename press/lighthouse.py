"""Ask Lighthouse about pages of the built site: `python -m press.lighthouse SITE [PAGE ...]`.

A page is named by its address from the home page, as `part-2/07-forks/`; without any, all are asked
about. Lighthouse is a program for Node; npm puts it beside the Python environment, once.
Performance is a time, which depends on what else the machine does: it is told, with those below 95
marked, and asserted of no page. The other scores are, and have to be 100.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from press.chromium import FLAGS, MISSING, find_chromium

LIGHTHOUSE = "lighthouse@12.8.2"
FOLDER = Path(sys.prefix, "lighthouse")
TOLD, ASSERTED = "performance", ["accessibility", "best-practices", "seo"]
GOAL = 95  # for what is told
COMPRESSED = {".html", ".css", ".js", ".json", ".svg", ".xml", ".txt"}
PATIENCE = 180  # seconds that a page may take


class Compressing(SimpleHTTPRequestHandler):
    """Serves files as a host of static pages does: compressed, and to be kept for a while."""

    def do_GET(self) -> None:
        """Answer with a file, or with that of a folder."""
        file = Path(self.translate_path(self.path))
        file = file / "index.html" if file.is_dir() else file
        if not file.is_file():
            return self.send_error(404)
        content = file.read_bytes()
        self.send_response(200)
        if file.suffix in COMPRESSED:
            content = gzip.compress(content, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", self.guess_type(file))
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def main() -> None:
    """Print a line of scores for each page; exit with 1 where one is not as it has to be."""
    parser = argparse.ArgumentParser(prog="python -m press.lighthouse", description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("pages", nargs="*", metavar="PAGE")
    arguments = parser.parse_args()
    program, chromium = find_lighthouse(), find_chromium() or sys.exit(MISSING)
    print(TOLD, *ASSERTED, "page", sep="\t")
    with served(arguments.site) as address:
        pages = arguments.pages or pages_of(arguments.site)
        good = [told(page, scores(program, chromium, address + page)) for page in pages]
    sys.exit(not all(good))


def find_lighthouse() -> Path:
    """Return the path of Lighthouse, which is installed where it is not yet; exit without npm."""
    program = FOLDER / "node_modules" / ".bin" / "lighthouse"
    if not program.exists():
        npm = shutil.which("npm") or sys.exit("Lighthouse needs Node 18 or newer, with npm.")
        command = [npm, "install", "--prefix", str(FOLDER), "--no-audit", "--no-fund", "--silent"]
        subprocess.run([*command, LIGHTHOUSE], check=True)
    return program


def pages_of(site: Path) -> list[str]:
    """Return the addresses of a site's pages from its home page, which is the first."""
    folders = sorted(file.parent.relative_to(site) for file in site.rglob("index.html"))
    return ["" if folder == Path() else f"{folder.as_posix()}/" for folder in folders]


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve a site at the address given."""
    handler = partial(Compressing, directory=site)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def scores(program: Path, chromium: str, url: str) -> dict[str, int]:
    """Return Lighthouse's scores of a page on its mobile setting, out of 100."""
    options = [f"--only-categories={','.join([TOLD, *ASSERTED])}", "--output=json", "--quiet"]
    ran = subprocess.run(
        [program, url, *options, f"--chrome-flags=--headless=new {' '.join(FLAGS)}"],
        env={**os.environ, "CHROME_PATH": chromium},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    if ran.returncode:
        sys.exit(ran.stderr)
    categories = json.loads(ran.stdout)["categories"]
    return {name: round(100 * (categories[name]["score"] or 0)) for name in [TOLD, *ASSERTED]}


def told(page: str, scored: dict[str, int]) -> bool:
    """Print the scores of a page; tell whether those that are asserted are as they have to be."""
    slow = "" if scored[TOLD] >= GOAL else f"\tbelow {GOAL} in {TOLD}"
    print(*scored.values(), f"{page or 'home'}{slow}", sep="\t", flush=True)
    return all(scored[name] == 100 for name in ASSERTED)


if __name__ == "__main__":
    main()

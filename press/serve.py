"""Serve the book with live reload: `python -m press.serve --port 8000`."""

import argparse
import hashlib
import logging
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

from mkdocs.__main__ import cli
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.livereload import LiveReloadServer

HOST = "127.0.0.1"
PACKAGE = Path(__file__).parent.parent / "backprop_book"
WATCHED = ["backprop_book", "press"]
KEPT_LABS = "KEPT_LABS"  # the variable that names the folder of what the labs gave

log = logging.getLogger("mkdocs.press")


def main() -> None:
    """Serve on the port asked for; exit with 1 where it is taken."""
    parser = argparse.ArgumentParser(prog="python -m press.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, metavar="N")
    port = parser.parse_args().port
    if is_taken(port):
        sys.exit(f"Port {port} is in use. Choose another: make serve PORT={port + 1}")
    print(f"The book will be at http://{HOST}:{port}/ once it is built; Ctrl-C stops it.")
    watched = [word for folder in WATCHED for word in ("--watch", folder)]
    with tempfile.TemporaryDirectory() as kept:
        os.environ[KEPT_LABS] = kept
        cli(["serve", "--dev-addr", f"{HOST}:{port}", *watched])


def keep_labs(config: MkDocsConfig) -> None:
    """While the book is served, run a lab again only if it or the package has changed."""
    if kept := os.environ.get(KEPT_LABS):
        package = b"".join(path.read_bytes() for path in sorted(PACKAGE.rglob("*.py")))
        folder = Path(kept, hashlib.sha256(package).hexdigest())
        config.plugins["mkdocs-jupyter"].config.update(cache=True, cache_dir=str(folder))


def is_taken(port: int) -> bool:
    """Tell whether something already listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def keep_serving(server: LiveReloadServer) -> None:
    """Let a rebuild that fails leave the last good site in place, and the server answering."""
    build = server.builder

    def rebuild() -> None:
        with tempfile.TemporaryDirectory() as kept:
            shutil.copytree(server.root, kept, dirs_exist_ok=True)
            try:
                build()
            except Exception as fault:
                log.error("%s\nThe site is served as it was before this change.", fault)
                _replace(Path(server.root), Path(kept))

    server.builder = rebuild


def _replace(folder: Path, by: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(by, folder)


if __name__ == "__main__":
    main()

"""Serve the book with live reload: `python -m press.serve --port 8000`."""

import argparse
import socket
import sys

from mkdocs.commands.serve import serve

HOST = "127.0.0.1"
WATCHED = ["backprop_book", "press"]


def main() -> int:
    """Serve on the port asked for; return 1 where it is taken."""
    parser = argparse.ArgumentParser(prog="python -m press.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, metavar="N")
    port = parser.parse_args().port
    if is_taken(port):
        print(f"Port {port} is in use. Choose another: make serve PORT={port + 1}", file=sys.stderr)
        return 1
    print(f"The book will be at http://{HOST}:{port}/ once it is built; Ctrl-C stops it.")
    serve(dev_addr=f"{HOST}:{port}", watch=WATCHED)
    return 0


def is_taken(port: int) -> bool:
    """Tell whether something already listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


if __name__ == "__main__":
    sys.exit(main())

"""Pack a built site into a zip that works opened from disk: `python -m press.offline SITE ZIP`.

A file has no server: its addresses name each `index.html`, and its scripts fetch nothing.
"""

import argparse
import json
import posixpath
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_suffix(".js")
UNUSED = shutil.ignore_patterns("404.html", "sitemap.xml*", "*.map", "search_index.json")

ADDRESS = re.compile(r'(?<=\bhref=")(?![a-z]+:|/|#)(?P<path>[^"?#]*)')
# from disk, a face that is fetched ahead is refused, and a module too
REFUSED = re.compile(r'<link rel="preload"[^>]*>|<script[^>]* type="module"[^>]*></script>')
IMPORTED = re.compile(r"""(?<=["'`])\./(?=[^"'`]*\.js["'`])""")


def pack(site: Path, archive: Path) -> None:
    """Write a built site, without need of a server, into a zip that unpacks into one folder."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, archive.stem)
        take_offline(site, folder)
        shutil.make_archive(str(archive.with_suffix("")), "zip", scratch, folder.name)


def take_offline(site: Path, folder: Path) -> None:
    """Copy a built site into a folder where it needs no server."""
    shutil.copytree(site, folder, ignore=UNUSED)
    for file in folder.rglob("*.html"):
        page = file.read_text(encoding="utf-8")
        depth = len(file.relative_to(folder).parts) - 1
        file.write_text(without_server(page, "../" * depth), encoding="utf-8")
    (folder / "assets" / "offline.js").write_text(_offline_script(site), encoding="utf-8")
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    script = f"var __index = {json.dumps(_with_files(index))}"
    (folder / "search" / "search_index.js").write_text(script, encoding="utf-8")


def without_server(page: str, home: str) -> str:
    """Return a page of the site as it opens from disk; `home` leads from it to the first folder."""
    page = ADDRESS.sub(lambda address: _file(address["path"]), REFUSED.sub("", page))
    return page.replace("</head>", f'<script src="{home}assets/offline.js"></script></head>', 1)


def _file(path: str) -> str:
    """Return the path of the file that a server gives for a path."""
    is_folder = posixpath.basename(path) in ("", ".", "..")
    return posixpath.join(path, "index.html") if is_folder else path


def _offline_script(site: Path) -> str:
    """Return the script that hands over the search worker and the modules of the figures."""
    [worker] = (site / "assets" / "javascripts" / "workers").glob("search.*.min.js")
    modules = {
        f"explorables/{file.name}": IMPORTED.sub("explorables/", file.read_text(encoding="utf-8"))
        for file in sorted((site / "assets" / "explorables").glob("*.js"))
    }
    handed = json.dumps(worker.read_text(encoding="utf-8")), json.dumps(modules)
    return f"({SCRIPT.read_text(encoding='utf-8')})({', '.join(handed)});"


def _with_files(index: dict[str, Any]) -> dict[str, Any]:
    """Return the search index with the file of each place that it knows."""
    for entry in index["docs"]:
        path, mark, anchor = entry["location"].partition("#")
        entry["location"] = _file(path) + mark + anchor
    return index


def main() -> None:
    """Pack the site of the folder named."""
    parser = argparse.ArgumentParser(prog="python -m press.offline", description=__doc__)
    parser.add_argument("site", type=Path, metavar="SITE", help="the folder of the built site")
    parser.add_argument("zip", type=Path, metavar="ZIP", help="the file to write")
    arguments = parser.parse_args()
    pack(arguments.site, arguments.zip)
    print(f"{arguments.zip}: {arguments.zip.stat().st_size / 1e6:.1f} MB, open its index.html")


if __name__ == "__main__":
    main()

"""The site, built once for the tests that look at it, served under a subpath, and a browser."""

import functools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from press.chromium import FLAGS, MISSING, find_chromium

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):  # NumPy's, PyTorch's
    os.environ.setdefault(name, "1")  # tests run side by side, a thread for each

ROOT = Path(__file__).parents[1]
SUBPATH = "backprop-book"
PATIENCE = 300  # seconds that the build may take


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that holds the site's pages, built strictly, once for all workers.

    `BUILT_SITE` names one that was built before.
    """
    if built := os.environ.get("BUILT_SITE"):
        return Path(built)
    own = tmp_path_factory.getbasetemp()
    served = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "served"
    try:
        served.mkdir()
    except FileExistsError:
        wait_for(served / "faults")
    else:
        build_site(served)
    faults = (served / "faults").read_text(encoding="utf-8")
    assert not faults, faults
    return served / SUBPATH


def build_site(served: Path) -> None:
    """Build the site into a folder, then write what MkDocs found wrong to `faults` beside it."""
    command = ["-m", "mkdocs", "build", "--strict", "-f", ROOT / "mkdocs.yml"]
    built = subprocess.run(
        [sys.executable, *command, "-d", served / SUBPATH],
        cwd=ROOT,
        env={**os.environ, "SITE_URL": f"http://localhost/{SUBPATH}/"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    told = served / "told"
    told.write_text(built.stderr if built.returncode else "", encoding="utf-8")
    told.rename(served / "faults")


def wait_for(path: Path) -> None:
    """Wait until another worker has written a file."""
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < end, f"no other worker wrote {path}"
        time.sleep(0.2)


class Quiet(SimpleHTTPRequestHandler):
    """Serves files that a browser may keep, and says nothing about it."""

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "max-age=600")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Serve the site under its subpath; return the address of its home page."""
    handler = functools.partial(Quiet, directory=site.parent)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{SUBPATH}/"
        server.shutdown()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium; without one skip, or fail where CI must have it."""
    if found := find_chromium():
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(MISSING)
    pytest.skip(MISSING)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def new_window(browser: Browser, address: str) -> Callable[[], AbstractContextManager[Page]]:
    """Open a window in a browser that knows no page, may use the clipboard and stays still."""

    @contextmanager
    def opened() -> Iterator[Page]:
        with browser.new_context(reduced_motion="reduce") as context:
            context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
            yield context.new_page()

    return opened


@pytest.fixture
def desktop(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """A wide window, in light colours, that may use the clipboard."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme="light", reduced_motion="reduce"
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    yield context
    context.close()

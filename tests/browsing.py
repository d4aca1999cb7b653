"""What the tests do with a page of the site in a browser."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

SETTLING = 150  # milliseconds


def visit(page: Page, url: str) -> None:
    """Open a page, with its folded solutions unfolded, and let its scripts and fonts settle."""
    page.goto(url)
    unfold(page)


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(box => box.open = true)")
    settle(page)


def settle(page: Page) -> None:
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(SETTLING)


@contextmanager
def recorded(page: Page) -> Iterator[tuple[list[str], list[str]]]:
    """Record the addresses that a page asks for, and what goes wrong in it."""
    requests: list[str] = []
    faults: list[str] = []
    listeners = {
        "request": lambda request: requests.append(request.url),
        "response": lambda reply: (
            reply.status < 400 or faults.append(f"{reply.status} {reply.url}")
        ),
        "requestfailed": lambda request: faults.append(f"failed {request.url}"),
        "console": lambda told: told.type == "error" and faults.append(told.text),
        "pageerror": lambda error: faults.append(str(error)),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    yield requests, faults
    for event, listener in listeners.items():
        page.remove_listener(event, listener)


def too_wide(page: Page, width: int) -> list[str]:
    """Return what makes a page wider than a window of that width."""
    page.set_viewport_size({"width": width, "height": 900})
    return page.evaluate(TOO_WIDE)


TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const wide = [...document.querySelectorAll("article *")]
    .filter(node => node.getBoundingClientRect().right > room);
  const told = wide.slice(0, 3).map(node => node.outerHTML.slice(0, 80));
  return [`${innerWidth} px are too few for ${told}`];
}"""


def out_of_reach(page: Page) -> list[str]:
    """Return the boxes that scroll sideways and that the keyboard does not reach."""
    return page.evaluate(OUT_OF_REACH)


OUT_OF_REACH = """() => [...document.querySelectorAll("article *")]
  .filter(box => box.scrollWidth > box.clientWidth + 1 && box.clientWidth > 1)
  .filter(box => ["auto", "scroll"].includes(getComputedStyle(box).overflowX))
  .filter(box => box.tabIndex < 0 && !box.querySelector("a, button, [tabindex]"))
  .map(box => `out of the keyboard's reach: ${box.outerHTML.slice(0, 80)}`)"""


def collisions(page: Page) -> list[str]:
    """Return the equations that come close to their number."""
    return page.evaluate(COLLISIONS)


COLLISIONS = """() => {
  const gap = equation => {
    const parts = [...equation.querySelectorAll(".katex-base")];
    const number = equation.querySelector(".katex-tag .text").getBoundingClientRect();
    return number.left - Math.max(...parts.map(part => part.getBoundingClientRect().right));
  };
  return [...document.querySelectorAll(".katex-html:has(> .katex-tag)")]
    .filter(equation => gap(equation) < 10)
    .map(equation => `an equation on its number: ${equation.textContent}`);
}"""


def copied_from(page: Page) -> list[list[str]]:
    """Press both buttons of every snippet; return the pairs of texts that they copied."""
    return page.evaluate(COPIED)


COPIED = """() => {
  let copied = "";
  document.addEventListener("copy", event => { copied = event.target.value });
  navigator.clipboard.writeText = async text => { copied = text };
  const press = button => { copied = ""; button.click(); return copied };
  return [...document.querySelectorAll("[id^=snippet-]")].map(snippet =>
    [".md-code__button", ".copy-with-needs"].map(name => press(snippet.querySelector(name))));
}"""

"""Ask axe-core what keeps people from using a page."""

from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def inject(page: Page) -> None:
    """Load axe into a page, and spare it what would take it minutes and tell it nothing.

    Formulas and drawings, which assistive technology takes as a whole, become empty boxes of
    their size, and of each kind of highlighted word in the code one is left.
    """
    page.evaluate(LIGHTEN)
    page.evaluate(AXE)


def violations(page: Page, width: int, scheme: str) -> list[str]:
    """Return what axe has to say about a page in a window of that width, in one colour scheme."""
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("scheme => document.body.dataset.mdColorScheme = scheme", scheme)
    return [f"{width} px, {scheme}: {told}" for told in page.evaluate(RUN, STANDARDS)]


LIGHTEN = """() => {
  const formulas = [...document.querySelectorAll(".katex")];
  const boxes = formulas.map(formula => formula.getBoundingClientRect());
  formulas.forEach((formula, i) => {
    formula.replaceChildren();
    formula.style.cssText =
      `display: inline-block; width: ${boxes[i].width}px; height: ${boxes[i].height}px`;
  });
  document.querySelectorAll("svg.plot").forEach(drawing => drawing.replaceChildren());
  const seen = new Set();
  for (const word of document.querySelectorAll("pre > code span[class]")) {
    if (seen.has(word.className)) word.replaceWith(word.textContent);
    seen.add(word.className);
  }
}"""

RUN = """async standards => {
  const told = await axe.run({runOnly: standards, resultTypes: ["violations"], preload: false});
  return told.violations.flatMap(({id, help, nodes}) =>
    nodes.map(node => `${id}: ${help}: ${node.html.slice(0, 120)}`));
}"""

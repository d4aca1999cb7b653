"""Drive a figure to play with, as a reader does, and read off what it shows."""

from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]


class Played:
    """A figure whose button has been pressed, on a page of the site."""

    def __init__(self, page: Page, url: str, name: str) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.set_default_timeout(30_000)
        page.goto(url)
        self.figure = page.locator(f'[data-explorable="{name}"]')
        self.figure.locator(".play").click()
        self.figure.locator(".stage").wait_for()

    def move(self, label: str, value: float) -> None:
        """Move a slider, as far as it goes."""
        slider = self.figure.get_by_label(label, exact=True)
        slider.evaluate("(it, v) => { it.value = v; it.dispatchEvent(new Event('input')) }", value)

    def choose(self, label: str, option: str) -> None:
        self.figure.get_by_role("combobox", name=label, exact=True).select_option(option)

    def press(self, button: str) -> None:
        self.figure.get_by_role("button", name=button, exact=True).click()

    def number(self, label: str) -> float:
        """Return a number that the figure shows, with every digit that it has."""
        shown = self.figure.locator(".readout", has=self.page.get_by_text(label, exact=True))
        return float(shown.locator("data").get_attribute("value") or "nan")

    def numbers(self) -> dict[str, float]:
        """Return all the labelled numbers of the figure at once."""
        told = self.figure.locator(".readout").evaluate_all(
            "all => all.map(it => [it.firstChild.textContent, it.lastChild.value])"
        )
        return {label: float(value) for label, value in told}

    @property
    def remark(self) -> str:
        return self.figure.locator(".remark").inner_text()

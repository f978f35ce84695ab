"""Debian's Chromium; a page that logs an error to its console fails the test."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
requires_chromium = pytest.mark.skipif(
    _CHROMIUM is None, reason="NOT RUN in a browser: no chromium (Debian: apt install chromium)"
)
ARTEFACTS = Path("test-artifacts")
DESK, PHONE = (1200, 900), (390, 844)
LOOKS = pytest.mark.parametrize(
    ("size", "theme"),
    [
        pytest.param(DESK, "light", id="desk-light"),
        pytest.param(PHONE, "dark", id="phone-dark"),
        pytest.param(DESK, "dark", id="desk-dark", marks=pytest.mark.slow),
        pytest.param(PHONE, "light", id="phone-light", marks=pytest.mark.slow),
    ],
)
"""Both sizes and both themes; all pairs in the slow run."""
TIMEOUT_MS = 30_000
expect.set_options(timeout=TIMEOUT_MS)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Run Chromium until the end of the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_CHROMIUM,
            # Tests may run as root, and in containers with little shared memory.
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(
    browser: Browser,
    address: str,
    *,
    size: tuple[int, int] = DESK,
    theme: Literal["light", "dark"] = "light",
    refused: bool = False,
) -> Iterator[Page]:
    """Open a URL; the console must be clean at the end, but for failed requests if `refused`."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
    )
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda one: errors.append(one.text) if one.type != "log" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        page.goto(address)
        yield page
        if refused:
            errors = [one for one in errors if "Failed to load resource" not in one]
        assert not errors
    finally:
        # A page that reloads by itself may be in the middle of a routed request.
        page.unroute_all(behavior="ignoreErrors")
        context.close()


def wait_for_charts(page: Page, *charts: str) -> None:
    """Wait until charts are drawn, by their names, and no later ones are on their way."""
    for name in charts:
        page.locator(f":not([aria-busy]) > figure[data-name={name}] svg[role=img]").wait_for()


def violations(page: Page) -> list[str]:
    """Return axe's serious and critical accessibility violations, with their elements."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


def screenshot(page: Page, name: str) -> None:
    """Save a screenshot of the complete page as a test artefact."""
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)


def empty_sections(page: Page) -> list[str]:
    """Return the headings of visible sections without a table, figure, list or notice."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("main section:not([hidden])")]
            .filter((one) => !one.querySelector("table, figure, dl, .notice, .problem"))
            .map((one) => one.querySelector("h2").textContent)"""
    )
    return found

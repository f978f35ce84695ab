"""`make readme`: replays the season, and renews README's picture and example from what it shows.

Needs Debian's Chromium.
"""

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import sync_playwright

REPOSITORY = Path(__file__).resolve().parent.parent
README = REPOSITORY / "README.md"
PICTURE = REPOSITORY / "docs" / "page.png"
WIDTH, HEIGHT = 1180, 1620
COLUMNS = 108
PLACES, BREAKOUTS, BURSTS = 5, 8, 2
"""Rows of each table in the example."""
SHOWN = ("#breakouts-table tbody tr", "#curves figure svg[role=img]")
"""What must be drawn before the picture is taken, which ends below it."""
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_EXAMPLE = re.compile(r"(<!-- make readme -->\n```\n).*?(```\n)", re.DOTALL)
_PAGE = re.compile(r"The page stays at (http://\S+) ")


def main() -> None:
    """Renew both."""
    with _demo() as lines:
        report = []
        for line in lines:
            report.append(line)
            if found := _PAGE.search(line):
                _take_picture(found[1])
                break
        else:
            sys.exit("".join(report) + "the demo ended before it served its page")
    README.write_text(with_example(README.read_text(encoding="utf-8"), report), encoding="utf-8")


def with_example(readme: str, report: list[str]) -> str:
    """Return README's text with the first rows of the report's tables as its example."""
    example = [
        *_rows_of(report, "Relative adoption", 3 + PLACES),
        *_rows_of(report, "Breakouts:", 2 + BREAKOUTS),
        *_rows_of(report, "Bursts:", 2 + BURSTS),
    ]
    text = "".join(f"{line}\n" for line in example).removesuffix("\n\n") + "\n"
    renewed, count = _EXAMPLE.subn(lambda found: found[1] + text + found[2], readme)
    if count != 1:
        raise ValueError(f"README.md has {count} examples after <!-- make readme -->, not one")
    return renewed


def _rows_of(report: list[str], heading: str, count: int) -> list[str]:
    """Return the first lines of a table, from its heading on, and an empty one; none without it."""
    lines = [line.rstrip() for line in report]
    starts = [i for i, line in enumerate(lines) if line.startswith(heading)]
    return [*lines[starts[0] : starts[0] + count], "...", ""] if starts else []


@contextmanager
def _demo() -> Iterator[Iterator[str]]:
    """Run `breakout demo` at a terminal; yields the lines that it prints."""
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "breakout", "demo"],
        cwd=REPOSITORY,
        env={**os.environ, "COLUMNS": str(COLUMNS), "TERM": "xterm"},
        stdin=inner,
        stdout=inner,
        stderr=subprocess.DEVNULL,
    )
    os.close(inner)
    try:
        with os.fdopen(outer, encoding="utf-8") as output:
            yield _lines(output)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _lines(output: Iterator[str]) -> Iterator[str]:
    with suppress(OSError):  # how Linux ends a terminal without a program
        for line in output:
            sys.stdout.write(line)
            yield _STYLE.sub("", line)


def _take_picture(page: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        opened = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce"
        )
        opened.goto(page)
        for part in SHOWN:
            opened.locator(part).first.wait_for()
        opened.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()

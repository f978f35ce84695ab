"""Files of a chart: SVG, PNG and CSV, downloaded in a browser."""

import csv
import re
import struct
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from breakout.clickhouse.client import reader_client, writer_client
from breakout.settings import Settings
from tests.api import ram_world
from tests.api.server import ApiServer
from tests.page.browser import ARTEFACTS, PHONE, open_page, requires_chromium, wait_for_charts

pytestmark = requires_chromium
SVG = "{http://www.w3.org/2000/svg}"
MODEL = "org0/model-00"


def downloaded(page: Page, chart: str, kind: str) -> Path:
    """Return the file that a click on a chart's button downloads."""
    with page.expect_download() as event:
        page.locator(f"figure[data-name={chart}] button.file", has_text=kind).click()
    ARTEFACTS.mkdir(exist_ok=True)
    path = ARTEFACTS / event.value.suggested_filename
    event.value.save_as(path)
    return path


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_svg_is_self_contained(browser: Browser, server: ApiServer, theme: Any) -> None:
    with open_page(browser, server.url, theme=theme) as page:
        wait_for_charts(page, "curves")
        path = downloaded(page, "curves", "SVG")
    assert path.name == "breakout-curves-2026-03-01.svg"
    source = path.read_text()
    # Nothing that only the page knows, and nothing loaded from elsewhere.
    assert re.findall(r"var\(|currentColor|<style|class=|url\(http|href=", source) == []
    root = ElementTree.fromstring(source)
    assert root.get("width") == "960"
    text = " ".join(texts(root))
    assert "confirmed breakouts by age" in text
    assert "Source: Hugging Face Hub" in text
    assert "as of 2026-03-01 06:00 UTC" in text
    described = root.findtext(f"{SVG}desc") or ""
    assert "/v1/ram/curves?" in described
    assert "as_of=2026-03-01" in described
    # White whatever the theme, so that it can be printed.
    background = root.find(f"{SVG}rect")
    assert background is not None
    assert background.get("fill") == "#ffffff"
    strokes = {element.get("stroke") for element in root.iter(f"{SVG}path")}
    assert "rgb(47, 127, 193)" in strokes


def test_svg_looks_the_same_on_desk_and_phone(browser: Browser, server: ApiServer) -> None:
    files = []
    for size in ((1200, 900), PHONE):
        with open_page(browser, server.url, size=size) as page:
            wait_for_charts(page, "regions")
            files.append(downloaded(page, "regions", "SVG").read_text())
    assert files[0] == files[1]


def test_png_has_twice_the_pixels(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url, theme="dark") as page:
        wait_for_charts(page, "curves")
        svg = ElementTree.parse(downloaded(page, "curves", "SVG")).getroot()
        data = downloaded(page, "curves", "PNG").read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    assert (width, height) == (1920, 2 * int(svg.get("height", "0")))


def test_csv_has_the_drawn_data(browser: Browser, server: ApiServer, world: Settings) -> None:
    with closing(reader_client(world)) as client:
        expected = client.query(
            "SELECT age_days, ram, cumulative FROM ram "
            f"WHERE baseline = 'live' AND model_id = '{MODEL}' AND ram > 0 ORDER BY age_days"
        ).result_rows
    with open_page(browser, f"{server.url}/models/{MODEL}") as page:
        wait_for_charts(page, "curve")
        with downloaded(page, "curve", "CSV").open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["model_id"] == MODEL]
    found = [(int(row["age_days"]), float(row["ram"]), int(row["cumulative"])) for row in rows]
    assert found == expected


@pytest.mark.parametrize("chart", ["curves", "regions", "organisations", "inference"])
def test_every_chart_has_files(browser: Browser, server: ApiServer, chart: str) -> None:
    with open_page(browser, server.url) as page:
        wait_for_charts(page, chart)
        ElementTree.parse(downloaded(page, chart, "SVG"))
        assert downloaded(page, chart, "PNG").stat().st_size > 10_000
        lines = downloaded(page, chart, "CSV").read_text().splitlines()
        assert len(lines) > 1
        caption = page.locator(f"figure[data-name={chart}] figcaption")
        address = caption.get_by_role("link", name="API").get_attribute("href")
    response = httpx.get(f"{server.url}{address}", timeout=60)
    assert response.headers["content-type"].startswith("text/csv")


def test_legend_hides_a_line(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url) as page:
        wait_for_charts(page, "curves")
        figure = page.locator("figure[data-name=curves]")
        button = figure.locator(".key button").first
        label = button.inner_text()
        expect(button).to_have_attribute("aria-pressed", "true")
        before = figure.locator("svg").inner_html()
        button.focus()
        page.keyboard.press("Space")
        expect(button).to_have_attribute("aria-pressed", "false")
        expect(button).to_be_focused()
        assert figure.locator("svg").inner_html() != before
        with downloaded(page, "curves", "CSV").open(newline="") as file:
            assert label not in {row["model_id"] for row in csv.DictReader(file)}
        assert label not in texts(ElementTree.parse(downloaded(page, "curves", "SVG")).getroot())
        button.focus()
        page.keyboard.press("Enter")
        expect(button).to_have_attribute("aria-pressed", "true")
        assert figure.locator("svg").inner_html() == before


def test_csv_escapes_formulas_and_quotes(browser: Browser, server: ApiServer) -> None:
    rows = '[{a: "=1+1", b: null, c: 1.5, d: -2}, {a: \'x, "y"\\n\', b: "\\u00e9", c: 0, d: 12n}]'
    with open_page(browser, server.url) as page:
        text = page.evaluate(
            f"import('/assets/chart_files.js').then(({{ csvText }}) => csvText({rows}))"
        )
    assert text == 'a,b,c,d\n\'=1+1,,1.5,-2\n"x, ""y""\n",é,0,12\n'


def test_image_says_that_its_data_are_invented(
    browser: Browser, own_server: tuple[ApiServer, Settings]
) -> None:
    server, settings = own_server
    note = "Demo data. Every model, organisation and number on this page is invented."
    with open_page(browser, server.url) as page:
        wait_for_charts(page, "curves")
        path = downloaded(page, "curves", "SVG")
        assert note not in texts(ElementTree.parse(path).getroot())
    with closing(writer_client(settings)) as client:
        client.insert("simulated", [["invented", ram_world.LAST]], ["what", "since"])
    with open_page(browser, server.url) as page:
        wait_for_charts(page, "curves")
        path = downloaded(page, "curves", "SVG")
        assert note in texts(ElementTree.parse(path).getroot())


@pytest.mark.parametrize(("theme", "paper"), [("light", "#fff"), ("dark", "#12171c")])
def test_tooltips_have_the_background_of_the_page(
    browser: Browser, server: ApiServer, theme: Any, paper: str
) -> None:
    with open_page(browser, server.url, theme=theme) as page:
        wait_for_charts(page, "curves")
        chart = page.locator("figure[data-name=curves] svg")
        style = "(chart) => getComputedStyle(chart).getPropertyValue('--plot-background')"
        assert chart.evaluate(style) == paper

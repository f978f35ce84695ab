"""Citations on the page, copied with a click."""

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.api.server import ApiServer
from tests.page.browser import open_page, requires_chromium, violations

pytestmark = requires_chromium
PAGES = ("/", "/models/org0/model-00", "/models", "/leaderboard", "/organisations/org0")


def citations(page: Page) -> list[dict[str, str]]:
    """Return the citations of all responses, as they arrive."""
    found: list[dict[str, str]] = []

    def answer(route: Route) -> None:
        response = route.fetch()
        body = response.json()
        # The response's own, or one of the same form.
        body.setdefault("citation", f"Breakout, {body.get('self')}")
        body.setdefault("bibtex", f"@misc{{breakout,\n  url = {{{body.get('self')}}}\n}}")
        found.append({name: body[name] for name in ("citation", "bibtex")})
        route.fulfill(response=response, json=body)

    page.route("**/v1/**", answer)
    return found


@pytest.mark.parametrize("path", PAGES)
def test_citation_is_copied(browser: Browser, server: ApiServer, path: str) -> None:
    with open_page(browser, "about:blank") as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        known = citations(page)
        page.goto(server.url + path)
        shown = page.locator("#cite .citation")
        shown.wait_for()
        cited = next(one for one in known if one["citation"] == shown.inner_text())
        for label, name, key in (
            ("Copy citation", "citation", None),
            ("Copy BibTeX", "bibtex", "Enter"),
        ):
            button = page.get_by_role("button", name=label)
            if key is None:
                button.click()
            else:
                button.focus()
                page.keyboard.press(key)
            said = page.locator("#cite .copy").filter(has=button).locator(".copied")
            expect(said).to_have_text("Copied")
            assert page.evaluate("navigator.clipboard.readText()") == cited[name]
        page.locator("#cite summary").click()
        expect(page.locator("#cite pre")).to_have_text(cited["bibtex"])
        assert violations(page) == []


def test_citation_is_copied_without_the_clipboard(browser: Browser, server: ApiServer) -> None:
    """Browsers do not offer it to pages of plain HTTP on other hosts."""
    with open_page(browser, "about:blank") as page:
        page.add_init_script(
            "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
            "document.addEventListener('copy', () => {"
            "  window.copied = document.activeElement.value;"
            "});"
        )
        citations(page)
        page.goto(server.url)
        citation = page.locator("#cite .citation")
        citation.wait_for()
        button = page.get_by_role("button", name="Copy citation")
        button.click()
        expect(page.locator("#cite .copied", has_text="Copied")).to_be_visible()
        expect(button).to_be_focused()
        assert page.evaluate("window.copied") == citation.inner_text()

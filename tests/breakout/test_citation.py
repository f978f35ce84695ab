"""Citations: plain text, and BibTeX that parses whatever the names hold."""

import re

import pytest

from breakout.citation import AUTHOR, METHOD, Citation, CitedSource, ascii_line
from breakout.core.definitions import DEFINITIONS_VERSION
from tests.support.project_files import REPOSITORY

HUB = CitedSource("Hugging Face Hub", "terms of service")
AS_OF = "2026-04-01T12:00:00.000Z"
CITED = Citation("downloads", AS_OF, [HUB], "/v1/downloads?org=%E6%A8%A1&as_of=2026-04-01")


def entry(text: str) -> tuple[str, dict[str, str]]:
    """Return the key and the fields of an entry, as BibTeX reads it: braces must balance."""
    head = re.match(r"@misc\{([^,{}%#\s]+),", text)
    assert head
    fields, place = {}, head.end()
    while name := re.compile(r"\s*(\w+) = \{").match(text, place):
        depth, end = 1, name.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        fields[name[1]] = text[name.end() : end - 1]
        assert text[end] == ","
        place = end + 1
    assert text[place:].strip() == "}"
    return head[1], fields


def test_citation_names_what_is_needed_to_find_the_figures_again() -> None:
    for text in (CITED.text(), CITED.bibtex()):
        assert AUTHOR in text
        assert METHOD in text
        assert AS_OF in text
        assert CITED.address in text
        assert f"definitions {DEFINITIONS_VERSION}" in text
        assert "Hugging Face Hub (terms of service)" in text
    assert "\n" not in CITED.text()


def test_bibtex_fields() -> None:
    key, fields = entry(CITED.bibtex())
    assert key.startswith("breakout-downloads-2026-04-01-")
    assert fields["year"] == "2026"
    assert fields["url"] == CITED.address
    assert fields["author"] == f"{{{AUTHOR}}}"
    other = Citation("downloads", AS_OF, [HUB], "/v1/downloads?org=other")
    assert entry(other.bibtex())[0] != key


@pytest.mark.parametrize(
    "title", ["100 % & more_#1 $", "a{b", "a}b", "}{", "\\{~^", "modèle Ω 模型 \U0001f600", "a\nb"]
)
def test_bibtex_parses_whatever_a_title_holds(title: str) -> None:
    cited = Citation(title, None, [CitedSource(title, title)], "/v1/x")
    for text in (cited.bibtex(), ascii_line(cited.bibtex())):
        _, fields = entry(text)
        assert text.isascii()
        bare = re.sub(r"\\[%&_#$]", "", fields["note"] + fields["title"])
        assert not set("%&_#$") & set(bare)


def test_accents_become_commands() -> None:
    cited = Citation("modèle", None, [])
    assert r"mod{\`{e}}le" in cited.bibtex()


def test_line_of_a_header_is_ascii() -> None:
    line = ascii_line(Citation("模\n型", None, []).text())
    assert line.isascii()
    assert "\n" not in line


def test_docs_state_the_version_of_the_definitions() -> None:
    page = (REPOSITORY / "docs" / "definitions.md").read_text(encoding="utf-8")
    assert re.findall(r"^Version ([0-9]+) of the definitions", page, re.MULTILINE) == [
        str(DEFINITIONS_VERSION)
    ]

"""The requests of docs/research-questions.md answer their questions."""

import re

import httpx
import pytest

from breakout.settings import Settings
from tests.support.project_files import REPOSITORY

PAGE = REPOSITORY / "docs" / "research-questions.md"
ROW = re.compile(r"^\| (?P<question>[^|]+\?) \| `(?P<request>[^`]+)` \| (?P<columns>[^|]+) \|$")
QUESTIONS = [found for line in PAGE.read_text().splitlines() if (found := ROW.match(line))]
NAMES = {"Qwen": "qi", "meta-llama": "am"}
"""Organisations of the page, and those of the seed data in their place."""
NAMES_WITH_RAM = {"Qwen": "org0"}


def with_names(request: str, names: dict[str, str]) -> str:
    for real, seeded in names.items():
        request = request.replace(f"org={real}", f"org={seeded}")
    return request


def test_there_are_ten_questions() -> None:
    assert len(QUESTIONS) >= 10


@pytest.mark.parametrize("row", QUESTIONS, ids=lambda row: row["question"])
def test_request_answers_the_question(
    api: httpx.Client, ram_api: tuple[httpx.Client, Settings], row: re.Match[str]
) -> None:
    needs_ram = "/ram" in row["request"] or "/breakouts" in row["request"]
    client, names = (ram_api[0], NAMES_WITH_RAM) if needs_ram else (api, NAMES)
    response = client.get(with_names(row["request"], names))
    assert response.status_code == 200, response.text
    page = response.json()
    assert page["data"]
    assert page["citation"]
    assert page["bibtex"]
    fields = set(re.findall(r"`(\w+)`", row["columns"]))
    assert fields
    assert fields <= set(page["data"][0])
    assert all(
        any(one[field] is not None for one in page["data"]) for field in fields - {"ended_at"}
    )

"""The definitions of all numbers, `docs/definitions.md`."""

from functools import cache
from importlib.resources import files
from pathlib import Path


@cache
def definitions_text() -> str:
    """Return the text: inside the wheel, or beside the package in a checkout."""
    packaged = files("api.page") / "_definitions.md"
    checkout = Path(__file__).parents[2] / "docs" / "definitions.md"
    return (packaged if packaged.is_file() else checkout).read_text(encoding="utf-8")

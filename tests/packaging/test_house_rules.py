"""What no file of the project may hold."""

import re
from collections import Counter

import pytest

from tests.support.project_files import REPOSITORY, project_files

LONGEST_MODULE = 700
GENERATED = "breakout/client/operations.py"
# In parts, so that this file holds none of it either.
REGISTRIES = [
    (r"py", r"pi\.org"),
    (r"python", r"hosted\.org"),
    (r"registry\.", r"npmjs\.org"),
    (r"repo1?\.", r"maven\."),
    (r"deb\.", r"debian\.org"),
    (r"static\.", r"crates\.io"),
    (r"proxy\.", r"golang\.org"),
]
PLACES = [(r"/", r"work/"), (r"\.\./", r"shared\b"), (r"/home/", r"\w+/")]
TOKENS = [(r"\bhf", r"_[A-Za-z0-9]{34}\b"), (r"\bsk-", r"or-v1-[0-9a-f]{64}\b")]


def any_of(parts: list[tuple[str, str]]) -> re.Pattern[str]:
    return re.compile("|".join(map("".join, parts)), re.IGNORECASE)


FORBIDDEN = {
    "a path of somebody's machine": any_of(PLACES),
    "the host of a package registry": any_of(REGISTRIES),
    "what looks like a real token": any_of(TOKENS),
}


def findings(text: str) -> list[str]:
    """Return what a text holds that it must not."""
    return [
        f"{what}: {match[0]}"
        for what, pattern in FORBIDDEN.items()
        for match in pattern.finditer(text)
    ]


def test_no_file_holds_what_it_must_not() -> None:
    wrong = {
        str(path.relative_to(REPOSITORY)): found
        for path in project_files()
        if (found := findings(path.read_text(encoding="utf-8", errors="replace")))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    "text",
    [
        "cd {}/main".format("/work"),
        "{}/shared/x".format(".."),
        "https://{}.org/simple".format("pypi"),
        "hf_" + "a1" * 17,
    ],
)
def test_it_would_be_seen(text: str) -> None:
    assert len(findings(f"see {text} there")) == 1


def test_no_module_is_too_long_to_read_in_one_sitting() -> None:
    lengths = {
        str(path.relative_to(REPOSITORY)): len(path.read_text().splitlines())
        for path in project_files(".py")
    }
    assert lengths.pop(GENERATED)
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_no_two_test_files_have_one_name() -> None:
    names = Counter(path.name for path in project_files() if path.name.startswith("test_"))
    assert names
    assert [name for name, count in names.items() if count > 1] == []

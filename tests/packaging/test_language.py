"""One word for one thing: names that the project once had do not come back."""

import re

import pytest

from tests.support.project_files import REPOSITORY, project_files

SUFFIXES = (".py", ".sql", ".js", ".html", ".md", ".yaml", ".yml", ".sh", ".toml")
SKIPPED = ("CHANGELOG.md", "tests/packaging/test_language.py")
OTHERS = ("api/page/assets/vendor/", "breakout/simulation/season/data/")
"""Files of other people, as they were published."""

RAM_IS_RAM = (
    r"\b(?:un)?scored\b|\bscores?\b",
    "ram; rating for a leaderboard, whose topic, views and API fields keep their names",
)
PUBLIC_SCORES = re.compile(
    r"breakout\.scores|`scores`|\bFROM scores\b|best_scores|### scores|AS scores\b|\.scores\b"
    r"|scored_since|\"scores\"|VIEW scores\b|\bscores\.region\b|no longer scored"
)
WORDS = [
    (r"\b[Pp]atience\b", "a retry policy, or a timeout"),
    (r"\bSignsOfLife\b|\bsigns? of life\b", "heartbeats, or worker health"),
    (r"\b[Bb]urial\b|\b[Bb]uried\b|\bbur(?:y|ies)\b", "sent to the dead-letter topic"),
    (r"\bgoes? to the dead\b", "sent to the dead-letter topic"),
    (r"\brun_in_turn\b|\bcollector_turn\b", "a leader lease"),
    (
        r"\bclass (?:Recent|After|Limited|News|Heads|Turns)\b",
        "AnswerCache, RateLimitMiddleware, ...",
    ),
    (r"\b(?:stands?|stood|standing) still\b", "unchanged"),
    (r"\breads? along\b", "subscribers"),
    (r"\bput right\b", "fixed"),
    (r"\bdoes not let\b.*\bin\b", "rejected the login"),
    (r"\bthat there is(?: not|n't)\b", "unknown"),
    RAM_IS_RAM,
]


def texts() -> list[tuple[str, str]]:
    named = ((str(path.relative_to(REPOSITORY)), path) for path in project_files(*SUFFIXES))
    return [
        (name, path.read_text(encoding="utf-8"))
        for name, path in named
        if name not in SKIPPED and not name.startswith(OTHERS)
    ]


def found(pattern: str, line: str) -> bool:
    """Return whether a line has a word that names the thing otherwise."""
    if pattern == RAM_IS_RAM[0]:
        line = PUBLIC_SCORES.sub("", line)
    return re.search(pattern, line) is not None


@pytest.mark.parametrize(("pattern", "instead"), WORDS, ids=[word for word, _ in WORDS])
def test_word_is_not_used(pattern: str, instead: str) -> None:
    files = texts()
    assert len(files) > 500
    wrong = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in files
        for number, line in enumerate(text.splitlines(), 1)
        if found(pattern, line)
    ]
    assert wrong == [], instead


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("the score of a model", True),
        ("unscored models", True),
        ("SELECT rating FROM scores AS s", False),
        ("topic `breakout.scores`", False),
    ],
)
def test_public_names_of_leaderboards_are_not_blamed(line: str, wrong: bool) -> None:
    assert found(RAM_IS_RAM[0], line) is wrong

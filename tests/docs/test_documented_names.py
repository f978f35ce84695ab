"""What the pages name exists: settings, commands, options, metrics, topics, tables, paths."""

import re
from pathlib import Path

import click
import pytest

from breakout.cli.main import cli
from breakout.contract.topics import TOPICS
from breakout.settings import Settings
from tests.docs import named
from tools.reference.metrics import all_metrics, series_name

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [
    page
    for page in (
        REPOSITORY / "README.md",
        REPOSITORY / "ARCHITECTURE.md",
        *sorted((REPOSITORY / "docs").glob("**/*.md")),
    )
    if page.exists()
]
STACK = re.findall(
    r"^(?: +(?=\w+:)|(?=\w+=))(\w+)",
    (REPOSITORY / "docker-compose.yml").read_text() + (REPOSITORY / ".env.example").read_text(),
    re.MULTILINE,
)
"""What the stack reads besides."""
VARIABLES = {*(field.alias for field in Settings.model_fields.values()), *STACK}
SERIES = {
    name + suffix
    for name in map(series_name, all_metrics())
    for suffix in ("", "_bucket", "_sum", "_count")
}
TABLES = set(
    re.findall(r"^### (\w+)$", (REPOSITORY / "docs" / "tables.md").read_text(), re.MULTILINE)
) | {"schema_migrations"}
FOLDERS = {path.name for path in REPOSITORY.iterdir() if path.is_dir() and path.name != ".venv"} - {
    ".git"
}

each_page = pytest.mark.parametrize(
    "page", [pytest.param(p.read_text(encoding="utf-8"), id=p.name) for p in PAGES]
)


@each_page
def test_settings_exist(page: str) -> None:
    assert unknown_variables(page) == set()


@each_page
def test_metrics_exist(page: str) -> None:
    assert named.metrics(page) - SERIES == set()


@each_page
def test_topics_tables_and_modules_exist(page: str) -> None:
    assert unknown_dotted(page) == set()


@each_page
def test_commands_and_options_exist(page: str) -> None:
    assert [wrong for words in named.commands(page) if (wrong := wrong_command(words))] == []


@each_page
def test_make_targets_exist(page: str) -> None:
    assert unknown_targets(page) == set()


@each_page
def test_tables_in_queries_exist(page: str) -> None:
    assert named.tables(page) - TABLES == set()


@each_page
def test_paths_exist(page: str) -> None:
    assert unknown_paths(page) == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    assert broken_links(path.read_text(encoding="utf-8"), path) == set()


def unknown_variables(page: str) -> set[str]:
    """Return the variables that no setting has and no module reads by itself."""
    unknown = named.variables(page) - VARIABLES
    sources = [
        source.read_text(encoding="utf-8") for source in (REPOSITORY / "breakout").rglob("*.py")
    ]
    return {name for name in unknown if not any(f'"{name}"' in source for source in sources)}


def unknown_dotted(page: str) -> set[str]:
    topics = {topic.name for topic in TOPICS}
    return {
        name
        for name in named.dotted(page) - topics
        if name.removeprefix("breakout.") not in TABLES and not is_code(name)
    }


def is_code(name: str) -> bool:
    """Return whether it is a module, or a name in one."""
    path = REPOSITORY / name.replace(".", "/")
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    module, _, attribute = name.rpartition(".")
    file = REPOSITORY / (module.replace(".", "/") + ".py")
    return file.is_file() and re.search(rf"\b{attribute}\b", file.read_text()) is not None


def wrong_command(words: list[str]) -> str | None:
    """Return what is wrong with the words after `breakout`, None if nothing is."""
    command: click.Command = cli
    context = click.Context(cli)
    options = {"--help", "-h"}
    for word in words:
        options |= {name for option in command.params for name in option.opts}
        if word.startswith("-") and word.partition("=")[0] not in options:
            return f"{' '.join(words)}: no option {word}"
        if isinstance(command, click.Group) and re.fullmatch(r"[a-z][a-z-]*", word):
            inner = command.get_command(context, word)
            if inner is None:
                return f"{' '.join(words)}: no command {word}"
            command = inner
    return None


def unknown_targets(page: str) -> set[str]:
    makefile = (REPOSITORY / "Makefile").read_text()
    return named.targets(page) - set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def unknown_paths(page: str) -> set[str]:
    return {
        path for path in named.paths(page, FOLDERS) if not any(REPOSITORY.glob(path.rstrip("/")))
    }


def broken_links(page: str, path: Path) -> set[str]:
    broken = set()
    for link in named.links(page):
        file, _, anchor = link.partition("#")
        target = (path.parent / file) if file else path
        if not target.exists():
            broken.add(link)
        elif anchor:
            headings = target.read_text(encoding="utf-8") if file else page
            if anchor not in named.anchors(headings):
                broken.add(link)
    return broken


WRONG = """
Set `BREAKOUT_NO_SUCH`, then see [there](docs/nowhere.md) and [here](#nowhere).
`breakout_no_such_total` and `breakout.nosuchtopic` are in `breakout/nosuch.py`.

```
$ breakout nosuchcommand
breakout top --no-such-option 3
HF_TOKEN=x breakout baseline nosuchverb
make nosuchtarget
SELECT 1 FROM nosuchtable
```
"""
RIGHT = """
# A heading: with `code`

Set `BREAKOUT_GROUP`, then see [there](docs/tables.md#ram_now) and [here](#a-heading-with-code).
`breakout_scrape_seconds_bucket` and `breakout.downloads` are in `breakout/settings/api.py`.
`breakout.settings.Settings` reads `CLICKHOUSE_URL`.

```
$ breakout --debug top --format json --limit=3 | head
breakout baseline list --format table
breakout collect huggingface --once
make test
WITH mine AS (SELECT 1 FROM breakout.ram) SELECT 1 FROM mine JOIN downloads_log ON 1
```
"""


def test_what_does_not_exist_is_seen() -> None:
    assert unknown_variables(WRONG) == {"BREAKOUT_NO_SUCH"}
    assert named.metrics(WRONG) - SERIES == {"breakout_no_such_total"}
    assert unknown_dotted(WRONG) == {"breakout.nosuchtopic"}
    assert len([words for words in named.commands(WRONG) if wrong_command(words)]) == 3
    assert unknown_targets(WRONG) == {"nosuchtarget"}
    assert named.tables(WRONG) - TABLES == {"nosuchtable"}
    assert unknown_paths(WRONG) == {"breakout/nosuch.py"}
    assert broken_links(WRONG, REPOSITORY / "README.md") == {"docs/nowhere.md", "#nowhere"}


def test_what_exists_is_not_blamed() -> None:
    assert unknown_variables(RIGHT) == set()
    assert named.metrics(RIGHT) - SERIES == set()
    assert unknown_dotted(RIGHT) == set()
    assert len(named.commands(RIGHT)) == 3
    assert [words for words in named.commands(RIGHT) if wrong_command(words)] == []
    assert unknown_targets(RIGHT) == set()
    assert named.tables(RIGHT) - TABLES == set()
    assert unknown_paths(RIGHT) == set()
    assert broken_links(RIGHT, REPOSITORY / "README.md") == set()

"""What stands with every panel: what is seen, its sources, their licences, and as of when.

Licences and moments are read from the view `sources` into hidden variables of the dashboard, so
that they are those of the running instance.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableHide, VariableRefresh

from grafana.builder.queries import CLICKHOUSE_SOURCE

TITLES = {
    "huggingface": "Hugging Face Hub",
    "tracked-models": "ATOM Project, tracked models",
    "modelscope": "ModelScope",
    "openrouter": "OpenRouter rankings",
    "arena": "Arena leaderboard",
    "artificial-analysis": "Artificial Analysis",
}
"""Name for people by name of the source in every table."""

DOWNLOADS = ("huggingface", "tracked-models")


@dataclass(frozen=True)
class About:
    """What a panel shows, for people, and the sources it rests on."""

    meaning: str
    sources: tuple[str, ...]

    @property
    def text(self) -> str:
        """The panel's description, in Markdown."""
        lines = [f"- {TITLES[source]}: ${{{_variable(source)}}}" for source in self.sources]
        return "\n".join([self.meaning, "", "Sources:", *lines])


def variables_of(sources: Iterable[str]) -> list[QueryVariable]:
    """Return the hidden variables that the descriptions of these sources need."""
    return [
        QueryVariable(_variable(source))
        .label(f"Licence and moment: {TITLES[source]}")
        .hide(VariableHide.HIDE_VARIABLE)
        .datasource(CLICKHOUSE_SOURCE)
        .query(
            "SELECT concat(licence, '; as of ', "
            "ifNull(formatDateTime(as_of, '%Y-%m-%d %H:%i UTC', 'UTC'), 'never read')) "
            f"FROM sources WHERE source = '{source}'"
        )
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        for source in sorted(set(sources))
    ]


def _variable(source: str) -> str:
    return f"source_{source.replace('-', '_')}"

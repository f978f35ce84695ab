"""What stands with every panel: what is seen, its sources, their licences, and as of when.

Licences and moments are read from the view `sources` into one hidden variable of the dashboard, so
that they are those of the running instance.
"""

from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableHide, VariableRefresh

from grafana.builder.queries import CLICKHOUSE_SOURCE

SOURCES = "sources"
"""The variable's name."""
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
        if not self.sources:
            return self.meaning
        names = ", ".join(TITLES[source] for source in self.sources)
        return f"{self.meaning}\n\nSources: {names}.\n\nLicences: ${{{SOURCES}}}"


def sources() -> QueryVariable:
    """Return the hidden variable that says licence and moment of every source."""
    return (
        QueryVariable(SOURCES)
        .label("Licences and moments of the sources")
        .hide(VariableHide.HIDE_VARIABLE)
        .datasource(CLICKHOUSE_SOURCE)
        .query(
            "SELECT arrayStringConcat(groupArray(concat(title, ': ', licence, '; as of ', "
            "ifNull(formatDateTime(as_of, '%Y-%m-%d %H:%i UTC', 'UTC'), 'never read'))), ' · ')\n"
            "FROM (SELECT title, licence, as_of FROM sources ORDER BY title)"
        )
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )

"""What can be chosen on the dashboards."""

from grafana_foundation_sdk.builders.dashboard import CustomVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh, VariableSort

from breakout.core.sizes import SIZE_BINS
from grafana.builder.queries import CLICKHOUSE_SOURCE


def data() -> QueryVariable:
    """Return what says, on top of every dashboard, whether its data are observed, replayed or invented."""
    return _query(
        "data",
        "Data",
        "Whether they were observed, or invented or replayed by the demo",
        "SELECT multiIf(count() = 0, 'observed', min(what) = 'invented', 'INVENTED: no such models exist', "
        "'REPLAY: real counters of July 2024 to February 2025') FROM simulated",
    )


def baseline() -> QueryVariable:
    """Return the chooser of the baseline."""
    return _query(
        "baseline",
        "Baseline",
        "What RAM 1.0x means. Scores of different baselines are never compared.",
        "SELECT DISTINCT toString(baseline) AS baseline FROM baselines ORDER BY baseline",
        VariableOption(text="live", value="live", selected=True),
    )


def models() -> QueryVariable:
    """Return the chooser of several models; All stands for the five latest confirmed breakouts."""
    return (
        _query(
            "models",
            "Models (All: the five latest confirmed)",
            "Whose RAM is drawn",
            "SELECT model_id FROM ram_now WHERE baseline = ${baseline:singlequote} AND tracked "
            "ORDER BY ram DESC NULLS LAST, model_id",
            VariableOption(text=["All"], value=["$__all"], selected=True),
        )
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value("''")
    )


def model() -> QueryVariable:
    """Return the chooser of one model; the first, and so the one at first, is the latest confirmed breakout."""
    return _query(
        "model",
        "Model",
        "Type a part of its name",
        "SELECT model_id FROM models\n"
        "ORDER BY model_id IN (SELECT model_id FROM breakouts WHERE baseline = 'live' AND status = 'confirmed' "
        "ORDER BY crossed_at DESC, model_id LIMIT 1) DESC, tracked DESC, lower(model_id), model_id",
    )


def organisation() -> QueryVariable:
    """Return the chooser of an organisation."""
    return _query(
        "org",
        "Organisation",
        "Whose top models are set against the others' catalogues",
        "SELECT org FROM organisations WHERE tracked > 0 ORDER BY lower(org), org",
    )


def size_bin(name: str, label: str, chosen: str) -> CustomVariable:
    """Return a chooser of a size bin."""
    # A comma parts values, and a bin's name has none.
    return (
        CustomVariable(name)
        .label(label)
        .values(",".join(SIZE_BINS))
        .current(VariableOption(text=chosen, value=chosen, selected=True))
        .options([VariableOption(text=one, value=one, selected=one == chosen) for one in SIZE_BINS])
    )


def _query(
    name: str, label: str, description: str, sql: str, current: VariableOption | None = None
) -> QueryVariable:
    variable = (
        QueryVariable(name)
        .label(label)
        .description(description)
        .datasource(CLICKHOUSE_SOURCE)
        .query(sql)
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(VariableSort.DISABLED)
    )
    return variable.current(current) if current else variable

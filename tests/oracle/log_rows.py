"""Rows of the tables behind the views, as the processors would write them."""

from datetime import date

from . import counters
from .batch import Tables
from .clean import SeriesKey
from .inputs import EPOCH, Row, date_of, milliseconds, moment_of
from .knowledge import History, KnownKnot, known_knots, known_rows

LOGS = (
    "models_log",
    "scrapes_log",
    "downloads_log",
    "daily_log",
    "daily_superseded",
    "points_log",
    "latest_log",
    "baselines_log",
    "breakouts_log",
)
UNVERSIONED = {"models_log", "scrapes_log"}
"""Tables whose rows have no version."""


def log_rows(tables: Tables) -> dict[str, list[Row]]:
    """Return the rows of each table, without their version; tables without rows are left out."""
    histories = _histories(tables)
    rows = {
        "models_log": [
            record.model_dump(exclude={"schema_version"}) for record in tables.models.values()
        ],
        "scrapes_log": [part for row in tables.scrapes.values() for part in _slices(row)],
        "downloads_log": _downloads_log(tables, histories),
        "daily_log": _daily_log(histories),
        "daily_superseded": _daily_superseded(histories),
        "points_log": list(tables.points.values()),
        "latest_log": [
            row | {"registry_changed_at": tables.models[model_id].observed_at, "known": 5}
            for model_id, row in tables.latest.items()
        ],
        "baselines_log": list(tables.baselines.values()),
        "breakouts_log": [
            {name: value for name, value in row.items() if name != "status"}
            | {"retracted": False, "size_bin": tables.latest[row["model_id"]]["size_bin"]}
            for row in tables.breakouts.values()
        ],
    }
    return {log: own for log, own in rows.items() if own}


def _histories(tables: Tables) -> dict[SeriesKey, History]:
    found: dict[SeriesKey, list[counters.Observation]] = {}
    for (model_id, source, observed_at), row in sorted(tables.downloads_by_source_log.items()):
        if row["downloads_all_time"] is not None:
            found.setdefault((model_id, source), []).append(
                (milliseconds(observed_at), row["downloads_all_time"])
            )
    return {key: tuple(own) for key, own in found.items()}


def _slices(scrape: Row) -> list[Row]:
    """Split a scrape over three slices, one of them empty; only the last may be incomplete."""
    half = scrape["models"] // 2
    facts = {"source": scrape["source"], "observed_at": scrape["observed_at"]}
    facts |= {"scrape_id": f"{scrape['source']}-{scrape['observed_at'].isoformat()}"}
    parts = enumerate([(half, True), (0, True), (scrape["models"] - half, scrape["complete"])])
    return [
        facts | {"slice": number, "models": models, "complete": complete}
        for number, (models, complete) in parts
    ]


def _downloads_log(tables: Tables, histories: dict[SeriesKey, History]) -> list[Row]:
    knots = {
        (*key, moment_of(moment)): knot
        for key, history in histories.items()
        for (moment, _), knot in zip(history, known_knots(history), strict=True)
    }
    rows = []
    for key, row in tables.downloads_by_source_log.items():
        model_id, source, observed_at = key
        knot = knots.get(key, KnownKnot(None, None))
        opening = None
        if row["state"] in counters.KNOTS:
            day_before = date_of((observed_at - EPOCH).days - 1)
            opening = _cumulative(tables, model_id, source, day_before)
        logged = {name: row[name] for name in row if name not in {"cumulative", "delta"}}
        logged["knot_since"] = None if knot.since is None else moment_of(knot.since)
        logged["knot_until"] = None if knot.until is None else moment_of(knot.until)
        logged["opening"] = opening
        rows.append(logged)
    return rows


def _cumulative(tables: Tables, model_id: str, source: str, day: date) -> int | None:
    row = tables.downloads_daily_by_source.get((model_id, source, day))
    return None if row is None else row["cumulative"]


def _daily_log(histories: dict[SeriesKey, History]) -> list[Row]:
    return [
        _daily_row(key, known.row) | {"known_at": moment_of(known.since), "withdrawn": 0}
        for key, history in histories.items()
        for known in known_rows(history)
        if known.until is None
    ]


def _daily_superseded(histories: dict[SeriesKey, History]) -> list[Row]:
    return [
        _daily_row(key, known.row)
        | {
            "known_at": moment_of(known.since),
            "superseded_at": moment_of(known.until),
            "withdrawn": 0,
        }
        for key, history in histories.items()
        for known in known_rows(history)
        if known.until is not None
    ]


def _daily_row(key: SeriesKey, row: counters.Row) -> Row:
    model_id, source = key
    return {
        "model_id": model_id,
        "source": source,
        "day": date_of(row.day),
        "cumulative": row.cumulative,
        "downloads": row.downloads,
        "correction": row.correction,
        "basis": row.basis,
    }

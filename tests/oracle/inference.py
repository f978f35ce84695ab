"""Inference tokens and shares, recomputed from all readings, in exact arithmetic."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from breakout.contract.events import InferenceDay

from .inputs import Row

UNKNOWN: Row = {"open": None, "model_id": None, "org": None, "region": None}


def inference_tokens(days: Iterable[InferenceDay], names: Mapping[Any, Row]) -> dict[Any, Row]:
    """Rows of `inference_tokens` by source, day and slug."""
    newest: dict[Any, InferenceDay] = {}
    for one in days:
        before = newest.setdefault((one.source, one.day), one)
        if (one.as_of, one.observed_at) > (before.as_of, before.observed_at):
            newest[one.source, one.day] = one
    rows: dict[Any, Row] = {}
    for (source, day), reading in newest.items():
        as_of = reading.as_of
        for slug, tokens in zip(reading.names, reading.tokens, strict=True):
            base = slug.split(":")[0]
            meaning = names.get((source, base), UNKNOWN) if base != "other" else UNKNOWN
            rows[source, day, slug] = {
                "base_slug": base,
                "tokens": tokens,
                "as_of": as_of,
                **{column: meaning[column] for column in UNKNOWN},
            }
    return rows


def _shares(rows: Iterable[Row]) -> Row:
    sums = dict.fromkeys(("open", "closed", "unknown", "other"), 0)
    for row in rows:
        kind = "other" if row["base_slug"] == "other" else _KINDS[row["open"]]
        sums[kind] += row["tokens"]
    classified = sums["open"] + sums["closed"]
    found: Row = {f"{kind}_tokens": tokens for kind, tokens in sums.items()}
    if not classified:
        return found | dict.fromkeys(("open_share", "unknown_ratio", "error_bound"))
    share, unknown = Fraction(sums["open"], classified), Fraction(sums["unknown"], classified)
    return found | {
        "open_share": float(share),
        "unknown_ratio": float(unknown),
        "error_bound": float(unknown * max(share, 1 - share) / (1 + unknown)),
    }


_KINDS = {True: "open", False: "closed", None: "unknown"}


def inference_share(tokens: Mapping[Any, Row]) -> dict[Any, Row]:
    """Rows of `inference_share` by source and day."""
    by_day = defaultdict(list)
    for (source, day, _), row in tokens.items():
        by_day[source, day].append(row)
    found: dict[Any, Row] = {}
    for key, rows in by_day.items():
        shares = _shares(rows)
        total = sum(row["tokens"] for row in rows)
        closed, is_open = shares["closed_tokens"], shares["open_tokens"]
        found[key] = shares | {
            "as_of": max(row["as_of"] for row in rows),
            "lowest": is_open / total if total else None,
            "highest": (total - closed) / total if total else None,
        }
    return found


def inference_share_monthly(tokens: Mapping[Any, Row]) -> dict[Any, Row]:
    """Rows of `inference_share_monthly` by source and month."""
    by_month: dict[Any, list[tuple[date, Row]]] = defaultdict(list)
    for (source, day, _), row in tokens.items():
        by_month[source, day.replace(day=1)].append((day, row))
    return {
        (source, month): _shares(row for _, row in rows)
        | {
            "days": len({day for day, _ in rows}),
            "whole": len({day for day, _ in rows}) == monthrange(month.year, month.month)[1],
            "as_of": max(row["as_of"] for _, row in rows),
        }
        for (source, month), rows in by_month.items()
    }


def inference_models_monthly(tokens: Mapping[Any, Row]) -> dict[Any, Row]:
    """Rows of `inference_models_monthly` by source, month and model."""
    shares = inference_share_monthly(tokens)
    by_model: dict[Any, list[Row]] = defaultdict(list)
    for (source, day, _), row in tokens.items():
        if row["open"]:
            model = row["model_id"] or row["base_slug"]
            by_model[source, day.replace(day=1), model].append(row)
    sums = {key: sum(row["tokens"] for row in rows) for key, rows in by_model.items()}
    found: dict[Any, Row] = {}
    for (source, month, model), rows in by_model.items():
        own = sums[source, month, model]
        share = shares[source, month]
        if not own:
            continue
        ahead = [
            other
            for (s, m, other), count in sums.items()
            if (s, m) == (source, month) and count and (-count, other) < (-own, model)
        ]
        found[source, month, model] = {
            "rank": len(ahead) + 1,
            "org": rows[0]["org"],
            "region": rows[0]["region"],
            "tokens": own,
            "share_of_open": own / share["open_tokens"],
            "share_of_classified": own / (share["open_tokens"] + share["closed_tokens"]),
            "as_of": max(row["as_of"] for row in rows),
        }
    return found


def unclassified_names(names: Mapping[Any, Row], tokens: Mapping[Any, Row]) -> dict[Any, Row]:
    """Rows of `unclassified_names` by source and name."""
    found: dict[Any, Row] = {}
    for (source, name), meaning in names.items():
        if meaning["open"] is None:
            own = {
                (day, row["tokens"], slug)
                for (s, day, slug), row in tokens.items()
                if (s, row["base_slug"]) == (source, name)
            }
            found[source, name] = {
                "title": meaning["title"],
                "hint": meaning["hint"],
                "tokens": sum(count for _, count, _ in own),
                "latest_day": max((day for day, _, _ in own), default=None),
            }
    return found

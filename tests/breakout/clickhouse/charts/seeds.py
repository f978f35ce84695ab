"""Seed data for the charts: daily counters of four organisations, for two months and a half."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from tests.support.download_rows import Observed, download_rows

FIRST, LAST = date(2026, 1, 15), date(2026, 4, 1)
MODELS: dict[str, tuple[str, str | None, str | None, bool]] = {
    "qi/Big-300B": ("qi", "china", "250B+", True),
    "qi/Small-1B": ("qi", "china", "1-5B", True),
    "am/Huge-400B": ("am", "us", "250B+", True),
    "am/Tiny-1B": ("am", "us", "1-5B", True),
    "nowhere/New-300B": ("nowhere", None, "250B+", True),
    "am/Untracked-1B": ("am", "us", "1-5B", False),
    "old/Gone-300B": ("old", "eu", "250B+", True),
    "am/Sizeless": ("am", "us", None, True),
    "am/Unseen-7B": ("am", "us", "7-9B", True),
}
STARTS = {"nowhere/New-300B": date(2026, 2, 10)}
ENDS = {"am/Tiny-1B": date(2026, 3, 5), "old/Gone-300B": date(2026, 1, 20)}
"""Last observed day."""
MODELSCOPE_ONLY = "am/Unseen-7B"
"""Observed on ModelScope, never on the Hub."""
ON_MODELSCOPE = {
    "qi/Big-300B": 333, "qi/Small-1B": 22_222, MODELSCOPE_ONLY: 4444, "am/Untracked-1B": 999_999,
}  # fmt: skip
"""Downloads on ModelScope, the same on every day."""


def counters() -> dict[str, dict[date, int]]:
    """Return each model's counter by day, at noon."""
    random = Random(7)
    found: dict[str, dict[date, int]] = {}
    for number, model_id in enumerate(MODELS):
        if model_id == MODELSCOPE_ONLY:
            found[model_id] = {}
            continue
        day, last = STARTS.get(model_id, FIRST), ENDS.get(model_id, LAST)
        total, found[model_id] = 1000 * (number + 1), {}
        while day <= last:
            found[model_id][day] = total
            total += random.randint(1, 500)
            day += timedelta(days=1)
    return found


def grid() -> dict[str, dict[date, int]]:
    """Return each model's downloads until the end of a day: midway between two noons."""
    return {
        model_id: {
            day: (count + series[day + timedelta(days=1)]) // 2
            for day, count in series.items()
            if day + timedelta(days=1) in series
        }
        for model_id, series in counters().items()
    }


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


NOW = at(LAST)


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return the rows that the processors would have written, by table."""
    return {
        **download_rows(observations()),
        "models_log": [
            {
                "model_id": model_id, "org": org, "region": region, "size_bin": size_bin,
                "tracked": tracked, "base_models": [], "observed_at": NOW,
            }
            for model_id, (org, region, size_bin, tracked) in MODELS.items()
        ],
        "names_log": names(),
        "inference_log": inference(),
        "ratings_log": ratings(),
        **derivatives(),
        **points(),
    }  # fmt: skip


def observations() -> list[Observed]:
    """Return daily observations at noon, of both sources."""
    hub = [
        Observed(model_id, at(day), count)
        for model_id, series in counters().items()
        for day, count in series.items()
    ]
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    return hub + [
        Observed(model_id, at(day), count, "modelscope")
        for model_id, count in ON_MODELSCOPE.items()
        for day in days
    ]


OPEN = {"qi/big": "qi/Big-300B", "am/huge": "am/Huge-400B", "loose/weights": None}
CLOSED, UNKNOWN = "shut/tight", "who/knows"
LITTLE_USED = {f"little/used-{n}": n for n in range(1, 10)}
"""Open models of organisations that are not reviewed, with their tokens per day."""


def names() -> list[dict[str, Any]]:
    known = [
        *((name, True, model_id) for name, model_id in OPEN.items()),
        *((name, True, None) for name in LITTLE_USED),
        (CLOSED, False, None),
        (UNKNOWN, None, None),
    ]
    return [
        {
            "source": source, "name": name, "open": is_open, "model_id": model_id, "org": None,
            "observed_at": NOW, "version": 1,
        }
        for source in ("openrouter", "arena", "artificial-analysis")
        for name, is_open, model_id in known
    ]  # fmt: skip


def tokens() -> dict[tuple[date, str], int]:
    """Return tokens by day and slug, too large for a float to be exact."""
    random = Random(3)
    found = {}
    day = date(2026, 2, 1)
    while day <= LAST:
        for slug in (*OPEN, "qi/big:free", CLOSED, UNKNOWN, "other"):
            found[day, slug] = 2**53 + random.randint(1, 10**9)
        found |= {(day, slug): count for slug, count in LITTLE_USED.items()}
        day += timedelta(days=1)
    return found


def inference() -> list[dict[str, Any]]:
    return [
        {"source": "openrouter", "day": day, "as_of": NOW, "slug": slug, "tokens": count}
        for (day, slug), count in tokens().items()
    ]


def ratings() -> list[dict[str, Any]]:
    found = []
    for source, board, versions in (
        ("arena", "text", ("",)),
        ("artificial-analysis", "intelligence_index", ("4.0", "4.1")),
    ):
        for week in range(3):
            for version in versions:
                for number, name in enumerate((*OPEN, CLOSED, UNKNOWN)):
                    found.append(
                        {
                            "source": source, "board": board, "index_version": version,
                            "published_on": FIRST + timedelta(weeks=week), "name": name,
                            "rating": 1000.0 + 10 * week + number, "lower": 990.0,
                            "upper": 1010.0, "votes": 5, "observed_at": NOW, "version": 1,
                        }
                    )  # fmt: skip
    return found


DERIVED = {
    "u/a": (["qi/Big-300B"], "finetune", date(2026, 1, 20), 100),
    "u/b": (["qi/Big-300B"], "quantized", date(2026, 1, 25), 50),
    "u/c": (["am/Huge-400B"], "adapter", date(2026, 1, 25), 7),
    "u/d": (["am/Huge-400B", "qi/Big-300B"], "merge", date(2026, 3, 1), 8),
    "u/e": (["nowhere/New-300B"], "finetune", date(2026, 3, 2), 9),
    "u/few": (["qi/Small-1B"], "finetune", date(2026, 2, 2), 5),
    "u/f": (["am/Unseen-7B"], "adapter", date(2026, 3, 3), 60),
    "u/g": (["old/Gone-300B"], None, date(2026, 4, 1), 30),
}


def derivatives() -> dict[str, list[dict[str, Any]]]:
    return {
        "derivatives_log": [
            {
                "source": "huggingface", "model_id": model_id, "observed_at": NOW,
                "parents": parents, "relation": relation, "created_at": at(day),
                "downloads_all_time": count, "version": 1,
            }
            for model_id, (parents, relation, day, count) in DERIVED.items()
        ],
        "lineage_log": [
            {
                "source": "huggingface", "model_id": model_id, "ancestors": parents,
                "depths": [1] * len(parents), "roots": parents, "version": 1,
            }
            for model_id, (parents, *_) in DERIVED.items()
        ],
    }  # fmt: skip


def points() -> dict[str, list[dict[str, Any]]]:
    """Return two models' points, a baseline of 1000 a day, and one breakout."""
    return {
        "points_log": [
            {
                "size_bin": "250B+", "age_days": age, "model_id": model_id,
                "cumulative": factor * age, "as_of": NOW, "version": 1,
            }
            for model_id, factor in (("qi/Big-300B", 1500), ("am/Huge-400B", 500))
            for age in range(1, 10)
        ],
        "baselines_log": [
            {
                "baseline": "live", "size_bin": "250B+", "age_days": age, "peers": 10,
                "downloads": 1000.0 * age, "as_of": NOW, "version": 1,
            }
            for age in range(1, 10)
        ],
        "breakouts_log": [
            {
                "baseline": "live", "size_bin": "250B+", "model_id": "qi/Big-300B",
                "crossed_at": NOW, "age_days": 7, "ram": 1.5, "ended_at": None,
                "confirmed_at": NOW, "ram_capped": 1.5, "top_day_share": 0.2,
                "retracted": False, "version": 1,
            }
        ],
    }  # fmt: skip

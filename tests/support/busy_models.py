"""Rows of busy models of one age, some of which a hub does not renew, or lets fall."""

from datetime import UTC, datetime, timedelta
from typing import Any

CREATED = datetime(2026, 1, 1, tzinfo=UTC)


def rows(models: int, *, held: int = 0, fallen: int = 0) -> dict[str, list[dict[str, Any]]]:
    """Return eight days until now, by table, of models with 1000 downloads a day.

    Of the last day the first `held` are held, for 31 hours, and the last `fallen` are corrected.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    observations = []
    for model in range(models):
        for ago in range(8, -1, -1):
            at, state, total = now - timedelta(days=ago), "rise", 1000 * (9 - ago)
            if model < held and ago == 1:
                at = now - timedelta(hours=31)
            if model < held and ago == 0:
                state, total = "held", 8000
            if model >= models - fallen and ago == 0:
                state, total = "correction", 5000
            observations.append(
                {
                    "model_id": f"a/{model}", "observed_at": at, "source": "huggingface",
                    "origin": "live", "downloads_all_time": total, "state": state,
                    "correction": 3000 if state == "correction" else None, "version": 1,
                }
            )  # fmt: skip
    facts = {"org": "a", "tracked": True, "created_at": CREATED, "observed_at": now}
    return {
        "downloads_log": observations,
        "models_log": [{"model_id": f"a/{model}", **facts} for model in range(models)],
    }

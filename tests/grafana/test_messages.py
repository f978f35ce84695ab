"""What people read of an alert: annotations and messages, expanded as Grafana expands them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.grafana.messages import (
    TEXT,
    TITLE,
    URL,
    Said,
    check_annotations,
    needs_amtool,
    needs_promtool,
    rendered,
)
from tests.grafana.provisioned import rules

RULES = {rule["uid"].removeprefix("breakout-"): rule for rule in rules()}
PAGE = f"{URL}d/breakout-model?var-model=acme/Model-4B"
PIPELINE = f"{URL}d/breakout-pipeline"
MODEL = {"model": "acme/Model-4B", "org": "acme", "message": "acme/Model-4B"}
YOUNG = {"source": "huggingface", "age_band": "2025 and after"}
CROSSED: dict[str, float | None] = {
    "ongoing": 1, "ram": 2.7, "age": 27, "crossed": 2.174,
    "crossed_on": datetime(2026, 11, 1, tzinfo=UTC).timestamp(),
}  # fmt: skip
Values = dict[str, float | None]
SAID: list[tuple[str, dict[str, str], Values, dict[str, str]]] = [
    ("crossed", MODEL, CROSSED, {
        "summary": "acme/Model-4B passed 1.0x",
        "description": "RAM 2.70x at 27 days (2.17x when it crossed on 2026-11-01).",
        "gone": "acme/Model-4B is no longer scored, or later data took its crossing of 2026-11-01"
        " back.",
        "dashboard": PAGE,
    }),
    ("crossed", MODEL, CROSSED | {"ram": None, "age": None}, {
        "description": "RAM 2.17x when it crossed on 2026-11-01.",
    }),
    ("crossed", MODEL, CROSSED | {"ongoing": 0, "ram": 0.85, "age": 40}, {
        "resolved": "acme/Model-4B fell below 0.9x. RAM 0.85x at 40 days"
        " (2.17x when it crossed on 2026-11-01).",
    }),
    ("crossed", MODEL, CROSSED | {"ongoing": 0, "ram": None, "age": None}, {
        "resolved": "acme/Model-4B fell below 0.9x. It crossed on 2026-11-01.",
    }),
    ("crossed", MODEL, CROSSED | {"ongoing": -1, "ram": 1.5, "age": 110}, {
        "resolved": "acme/Model-4B is no longer watched, 100 days after it was confirmed."
        " RAM 1.50x at 110 days (2.17x when it crossed on 2026-11-01).",
    }),
    ("counters", YOUNG | {"alarm": "held"}, {"firing": 1, "share": 71.4, "hours": 31.2}, {
        "summary": "huggingface has not renewed the counters of 71% of busy models"
        " (created: 2025 and after)",
        "description": "Half of these are unchanged for 31 h or more. Downloads are known again"
        " once they are renewed; nothing is lost, and nothing newer is shown until then.",
        "gone": "huggingface: fewer than 20 busy models (created: 2025 and after) were observed"
        " today and yesterday.",
        "dashboard": PIPELINE,
    }),
    ("counters", YOUNG | {"alarm": "held"}, {"firing": 0, "share": 3, "hours": None}, {
        "resolved": "huggingface: counters of busy models (created: 2025 and after) are renewed."
        " 3% are still held.",
    }),
    ("counters", YOUNG | {"alarm": "fallen"}, {"firing": 1, "share": 39.1, "hours": None}, {
        "summary": "huggingface let fall the counters of 39% of busy models"
        " (created: 2025 and after)",
        "description": "Most counters that fall together come back within a week. Until then the"
        " fall counts as a correction.",
    }),
    ("stale", {"source": "arena"}, {"age": 1.26}, {
        "summary": "No new numbers of arena",
        "description": "Its latest numbers are 1.3 times as old as they should get: three rounds of"
        " its own cadence, with the default settings.",
        "resolved": "New numbers of arena have arrived.",
        "gone": "arena is no longer among the sources that have numbers.",
        "dashboard": PIPELINE,
    }),
    ("no-data", {}, {"observations": 0}, {"dashboard": PIPELINE}),
    ("clickhouse", {}, {}, {
        "summary": "ClickHouse does not answer Grafana",
        "resolved": "ClickHouse answers again.",
        "dashboard": PIPELINE,
    }),
    ("silent", {"component": "worker", "instance": "a:1"}, {"beats": 6.2}, {
        "summary": "worker on a:1 sends no heartbeats",
        "description": "It missed 6 heartbeats and did not report that it stops."
        " Others take over its work where others run.",
        "resolved": "worker on a:1 sends heartbeats again, or has stopped as told.",
        "gone": "worker on a:1 has sent no heartbeat for a day and is forgotten.",
        "dashboard": PIPELINE,
    }),
    ("lag", {"processor": "ram"}, {"lag": 130.4}, {
        "summary": "ram: records wait too long until they can be queried",
        "description": "One record in a hundred became queryable only 130 s after it was published."
        " Start more workers, up to the number of partitions, or see whether ClickHouse is slow."
        " Resolved below 60 s.",
        "resolved": "ram: records can be queried within 60 s again.",
        "gone": "ram: no record was finished in the last 10 minutes.",
        "dashboard": PIPELINE,
    }),
    ("dead-letters", {"topic": "breakout.models"}, {"letters": 3}, {
        "summary": "Dead letters from breakout.models",
        "description": "3 in the last 15 minutes. Their bytes and reasons are in the topic"
        " breakout.dlq; their neighbours landed.",
        "resolved": "No dead letters from breakout.models in the last 15 minutes.",
        "gone": "Dead letters from breakout.models are no longer counted: no part that counts them"
        " is scraped.",
        "dashboard": PIPELINE,
    }),
    ("insert-failures", {"table": "downloads_log"}, {"failures": 4.2}, {
        "summary": "Inserts into downloads_log fail",
        "description": "4 in the last 10 minutes. Nothing is lost: each is retried, and nothing"
        " more is read meanwhile.",
        "resolved": "Inserts into downloads_log succeed again.",
        "gone": "Inserts into downloads_log are no longer counted: no worker is scraped.",
        "dashboard": PIPELINE,
    }),
]  # fmt: skip


@needs_promtool
def test_annotations_are_sentences(tmp_path: Path) -> None:
    cases = [Said(RULES[rule], labels, values, expected) for rule, labels, values, expected in SAID]
    check_annotations(cases, tmp_path)


@pytest.mark.parametrize("uid", RULES)
def test_every_annotation_that_is_a_template_is_expanded_here(uid: str) -> None:
    templates = {name for name, text in RULES[uid]["annotations"].items() if "{{" in text}
    assert templates <= {name for rule, _, _, expected in SAID if rule == uid for name in expected}


def alert(status: str, reason: str = "", **more: str) -> dict[str, Any]:
    said = {
        "summary": "acme/Model-4B passed 1.0x",
        "description": "RAM 2.70x at 27 days (2.17x when it crossed on 2026-11-01).",
        "resolved": "acme/Model-4B fell below 0.9x. RAM 0.85x at 40 days.",
        "gone": "acme/Model-4B is no longer scored, or later data took its crossing back.",
        "dashboard": PAGE,
    }
    # Grafana adds the reason where a state is not what the query alone says (state/compat.go).
    reasons = {"grafana_state_reason": reason} if reason else {}
    labels = {"alertname": "A release passed 1.0x"}
    return {"status": status, "labels": labels, "annotations": {**said, **reasons, **more}}


FIRES = "A release passed 1.0x"
PASSED = (
    "acme/Model-4B passed 1.0x. RAM 2.70x at 27 days (2.17x when it crossed on 2026-11-01). " + PAGE
)
FELL = "acme/Model-4B fell below 0.9x. RAM 0.85x at 40 days."
GONE = f"acme/Model-4B is no longer scored, or later data took its crossing back. {PAGE}"
MESSAGES: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "fires": ([alert("firing")], FIRES, PASSED),
    "fires, and its source cannot be asked": (
        [alert("firing", "Error, KeepLast")], FIRES, PASSED,
    ),
    "ends": ([alert("resolved")], "Resolved", f"{FELL} {PAGE}"),
    "its row disappears": ([alert("resolved", "MissingSeries")], "Resolved", GONE),
    "no row is left at all": ([alert("resolved", "NoData")], "Resolved", GONE),
    "the rule changes": (
        [alert("resolved", "Updated")], "Resolved",
        f"The rule was changed, paused or deleted; its alerts begin anew. {PAGE}",
    ),
    "several": (
        [alert("firing"), alert("resolved", dashboard="")], FIRES, f"{PASSED}\n{FELL}",
    ),
}  # fmt: skip


@needs_amtool
@pytest.mark.parametrize("when", MESSAGES)
def test_a_message_says_what_happened(when: str, tmp_path: Path) -> None:
    alerts, title, text = MESSAGES[when]
    assert rendered(TITLE, alerts, tmp_path) == title
    assert rendered(TEXT, alerts, tmp_path) == text

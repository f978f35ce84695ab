"""Counts on the pipeline's dashboard, evaluated by Prometheus: each growth counts once."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from grafana.builder.addresses import PROMETHEUS
from grafana.builder.queries import counted, occurred
from tests.grafana.files import Place, panels
from tests.grafana.messages import needs_promtool

PIPELINE = [place for place in panels() if place.dashboard == "pipeline"]
BARS = {
    place.panel["title"]: place
    for place in PIPELINE
    if place.panel["datasource"]["uid"] == PROMETHEUS
    and place.panel["fieldConfig"]["defaults"].get("custom", {}).get("drawStyle") == "bars"
}


def evaluate(
    expression: str, series: dict[str, str], expected: dict[str, list[tuple[str, float]]], at: Path
) -> None:
    """Fail where an expression has other samples (labels, value) at a time than expected."""
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": expression.replace("$__interval", "1m"),
                "eval_time": time,
                "exp_samples": [{"labels": labels, "value": value} for labels, value in samples],
            }
            for time, samples in expected.items()
        ],
    }
    (at / "test.yaml").write_text(yaml.safe_dump({"rule_files": [], "tests": [test]}, width=10_000))
    answer = subprocess.run(
        ["promtool", "test", "rules", "test.yaml"],
        cwd=at, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout + answer.stderr


@needs_promtool
@pytest.mark.parametrize(
    ("values", "growth"),
    [
        ("5 5 8 8 9", [None, 0, 3, 0, 1]),
        ("_ _ 3 3 4", [None, None, 3, 0, 1]),
        ("7 9 0 2 2", [None, 2, 0, 2, 0]),
        ("7 9 1 2 2", [None, 2, 1, 1, 0]),
        ("500 500 _x9 502 502", [None, 0, *9 * [None], 2, 0]),
    ],
    ids=["grows", "begins above 0", "begins anew", "begins anew, grown", "is not scraped"],
)
def test_each_growth_is_counted_once(
    values: str, growth: list[float | None], tmp_path: Path
) -> None:
    expected = {
        f"{minute}m": [('{topic="a"}', value)]
        for minute, value in enumerate(growth)
        if value is not None
    }
    series = {'letters{topic="a",instance="1"}': values}
    evaluate(counted("letters", "topic"), series, expected, tmp_path)


@needs_promtool
def test_what_is_rare_is_named_only_where_it_occurred(tmp_path: Path) -> None:
    series = {'letters{topic="a"}': "0 0 2 2", 'letters{topic="b"}': "0 0 0 0"}
    expected: dict[str, list[tuple[str, float]]] = {
        "1m": [('{topic="none"}', 0)],
        "2m": [('{topic="a"}', 2)],
        "3m": [('{topic="none"}', 0)],
    }
    evaluate(occurred("letters", "topic"), series, expected, tmp_path)
    evaluate(occurred("nobody_counts", "topic"), series, {"3m": []}, tmp_path)


@pytest.mark.parametrize("title", BARS)
def test_bars_count_each_step_and_stand_before_its_end(title: str) -> None:
    panel: dict[str, Any] = BARS[title].panel
    assert panel["interval"] == "1m"
    assert panel["fieldConfig"]["defaults"]["custom"]["barAlignment"] == -1
    for one in panel["targets"]:
        assert "offset $__interval" in one["expr"]
        assert "increase(" not in one["expr"], "it extrapolates"


def tile(title: str) -> str:
    (place,) = [one for one in PIPELINE if one.panel["title"] == title]
    (target,) = place.panel["targets"]
    assert target["instant"] is True
    assert not target.get("range")
    expression: str = target["expr"]
    return expression


@needs_promtool
@pytest.mark.parametrize(
    "title", ["Dead letters of the last hour", "Failed inserts of the last hour"]
)
def test_what_never_happened_is_none_where_somebody_counts(title: str, tmp_path: Path) -> None:
    up, away = {'up{job="worker"}': "1x5"}, {'up{job="worker"}': "0x5"}
    evaluate(tile(title), up, {"5m": [("{}", 0)]}, tmp_path)
    evaluate(tile(title), away, {"5m": []}, tmp_path)


@needs_promtool
def test_a_quantile_of_nothing_is_nothing(tmp_path: Path) -> None:
    series = {
        f'breakout_queryable_latency_seconds_bucket{{le="{le}"}}': "4x10" for le in ("1.0", "+Inf")
    }
    expression = tile("Published to queryable, p99")
    evaluate(expression, series, {"10m": []}, tmp_path)


def test_tiles_are_all_of_this_moment() -> None:
    stats: list[Place] = [one for one in PIPELINE if one.panel["type"] == "stat"]
    assert len(stats) == 4
    for one in stats:
        tile(one.panel["title"])

"""Annotations and messages, expanded by the programs whose code Grafana uses for them.

- Annotations: Grafana calls Prometheus' template package (pkg/services/ngalert/state/template),
  with `$labels` and with `$values`, a value and its labels by refId. promtool calls the same
  package; in it `query` gives values with their labels, so `$values` is made of those. Of
  Grafana's address (`externalURL`) promtool knows nothing in a test.
- Messages: Grafana's templates are Alertmanager's (grafana/alerting), with more fields in an
  alert. amtool renders Alertmanager's, so our templates use nothing else.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.grafana.provisioned import message_templates

URL = "https://grafana.example/"
TITLE, TEXT = '{{ template "breakout.title" . }}', '{{ template "breakout.text" . }}'
"""What the contact points ask for."""
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="ALERTS ON PROMETHEUS NOT EVALUATED: no promtool (Debian: apt install prometheus)",
)
needs_amtool = pytest.mark.skipif(
    shutil.which("amtool") is None,
    reason="MESSAGES NOT RENDERED: no amtool (Debian: apt install prometheus-alertmanager)",
)


@dataclass(frozen=True)
class Said:
    """What an alert's annotations must become."""

    rule: dict[str, Any]
    labels: Mapping[str, str]
    values: Mapping[str, float | None]
    """By refId; None where the query gave null."""
    expected: Mapping[str, str]


def check_annotations(cases: Sequence[Said], folder: Path) -> None:
    """Fail with promtool's own words where an annotation becomes something else."""
    rules, tests = [], []
    for n, case in enumerate(cases):
        references = {ref: f"$values.arg{place}." for place, ref in enumerate(case.values)}
        given = " ".join(f'(query "v{n}_{ref}" | first)' for ref in case.values)
        start = f"{{{{- $values := args {given} -}}}}" if given else ""
        annotations = {}
        for name in case.expected:
            text = case.rule["annotations"][name].replace("{{ externalURL }}", URL)
            for ref, reference in references.items():
                text = text.replace(f"$values.{ref}.", reference)
            annotations[name] = start + text
        rules.append({"alert": f"a{n}", "expr": f"a{n} == 1", "annotations": annotations})
        labels = ",".join(f'{name}="{value}"' for name, value in case.labels.items())
        series = {f"a{n}": 1.0, **{f"v{n}_{ref}": value for ref, value in case.values.items()}}
        expected = {"exp_labels": dict(case.labels), "exp_annotations": dict(case.expected)}
        tests.append(
            {
                "interval": "1m",
                "input_series": [
                    {
                        "series": f"{name}{{{labels}}}",
                        "values": "NaN" if value is None else repr(value),
                    }
                    for name, value in series.items()
                ],
                "alert_rule_test": [
                    {"eval_time": "0m", "alertname": f"a{n}", "exp_alerts": [expected]}
                ],
            }
        )
    (folder / "rules.yaml").write_text(
        yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]}, width=10_000)
    )
    run_promtool(folder, tests)


def run_promtool(folder: Path, tests: list[dict[str, Any]]) -> None:
    """Run tests of `rules.yaml`, which lies in the folder; fails with what promtool says."""
    (folder / "test.yaml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": tests}, width=10_000)
    )
    answer = subprocess.run(
        ["promtool", "test", "rules", "test.yaml"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout + answer.stderr


def rendered(text: str, alerts: Sequence[dict[str, Any]], folder: Path) -> str:
    """Return what a receiver's field becomes for a group of alerts."""
    (folder / "breakout.tmpl").write_text(message_templates())
    firing = any(one["status"] == "firing" for one in alerts)
    common = set.intersection(*(set(one["labels"].items()) for one in alerts))
    data = {
        "receiver": "Breakout",
        "status": "firing" if firing else "resolved",
        "alerts": alerts,
        "commonLabels": dict(common),
        "externalURL": URL,
    }
    (folder / "data.json").write_text(json.dumps(data))
    answer = subprocess.run(
        [
            "amtool", "template", "render", "--template.glob", "breakout.tmpl",
            "--template.data", "data.json", "--template.text", text,
        ],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return answer.stdout

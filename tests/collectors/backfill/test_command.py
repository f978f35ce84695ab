"""`breakout backfill` through the whole pipeline, killed in the middle, and twice."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from breakout.contract import DownloadsSlice, ModelRecord
from tests.oracle.batch import recompute
from tests.oracle.inputs import Observation, observations_of
from tests.support.brokers import KAFKA_FIRST
from tests.support.pipeline import Pipeline, running_pipeline
from tests.support.views import view_differences
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

DAY0 = datetime(2026, 1, 1, tzinfo=UTC)
MODELS = [f"org/model-{number:02}" for number in range(12)]
DAYS = 90


@pytest.fixture(scope="module", params=KAFKA_FIRST)
def pipeline(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pipeline]:
    with running_pipeline(tmp_path_factory.mktemp("backfill"), request.param) as running:
        running.start_worker()
        yield running


def count(number: int, day: int) -> int:
    return 1000 * (number + 1) + (number + 3) * day * day


def history(path: Path) -> list[Observation]:
    """Write a file by model, so out of order, and return what it says."""
    lines, said = ["model_id,observed_at,downloads_all_time"], []
    for number, model in enumerate(MODELS):
        for day in range(DAYS):
            moment = DAY0 + timedelta(days=day)
            lines.append(f"{model},{moment:%Y-%m-%d},{count(number, day)}")
            said.append(Observation("huggingface", "file", model, moment, count(number, day)))
    path.write_text("\n".join(lines) + "\n")
    return said


def live(day: int, hour: int) -> DownloadsSlice:
    return DownloadsSlice(
        source="huggingface",
        scrape_id=f"live-{day}-{hour}",
        observed_at=DAY0 + timedelta(days=day, hours=hour),
        models=MODELS,
        downloads_all_time=[count(number, day) + hour for number in range(len(MODELS))],
        downloads_30d=[None] * len(MODELS),
        likes=[None] * len(MODELS),
    )


def backfill(pipeline: Pipeline, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "breakout", "backfill", *arguments],
        env=pipeline.environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ended(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def test_history_lands_beside_what_is_live(pipeline: Pipeline, tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    said = history(file)
    models = [
        ModelRecord(
            model_id=model,
            observed_at=DAY0,
            org="org",
            region=None,
            total_params_b=1.0,
            size_bin="1-5B",
            released_at=DAY0.date(),
            tracked=True,
        )
        for model in MODELS
    ]
    slices = [live(DAYS, 0), live(DAYS, 5)]
    pipeline.publish([*models, slices[0]])
    running = backfill(pipeline, "file", str(file))
    pipeline.publish(slices[1:])
    out = ended(running)
    assert f"{DAYS} snapshots with {len(said):,} observations, 0 skipped: published before" in out
    pipeline.wait_caught_up(120)
    expected = recompute([*said, *observations_of(slices)], models)
    assert view_differences(pipeline, expected) == {}
    assert pipeline.rows("SELECT count() AS n FROM breakouts")[0]["n"] > 0
    # The second time there is nothing to do, and whoever insists changes nothing.
    again = ended(backfill(pipeline, "file", str(file)))
    assert f"0 snapshots with 0 observations, {DAYS} skipped: published before" in again
    assert f"{DAYS} snapshots" in ended(backfill(pipeline, "file", str(file), "--again"))
    pipeline.wait_caught_up(120)
    assert view_differences(pipeline, expected) == {}


def test_young_models_land_under_their_own_origin_once(pipeline: Pipeline, tmp_path: Path) -> None:
    file = tmp_path / "young.csv"
    rows = [
        f"young/{name},2024-09-{day},,{30 * day + number},{created}"
        for day in (20, 21)
        for number, (name, created) in enumerate(
            [("new", "2024-09-01"), ("older", "2024-01-01"), ("undated", "")]
        )
    ]
    header = "model_id,observed_at,downloads_all_time,downloads_30d,created_at\n"
    file.write_text(header + "\n".join(rows) + "\n")
    out = ended(backfill(pipeline, "file", str(file)))
    assert "2 snapshots with 6 observations, 0 skipped: published before" in out
    assert "2 observations by the 30-day counter of young repositories" in out
    assert "4 observations without an all-time counter" in out
    pipeline.wait_caught_up(120)
    landed = pipeline.rows(
        "SELECT model_id, toString(origin) AS origin, downloads_all_time AS total, downloads_30d "
        "FROM downloads WHERE startsWith(model_id, 'young/') ORDER BY model_id, observed_at"
    )
    assert [tuple(row.values()) for row in landed] == [
        ("young/new", "file-30d", 600, 600),
        ("young/new", "file-30d", 630, 630),
        ("young/older", "file", None, 601),
        ("young/older", "file", None, 631),
        ("young/undated", "file", None, 602),
        ("young/undated", "file", None, 632),
    ]
    again = ended(backfill(pipeline, "file", str(file)))
    assert "0 snapshots with 0 observations, 2 skipped: published before" in again


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGKILL,
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_backfill_goes_on_where_it_was(
    pipeline: Pipeline, tmp_path: Path, number: signal.Signals
) -> None:
    file = tmp_path / "long.csv"
    name = number.name.lower()
    rows = [
        f"{name}/m{model:03},{DAY0 + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ},{hour}"
        for hour in range(1500)
        for model in range(40)
    ]
    file.write_text("model_id,observed_at,downloads_all_time\n" + "\n".join(rows) + "\n")
    where = f"origin = 'file' AND startsWith(model_id, '{name}/')"

    def landed() -> int:
        return int(pipeline.rows(f"SELECT count() AS n FROM downloads WHERE {where}")[0]["n"])

    process = backfill(pipeline, "file", str(file))
    wait_until("some of it", lambda: landed() > 0 or process.poll() is not None)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode in {128 + number, -number, 0}
    pipeline.wait_caught_up(120)
    ended(backfill(pipeline, "file", str(file)))
    pipeline.wait_caught_up(120)
    assert landed() == len(rows)


def test_a_dry_run_publishes_nothing(pipeline: Pipeline, tmp_path: Path) -> None:
    file = tmp_path / "dry.csv"
    file.write_text("model_id,observed_at,downloads_all_time\ndry/run,2026-01-01,5\n")
    out = ended(backfill(pipeline, "file", str(file), "--dry-run"))
    assert "1 observations of 1 models, 2026-01-01 to 2026-01-01" in out
    assert "would publish: 1 snapshots with 1 observations" in out
    assert pipeline.rows("SELECT count() AS n FROM downloads WHERE model_id = 'dry/run'") == [
        {"n": 0}
    ]


def test_wrong_rows_are_named_and_end_with_three(pipeline: Pipeline, tmp_path: Path) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text(
        "model_id,observed_at,downloads_all_time\nwrong,2026-01-01,5\nx/y,2026-01-01,5\n"
    )
    process = backfill(pipeline, "file", str(file))
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "row 1 skipped: model_id: must be organisation/name, got 'wrong'" in out
    assert "1 invalid rows skipped, sent to breakout.dlq" in out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["file", "/nowhere/mine.csv"], "/nowhere/mine.csv: no such file"),
        (["hub-stats", "--since", "soon"], "'soon' does not match the format"),
        (["nonsense"], "No such command 'nonsense'"),
    ],
)
def test_invalid_usage_is_explained(pipeline: Pipeline, arguments: list[str], why: str) -> None:
    process = backfill(pipeline, *arguments)
    _, err = process.communicate(timeout=60)
    assert process.returncode in {1, 2}
    assert why in err
    assert "Traceback" not in err

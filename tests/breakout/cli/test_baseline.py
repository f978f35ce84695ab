"""`breakout baseline`: frozen copies of the live baseline."""

import json

import pytest

from breakout.clickhouse.client import reader_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.breakout.cli.conftest import Breakout
from tests.breakout.cli.seed import insert, seed


def test_a_frozen_baseline_is_the_live_one_and_stays(
    breakout: Breakout, settings: Settings
) -> None:
    client = seed(settings)
    shown = breakout("baseline", "freeze", "2026-Q1")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout == "froze the live baseline as 2026-Q1: 90 values\n"
    query = (
        "SELECT size_bin, age_days, peers, downloads, as_of FROM baselines "
        "WHERE baseline = {b:String} ORDER BY size_bin, age_days"
    )
    live = client.query(query, parameters={"b": "live"}).result_rows
    assert client.query(query, parameters={"b": "2026-Q1"}).result_rows == live
    # The live one moves on, the frozen one does not.
    insert(
        client,
        "baselines_log",
        {
            "baseline": "live",
            "size_bin": "10-50B",
            "age_days": 30,
            "peers": 10,
            "downloads": 1.0,
            "as_of": None,
            "version": 2,
        },
    )
    assert client.query(query, parameters={"b": "2026-Q1"}).result_rows == live
    board = json.loads(breakout("top", "--baseline", "2026-Q1", "--format", "json").stdout)
    assert board["models"][0]["ram"] == pytest.approx(300_000 / (30.5 * 8000))


def test_a_name_is_given_once(breakout: Breakout, settings: Settings) -> None:
    seed(settings)
    assert breakout("baseline", "freeze", "mine").returncode == 0
    shown = breakout("baseline", "freeze", "mine")
    assert (shown.returncode, shown.stdout) == (1, "")
    assert "the baseline 'mine' already exists and cannot be changed" in shown.stderr
    rows = reader_client(settings).query("SELECT count() FROM frozen_baselines").result_rows
    assert rows == [(1,)]


@pytest.mark.parametrize(
    "name", ["live", "live_fixed", "LIVE2", "", " ", "a b", "a'b", "a;b", "-a", ".a", "é", "a" * 65]
)
def test_a_wrong_name_is_refused(breakout: Breakout, settings: Settings, name: str) -> None:
    shown = breakout("baseline", "freeze", "--", name)
    assert (shown.returncode, shown.stdout) == (1, "")
    assert len(shown.stderr.splitlines()) == 1


def test_nothing_to_freeze_leaves_nothing_behind(breakout: Breakout, settings: Settings) -> None:
    migrate(settings)
    shown = breakout("baseline", "freeze", "early")
    assert shown.returncode == 1
    assert "cannot freeze the live baseline" in shown.stderr
    names = [row["baseline"] for row in json.loads(listed(breakout))]
    assert names == ["live", "live_fixed", "live_cutoff"]


def listed(breakout: Breakout) -> str:
    return breakout("baseline", "list", "--format", "json").stdout


def test_the_list_says_how_full_each_is(breakout: Breakout, settings: Settings) -> None:
    seed(settings)
    breakout("baseline", "freeze", "2026-Q1")
    rows = {row["baseline"]: row for row in json.loads(listed(breakout))}
    assert list(rows) == ["live", "live_fixed", "live_cutoff", "2026-Q1"]
    assert rows["live"]["values"] == rows["2026-Q1"]["values"] == 90
    assert rows["live"]["as_of"] == "2026-03-11T12:00:00+00:00"
    assert rows["live"]["frozen_at"] is None
    assert rows["2026-Q1"]["frozen_at"] is not None
    assert rows["live_cutoff"] == {
        "baseline": "live_cutoff",
        "values": 0,
        "as_of": None,
        "frozen_at": None,
    }
    table = breakout("baseline", "list").stdout
    assert "2026-03-11 12:00" in table

"""A scrape split into records."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from breakout.contract.events import DownloadsSlice, read_event
from breakout.contract.model_ids import is_model_id
from breakout.contract.topics import partition_of
from collectors.hub.counters import Counters
from collectors.publishing.slices import MOST_BYTES, Scrape, split_scrape

AT = datetime(2026, 8, 22, 11, 0, 0, 123_000, tzinfo=UTC)
IDS = st.text("abzABZ019_.-/é模型ß", min_size=1, max_size=40).filter(is_model_id)
COUNTS = st.none() | st.integers(0, 2**63 - 1)


def counters(model_id: str, all_time: int | None = 1, monthly: int | None = 1) -> Counters:
    return Counters(id=model_id, downloadsAllTime=all_time, downloads=monthly, likes=None)


def scrape_of(ids: list[str], missing: dict[str, str] | None = None) -> Scrape:
    return Scrape("huggingface", AT, {i: counters(i) for i in ids}, missing or {})


@given(
    observed=st.dictionaries(IDS, st.tuples(COUNTS, COUNTS), max_size=30),
    missing=st.dictionaries(IDS, st.text(st.characters(codec="utf-8"), min_size=1), max_size=10),
    partitions=st.integers(1, 8),
    most_models=st.integers(1, 6),
)
def test_each_model_is_in_one_slice_of_its_partition(
    observed: dict[str, tuple[int | None, int | None]],
    missing: dict[str, str],
    partitions: int,
    most_models: int,
) -> None:
    observed = {model_id: pair for model_id, pair in observed.items() if model_id not in missing}
    scrape = Scrape(
        "huggingface",
        AT,
        {model_id: counters(model_id, *pair) for model_id, pair in observed.items()},
        missing,
    )
    pieces = list(split_scrape(scrape, partitions, most_models=most_models))
    assert [piece.slice for _, piece in pieces] == list(range(len(pieces)))
    seen: dict[str, tuple[int | None, int | None]] = {}
    reasons: dict[str, str] = {}
    for partition, piece in pieces:
        assert read_event(DownloadsSlice, piece.to_bytes()) == piece
        assert piece.complete is (not missing)
        assert 1 <= len(piece.models) + len(piece.missing) <= most_models
        assert piece.models == sorted(piece.models)
        rows = zip(piece.models, piece.downloads_all_time, piece.downloads_30d, strict=True)
        for model_id, all_time, monthly in rows:
            assert partition_of(model_id, partitions) == partition
            assert model_id not in seen
            seen[model_id] = (all_time, monthly)
        for gone in piece.missing:
            assert partition_of(gone.model_id, partitions) == partition
            assert gone.model_id not in reasons
            reasons[gone.model_id] = gone.reason
    assert seen == observed
    assert reasons == {model_id: reason[:1000] for model_id, reason in missing.items()}


def test_split_does_not_depend_on_order_of_models() -> None:
    ids = [f"acorn/tiny-{i}" for i in range(500)]
    forward = list(split_scrape(scrape_of(ids, {"acorn/gone": "deleted"}), 4, most_models=50))
    backward = list(
        split_scrape(scrape_of(ids[::-1], {"acorn/gone": "deleted"}), 4, most_models=50)
    )
    assert [(p, s.to_bytes()) for p, s in forward] == [(p, s.to_bytes()) for p, s in backward]
    assert {s.scrape_id for _, s in forward} == {"huggingface-20260822T110000.123Z"}


def test_young_models_have_slices_of_their_own_origin() -> None:
    ids = [f"acorn/tiny-{i}" for i in range(40)]
    created = (AT - timedelta(days=10)).isoformat()
    old = {i: counters(i, all_time=1000, monthly=100) for i in ids[:20]}
    young = {i: Counters(id=i, downloads=7, createdAt=created) for i in ids[20:]}
    null = {"acorn/null": Counters(id="acorn/null", likes=1, createdAt=created)}
    scrape = Scrape(
        "huggingface", AT, old | young | null, {"acorn/gone": "deleted"}, origin="hub-stats"
    )
    pieces = list(split_scrape(scrape, 4, most_models=3))
    assert [piece.slice for _, piece in pieces] == list(range(len(pieces)))
    assert {piece.scrape_id for _, piece in pieces} == {scrape.scrape_id}
    rows = {
        model_id: (piece.origin, all_time, monthly)
        for _, piece in pieces
        for model_id, all_time, monthly in zip(
            piece.models, piece.downloads_all_time, piece.downloads_30d, strict=True
        )
    }
    assert rows == {
        **dict.fromkeys(old, ("hub-stats", 1000, 100)),
        **dict.fromkeys(young, ("hub-stats-30d", 7, 7)),
        "acorn/null": ("hub-stats", None, None),
    }
    missing = [(piece.origin, one.model_id) for _, piece in pieces for one in piece.missing]
    assert missing == [("hub-stats", "acorn/gone")]
    # Those of the other models do not depend on who is young.
    others = [piece for _, piece in pieces if piece.origin == "hub-stats"]
    assert pieces[: len(others)] == list(
        split_scrape(
            Scrape("huggingface", AT, old | null, scrape.missing, origin="hub-stats"),
            4,
            most_models=3,
        )
    )
    again = Scrape(
        "huggingface",
        AT,
        dict(reversed((old | young | null).items())),
        scrape.missing,
        origin="hub-stats",
    )
    assert list(split_scrape(again, 4, most_models=3)) == pieces


def test_slice_stays_below_record_limit() -> None:
    ids = [f"organisation-{i % 7}/{'very-long-name-' * 10}{i}" for i in range(20_000)]
    largest = 2**63 - 1
    observed = {i: Counters(id=i, downloadsAllTime=largest, downloads=largest) for i in ids}
    missing = {f"acorn/{i}": 'reason "\\ü' * 120 for i in range(1500)}
    pieces = list(split_scrape(Scrape("huggingface", AT, observed, missing), 2))
    assert max(len(piece.to_bytes()) for _, piece in pieces) <= MOST_BYTES
    assert sum(len(piece.models) for _, piece in pieces) == 20_000
    assert sum(len(piece.missing) for _, piece in pieces) == 1500
    assert len(pieces) < 20


def test_counters_beyond_double_precision_survive() -> None:
    exact = 9_007_199_254_740_993
    scrape = Scrape("huggingface", AT, {"a/x": Counters(id="a/x", downloadsAllTime=exact)})
    [(_, piece)] = split_scrape(scrape, 1)
    assert json.loads(piece.to_bytes())["downloads_all_time"] == [exact]


def test_incomplete_listing_makes_scrape_incomplete() -> None:
    scrape = Scrape("huggingface", AT, {"a/x": counters("a/x")}, failures=("a loop",))
    assert [piece.complete for _, piece in split_scrape(scrape, 1)] == [False]

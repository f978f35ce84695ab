"""Leaderboard ratings, recomputed from all readings."""

from collections.abc import Iterable, Mapping
from typing import Any

from breakout.contract.events import LeaderboardSlice

from .inference import UNKNOWN
from .inputs import Row


def ratings(boards: Iterable[LeaderboardSlice], names: Mapping[Any, Row]) -> dict[Any, Row]:
    """Rows of `scores` by source, board, index_version, published_on and name."""
    newest: dict[Any, LeaderboardSlice] = {}
    for one in boards:
        key = (one.source, one.board, one.version, one.published_on)
        if key not in newest or one.observed_at > newest[key].observed_at:
            newest[key] = one
    found: dict[Any, Row] = {}
    for key, one in newest.items():
        for row in zip(one.names, one.rating, one.lower, one.upper, one.votes, strict=True):
            name, rating, lower, upper, votes = row
            meaning = names.get((one.source, name), UNKNOWN)
            found[*key, name] = {
                "rating": rating,
                "lower": lower,
                "upper": upper,
                "votes": votes,
                "observed_at": one.observed_at,
                **{column: meaning[column] for column in UNKNOWN},
            }
    return found


def best_ratings(ratings_by_key: Mapping[Any, Row]) -> dict[Any, Row]:
    """Rows of `best_scores` by source, board, index_version, published_on and region."""
    found: dict[Any, Row] = {}
    for key, row in sorted(
        ratings_by_key.items(), key=lambda item: (-item[1]["rating"], item[0][-1])
    ):
        if row["open"] and row["region"] is not None:
            columns = ("model_id", "org", "rating", "lower", "upper")
            best = {"name": key[-1]} | {column: row[column] for column in columns}
            found.setdefault((*key[:-1], row["region"]), best)
    return found

"""Names nearest to an unknown one, for "Did you mean ...?" in the API and on the command line."""

from collections.abc import Iterable
from difflib import SequenceMatcher

LIMIT = 3
_SIMILAR = 0.6
"""Minimum ratio of `SequenceMatcher`, the default of `difflib.get_close_matches`."""
_SHORTEST_PART = 2


def nearest(name: str, known: Iterable[str], limit: int = LIMIT) -> list[str]:
    """Return up to `limit` known names that are similar to `name`, the most similar first.

    Names that differ in case alone exclude all others. Next come names with the same part after
    the slash, names that one of the two begins with, and names of similar spelling.
    """
    text = name.casefold()
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(text)
    similarities = {
        candidate: _similarity(text, candidate.casefold(), matcher) for candidate in set(known)
    }
    ranked = sorted(
        (candidate for candidate, similarity in similarities.items() if similarity),
        key=lambda candidate: (-similarities[candidate], candidate),
    )
    same = [candidate for candidate in ranked if candidate.casefold() == text]
    return (same or ranked)[:limit]


def did_you_mean(names: Iterable[str]) -> str:
    """Return a question that offers the names, empty without any."""
    *others, last = ["", *(f'"{name}"' for name in names)]
    if not last:
        return ""
    first = ", ".join(others[1:])
    return f"Did you mean {first} or {last}?" if first else f"Did you mean {last}?"


def unknown(kind: str, name: str, near: Iterable[str], choices: Iterable[str] = ()) -> str:
    """Return the message about an unknown name: what it is, the nearest ones, all `choices`."""
    parts = [f'Unknown {kind} "{name}".', did_you_mean(near)]
    if listed := ", ".join(choices):
        parts.append(f"Choose one of: {listed}")
    return " ".join(part for part in parts if part)


def _similarity(text: str, candidate: str, matcher: SequenceMatcher[str]) -> float:
    """Return how similar two casefolded texts are, 0 if they are not."""
    if candidate == text:
        return 4.0
    part, candidate_part = text.rpartition("/")[2], candidate.rpartition("/")[2]
    if part == candidate_part and part:
        return 3.0
    shorter, longer = sorted((text, candidate), key=len)
    if len(shorter) >= _SHORTEST_PART and longer.startswith(shorter):
        return 2.0 + len(shorter) / len(longer)
    matcher.set_seq1(candidate)
    if matcher.real_quick_ratio() < _SIMILAR or matcher.quick_ratio() < _SIMILAR:
        ratio = 0.0
    else:
        ratio = matcher.ratio()
    if ratio >= _SIMILAR:
        return 1.0 + ratio
    inside = len(shorter) > _SHORTEST_PART and shorter in longer
    return len(shorter) / len(longer) if inside else 0.0

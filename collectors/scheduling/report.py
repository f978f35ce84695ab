"""Reports the outcome of a run, as a line for people and in the log."""

import structlog

from collectors.scheduling.outcome import Outcome

log = structlog.get_logger(__name__)

_SHOWN = 20


def summary(outcome: Outcome) -> str:
    """Return one line for people."""
    parts = [
        f"{outcome.source} as of {outcome.observed_at:%Y-%m-%dT%H:%M:%S}Z:",
        " and ".join(f"{count} {kind}" for kind, count in outcome.published.items()),
        f"in {outcome.records} records;",
        "complete" if outcome.complete else f"{len(outcome.missing)} missing",
    ]
    if outcome.failures:
        parts.append(f"({len(outcome.failures)} incomplete listings)")
    if outcome.dead_letters:
        parts.append(f"({outcome.dead_letters} rows in breakout.dlq)")
    parts += [f"({note})" for note in outcome.notes]
    if outcome.dropped:
        parts.append(f"({outcome.dropped} more invalid rows dropped)")
    return " ".join(parts)


def log_outcome(outcome: Outcome) -> None:
    """Log what was published and what is missing."""
    for reason in outcome.failures:
        log.warning("incomplete listing", source=outcome.source, reason=reason)
    for wanted, reason in sorted(outcome.missing.items())[:_SHOWN]:
        log.warning("missing", source=outcome.source, wanted=wanted, reason=reason)
    if len(outcome.missing) > _SHOWN:
        log.warning(
            "more is missing", source=outcome.source, not_shown=len(outcome.missing) - _SHOWN
        )
    for note in outcome.notes:
        log.info("note", source=outcome.source, note=note)
    if outcome.dropped:
        log.warning(
            "too many invalid rows for the dead-letter topic",
            source=outcome.source,
            published=outcome.dead_letters,
            dropped=outcome.dropped,
        )
    log.info(
        "published",
        source=outcome.source,
        observed_at=outcome.observed_at.isoformat(),
        complete=outcome.complete,
        **{kind.replace(" ", "_"): count for kind, count in outcome.published.items()},
        records=outcome.records,
        missing=len(outcome.missing),
        dead_letters=outcome.dead_letters,
    )

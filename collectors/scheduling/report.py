"""Says what came of a run."""

import structlog

from collectors.scheduling.job import Outcome

log = structlog.get_logger(__name__)

_SHOWN = 20


def summary(outcome: Outcome) -> str:
    """Return one line for a person."""
    parts = [
        f"{outcome.source} as of {outcome.observed_at:%Y-%m-%dT%H:%M:%S}Z:",
        " and ".join(f"{count} {what}" for what, count in outcome.published.items()),
        f"in {outcome.records} records;",
        "complete" if outcome.complete else f"{len(outcome.missing)} missing",
    ]
    if outcome.troubles:
        parts.append(f"({len(outcome.troubles)} listings not read to their end)")
    if outcome.dead_letters:
        parts.append(f"({outcome.dead_letters} rows in breakout.dlq)")
    parts += [f"({note})" for note in outcome.notes]
    if outcome.not_kept:
        parts.append(f"({outcome.not_kept} more unreadable rows that were not kept)")
    return " ".join(parts)


def log_outcome(outcome: Outcome) -> None:
    """Log what was published, and exactly what is missing."""
    for trouble in outcome.troubles:
        log.warning("listing not read to its end", source=outcome.source, reason=trouble)
    for wanted, reason in sorted(outcome.missing.items())[:_SHOWN]:
        log.warning("missing", source=outcome.source, wanted=wanted, reason=reason)
    if len(outcome.missing) > _SHOWN:
        log.warning(
            "more is missing",
            source=outcome.source,
            not_shown=len(outcome.missing) - _SHOWN,
        )
    for note in outcome.notes:
        log.info("decided", source=outcome.source, note=note)
    if outcome.not_kept:
        log.warning(
            "unreadable rows were too many to be kept",
            source=outcome.source,
            kept=outcome.dead_letters,
            not_kept=outcome.not_kept,
        )
    log.info(
        "published",
        source=outcome.source,
        observed_at=outcome.observed_at.isoformat(),
        complete=outcome.complete,
        **{what.replace(" ", "_"): count for what, count in outcome.published.items()},
        records=outcome.records,
        missing=len(outcome.missing),
        dead_letters=outcome.dead_letters,
    )

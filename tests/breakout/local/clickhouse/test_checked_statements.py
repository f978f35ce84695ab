"""Which statements are known to be allowed."""

from dataclasses import replace

from breakout.local.clickhouse.checked_statements import CheckedStatements, digest_of
from breakout.local.clickhouse.request import SessionOptions, parse_request

REQUEST = parse_request([], {}, read_only=True, form=None)


def test_statement_is_another_one_with_other_settings() -> None:
    known = CheckedStatements()
    first = digest_of(b"SELECT 1", REQUEST)
    assert first is not None
    known.add(first)
    assert digest_of(b"SELECT 1", REQUEST) in known
    for other in (
        digest_of(b"SELECT 2", REQUEST),
        digest_of(b"SELECT 1", replace(REQUEST, settings={"max_threads": "1"})),
        digest_of(b"SELECT 1", replace(REQUEST, database="other")),
        digest_of(b"SELECT 1", replace(REQUEST, default_format="CSV")),
    ):
        assert other not in known


def test_statement_of_a_session_is_always_checked() -> None:
    session = SessionOptions("one", 60, must_exist=False, close=False)
    digest = digest_of(b"SELECT 1", replace(REQUEST, session=session))
    assert digest is None
    assert digest not in CheckedStatements()


def test_statement_that_was_not_used_for_long_is_forgotten() -> None:
    known = CheckedStatements()
    digests = [number.to_bytes(32, "big") for number in range(5000)]
    for digest in digests:
        known.add(digest)
        assert digests[0] in known
    assert digests[1] not in known
    assert digests[-1] in known

"""An embedded ClickHouse for the package; every test has a database of its own."""

from tests.support.empty_databases import clickhouse, settings

__all__ = ["clickhouse", "settings"]

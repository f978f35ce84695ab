"""ClickHouse: clients, schema migrations, the read-only user and the charts' queries."""

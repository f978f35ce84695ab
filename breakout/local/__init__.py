"""The broker and ClickHouse on one machine, from pip packages only.

They speak Kafka and ClickHouse's HTTP interface on 127.0.0.1, so the rest of the project needs
``KAFKA_BOOTSTRAP_SERVERS`` and ``CLICKHOUSE_URL`` only, and does not import this package.
"""

"""Settings of Kafka."""

from typing import Literal

from pydantic import Field, SecretStr

from breakout.settings.group import SettingsGroup
from breakout.settings.values import BootstrapServers, CertificatesFile


class KafkaSettings(SettingsGroup):
    """How to connect to Kafka, and how topics are created."""

    kafka_bootstrap_servers: BootstrapServers = Field(
        "127.0.0.1:9092",
        alias="KAFKA_BOOTSTRAP_SERVERS",
        description="Kafka brokers as host:port, separated by commas",
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT",
        alias="KAFKA_SECURITY_PROTOCOL",
        description="Connection to Kafka: with TLS (SSL), with a login (SASL_PLAINTEXT), with both "
        "(SASL_SSL) or with neither (PLAINTEXT)",
    )
    kafka_ssl_ca_file: CertificatesFile | None = Field(
        None,
        alias="KAFKA_SSL_CA_FILE",
        description="PEM file of the authorities that sign the brokers' certificates; "
        "default: the system's",
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512",
        alias="KAFKA_SASL_MECHANISM",
        description="SASL mechanism of the login",
    )
    kafka_sasl_username: str | None = Field(
        None, alias="KAFKA_SASL_USERNAME", description="User name of the SASL login"
    )
    kafka_sasl_password: SecretStr = Field(
        SecretStr(""), alias="KAFKA_SASL_PASSWORD", description="Password of the SASL login"
    )
    kafka_timeout_seconds: float = Field(
        30.0,
        alias="BREAKOUT_KAFKA_TIMEOUT_SECONDS",
        description="Seconds a worker waits for a response of a Kafka node before it tries another",
        ge=10,
        le=600,
    )
    partitions: int = Field(
        4,
        alias="BREAKOUT_PARTITIONS",
        description="Partitions of each topic when it is created: the maximum number of workers "
        "that share the load",
        ge=1,
        le=1024,
    )
    replication_factor: int = Field(
        1,
        alias="BREAKOUT_REPLICATION_FACTOR",
        description="Replicas of each topic when it is created",
        ge=1,
    )
    group: str = Field(
        "breakout", alias="BREAKOUT_GROUP", description="Kafka consumer group of the workers"
    )

    @property
    def kafka_uses_sasl(self) -> bool:
        """Whether Kafka requires a login."""
        return self.kafka_security_protocol.startswith("SASL")

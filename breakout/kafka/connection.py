"""Arguments with which every Kafka client connects: servers, TLS and login."""

import ssl
from typing import Any

from breakout.settings import Settings, SettingsError


def kafka_connection(settings: Settings) -> dict[str, Any]:
    """Return the connection arguments of aiokafka's clients.

    Raises `SettingsError` for a login without a user name.
    """
    connection: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": tls_context(settings),
    }
    if settings.kafka_uses_sasl:
        if not settings.kafka_sasl_username:
            raise SettingsError(
                "KAFKA_SASL_USERNAME: must be set if KAFKA_SECURITY_PROTOCOL is "
                f"{settings.kafka_security_protocol}"
            )
        connection |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": settings.kafka_sasl_password.get_secret_value(),
        }
    return connection


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Return the context that verifies certificates and names of brokers; None without TLS."""
    if not settings.kafka_security_protocol.endswith("SSL"):
        return None
    return ssl.create_default_context(cafile=settings.kafka_ssl_ca_file)

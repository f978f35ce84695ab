"""Distinguishes a broker that rejects our connection from one that is unavailable.

A retry helps only with the latter. aiokafka's clients raise "unable to bootstrap" for both, so the
reason is found with a connection of our own.
"""

import ssl

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError

from breakout.kafka.connection import kafka_connection
from breakout.settings import Settings

_TIMEOUT_MS = 5_000
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_MESSAGE"})


async def connection_rejection(settings: Settings) -> str | None:
    """Return which setting a broker rejects, and why; None if no broker rejects any.

    Raises `SettingsError` as `kafka_connection` does.
    """
    if settings.kafka_security_protocol == "PLAINTEXT":
        return None
    connection = kafka_connection(settings)
    for server in connection.pop("bootstrap_servers").split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            connected = await create_conn(
                host.strip("[]"), int(port), request_timeout_ms=_TIMEOUT_MS, **connection
            )
        except (KafkaError, OSError, TimeoutError) as error:
            reason = _reason(error, settings, server.strip())
            if reason is not None:
                return reason
        else:
            connected.close()
    return None


def _reason(error: Exception, settings: Settings, server: str) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"KAFKA_SSL_CA_FILE: the certificate of Kafka at {server} is not trusted "
            f"({error.verify_message}): name the file of its authority's certificate, and use a "
            "host name that the certificate contains"
        )
    protocol = settings.kafka_security_protocol
    if isinstance(error, ssl.SSLError) and error.reason in _NOT_TLS:
        return f"KAFKA_SECURITY_PROTOCOL: is {protocol}, but Kafka at {server} does not speak TLS"
    if isinstance(error, UnsupportedSaslMechanismError):
        return (
            f"KAFKA_SASL_MECHANISM: Kafka at {server} does not support "
            f"{settings.kafka_sasl_mechanism}"
        )
    if isinstance(error, SaslAuthenticationFailed):
        return (
            f"KAFKA_SASL_PASSWORD: Kafka at {server} rejected the login of user "
            f"{settings.kafka_sasl_username!r} (KAFKA_SASL_USERNAME) by "
            f"{settings.kafka_sasl_mechanism}"
        )
    return None

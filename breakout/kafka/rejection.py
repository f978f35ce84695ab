"""Tells a broker that will not have us from one that is away: waiting helps the latter only.

aiokafka's clients answer both alike, "unable to bootstrap"; the reason is asked for again.
"""

import ssl

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError

from breakout.kafka.connection import kafka_connection
from breakout.settings import Settings

_ANSWER_MS = 5_000
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_MESSAGE"})


async def refusal(settings: Settings) -> str | None:
    """Return which setting a broker that answers refuses, and why; None if it is none.

    Raises `SettingsError` as `kafka_connection` does.
    """
    if settings.kafka_security_protocol == "PLAINTEXT":
        return None
    connection = kafka_connection(settings)
    for server in connection.pop("bootstrap_servers").split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            opened = await create_conn(
                host.strip("[]"), int(port), request_timeout_ms=_ANSWER_MS, **connection
            )
        except (KafkaError, OSError, TimeoutError) as error:
            why = _why(error, settings, server.strip())
            if why is not None:
                return why
        else:
            opened.close()
    return None


def _why(error: Exception, settings: Settings, server: str) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"KAFKA_SSL_CA_FILE: the certificate of Kafka at {server} is not trusted "
            f"({error.verify_message}): name the file of its authority's certificate, and call "
            "the server as the certificate does"
        )
    protocol = settings.kafka_security_protocol
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return f"KAFKA_SECURITY_PROTOCOL: is {protocol}, but {server} does not speak TLS"
    if isinstance(error, UnsupportedSaslMechanismError):
        return (
            f"KAFKA_SASL_MECHANISM: Kafka at {server} does not take "
            f"{settings.kafka_sasl_mechanism} from us"
        )
    if isinstance(error, SaslAuthenticationFailed):
        return (
            f"KAFKA_SASL_PASSWORD: Kafka at {server} does not let user "
            f"{settings.kafka_sasl_username!r} (KAFKA_SASL_USERNAME) in with it by "
            f"{settings.kafka_sasl_mechanism}"
        )
    return None

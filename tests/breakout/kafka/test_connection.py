"""How clients connect to Kafka: each protocol's arguments, and what is said of wrong settings."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from breakout.kafka.connection import kafka_connection
from breakout.settings import SettingsError, read_settings

LOGIN = {"kafka_sasl_username": "breakout", "kafka_sasl_password": "hunter2"}


def connection(**settings: Any) -> dict[str, Any]:
    return kafka_connection(read_settings(kafka_bootstrap_servers="k:9092", **settings))


def test_in_the_clear() -> None:
    assert connection() == {
        "bootstrap_servers": "k:9092",
        "security_protocol": "PLAINTEXT",
        "ssl_context": None,
    }


def test_encrypted_verifies_names_and_certificates() -> None:
    context = connection(kafka_security_protocol="SSL")["ssl_context"]
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(("protocol", "encrypted"), [("SASL_PLAINTEXT", False), ("SASL_SSL", True)])
def test_with_a_login(protocol: str, *, encrypted: bool) -> None:
    found = connection(kafka_security_protocol=protocol, **LOGIN)
    assert (found["ssl_context"] is not None) is encrypted
    assert found["sasl_mechanism"] == "SCRAM-SHA-512"
    assert found["sasl_plain_username"] == "breakout"
    assert found["sasl_plain_password"] == "hunter2"


def test_the_password_shows_nowhere() -> None:
    settings = read_settings(kafka_security_protocol="SASL_SSL", **LOGIN)
    assert "hunter2" not in repr(settings)


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="KAFKA_SASL_USERNAME: must be set if KAFKA_SEC"):
        connection(kafka_security_protocol="SASL_SSL")
    with pytest.raises(SettingsError, match="KAFKA_SECURITY_PROTOCOL"):
        connection(kafka_security_protocol="TLS")
    with pytest.raises(SettingsError, match="KAFKA_SASL_MECHANISM"):
        connection(kafka_sasl_mechanism="MD5")
    away = tmp_path / "away.pem"
    with pytest.raises(
        SettingsError, match=r"KAFKA_SSL_CA_FILE: cannot read certificates from .*away.pem"
    ):
        connection(kafka_security_protocol="SSL", kafka_ssl_ca_file=str(away))
    away.write_text("no certificate")
    with pytest.raises(
        SettingsError, match=r"KAFKA_SSL_CA_FILE: cannot read certificates from .*away.pem"
    ):
        connection(kafka_security_protocol="SSL", kafka_ssl_ca_file=str(away))

"""Settings: any text of the environment is read, or named with its variable as wrong."""

import math
from datetime import timedelta

import pytest
from hypothesis import strategies as st

from breakout.observability.redaction import Redactor
from breakout.settings import Settings, SettingsError, read_settings
from collectors.http.client import Source
from tests.fuzz.effort import efforts, explore
from tests.fuzz.mutations import NUMBERS, STRINGS

VARIABLES = sorted(str(field.alias) for field in Settings.model_fields.values())
ADDRESSES = [
    "http://[::1",
    "http://[::1]:8123/x",
    "http://host:99999/x",
    "http://host:\u00b2/x",
    "http://ho st/x",
    "http://host\x01/x",
    "http://xn--/x",
    "http://" + "a" * 300 + "/x",
    "http://user:%zz@host/x",
    "http://us\u00e9r:p@host/\u00e9",
    "HTTPS://Host/x/y?z#f",
    "http:///x",
    "host:\u00b2",
    "host:99999",
    "host:0",
    ":9092",
    "a:1,,b:2",
    "[::1]:9092",
    "inf",
    "nan",
    "1e400",
    "1e9",
    "9" * 30,
    "\udcff",
]
texts = st.one_of(
    st.sampled_from([text for text in STRINGS if "\x00" not in text]),
    st.sampled_from(NUMBERS).map(str),
    st.sampled_from(ADDRESSES),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30),
)


def use(settings: Settings) -> None:
    """Do with every kind of setting what the program does first."""
    address = settings.clickhouse
    f"{address} {address.user} {address.password.get_secret_value()}".encode()
    assert 0 < address.port < 65536
    for server in settings.kafka_bootstrap_servers.split(","):
        assert 0 < int(server.rpartition(":")[2]) < 65536
    for seconds in (settings.batch_seconds, settings.insert_timeout_seconds):
        assert math.ceil(seconds) > 0
    assert timedelta(seconds=settings.scrape_seconds + settings.registry_seconds)
    for name in settings.model_fields_set:
        if name.endswith(("_endpoint", "_base_url", "_models_url")):
            Source(name, getattr(settings, name), "SETTING")
    Redactor(settings)("text")


@efforts
def test_any_text_is_read_or_refused_by_its_variable(effort: int) -> None:
    def check(environment: dict[str, str]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for variable in VARIABLES:
                patch.delenv(variable, raising=False)
            for variable, text in environment.items():
                patch.setenv(variable, text)
            try:
                settings = read_settings()
            except SettingsError as error:
                reason = str(error)
            else:
                use(settings)
                return
        assert any(f"{variable}: " in reason for variable in environment), reason
        reason.encode()

    explore(
        st.dictionaries(st.sampled_from(VARIABLES), texts, min_size=1, max_size=2),
        check,
        examples=100,
        effort=effort,
    )


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "host:\u00b2", "must be host:port"),
        ("KAFKA_BOOTSTRAP_SERVERS", "host:99999", "must be host:port"),
        ("HF_ENDPOINT", "http://host\x01/", "must be an http:// or https:// URL"),
        ("BREAKOUT_INSERT_TIMEOUT_SECONDS", "inf", "less than or equal to 3600"),
        ("BREAKOUT_BATCH_SECONDS", "inf", "less than or equal to 3600"),
        ("BREAKOUT_SCRAPE_SECONDS", "9" * 30, "less than or equal to"),
        ("BREAKOUT_CLICKHOUSE_PASSWORD", "\udcff", "must be UTF-8 text"),
    ],
)
def test_what_could_not_be_used_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, said: str
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(SettingsError, match=rf"^{variable}: .*{said}"):
        read_settings()

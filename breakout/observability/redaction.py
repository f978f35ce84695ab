"""Removes secrets from text before it is logged, stored or shown."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

from pydantic import SecretStr

from breakout.settings import Settings

STARS = "***"
SHORT = 6

_HEADERS = "authorization|proxy-authorization|cookie|set-cookie|x-api-key|x-clickhouse-key|api-key"
_SECRET_NAMES = re.compile(
    rf"^(?:{_HEADERS}|(?:.*[_-])?(?:password|passwd|secret|token|api[_-]?key))$",
    re.IGNORECASE,
)
_HEADER = re.compile(
    rf"""(\b(?:{_HEADERS})\b["']?\s*[:=,]\s*(?:b?["'])?)(?:(?:bearer|basic|token)\s+)?[^\s"',;)}}]+""",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"([a-z][a-z0-9+.-]*://[^\s/?#:@]*):[^\s/?#@]+@", re.IGNORECASE)
_QUERY_SECRET = re.compile(
    r"([?&](?:password|token|api_?key|access_token)=)[^\s&#\"']+", re.IGNORECASE
)


class Redactor:
    """Replaces the secrets of the settings, and what looks like a secret, by stars.

    >>> Redactor(Settings(HF_TOKEN="hf_abc"))("sent hf_abc to http://me:pw@host/")
    'sent *** to http://me:***@host/'
    """

    def __init__(self, settings: Settings) -> None:
        known = {
            value.get_secret_value()
            for value in (getattr(settings, name) for name in type(settings).model_fields)
            if isinstance(value, SecretStr)
        }
        password = urlsplit(settings.clickhouse_url).password
        if password:
            known |= {password, unquote(password)}
        for login in (settings.clickhouse, settings.clickhouse_reader):
            known.add(login.password.get_secret_value())
        known.discard("")
        spelled = known | {quote(k, safe="") for k in known} | {quote_plus(k) for k in known}
        # Longest first: one secret may be part of another.
        words = sorted(spelled, key=len, reverse=True)
        self._known = re.compile("|".join(map(_pattern, words))) if words else None

    def __call__(self, text: str) -> str:
        """Return `text` without secrets."""
        if self._known:
            text = self._known.sub(STARS, text)
        text = _HEADER.sub(rf"\1{STARS}", text)
        text = _BEARER.sub(rf"\1 {STARS}", text)
        text = _URL_PASSWORD.sub(rf"\1:{STARS}@", text)
        return _QUERY_SECRET.sub(rf"\1{STARS}", text)

    def value(self, value: Any, name: str = "") -> Any:
        """Return a log event's value without secrets, at any nesting.

        A value whose key names a secret (`authorization`, `hf_token`) is replaced completely.
        """
        if value is None or isinstance(value, bool | int | float):
            return value
        if _SECRET_NAMES.match(name):
            return STARS
        if isinstance(value, Mapping):
            return {self(str(k)): self.value(v, str(k)) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item) for item in value]
        return self(value.decode(errors="replace") if isinstance(value, bytes) else str(value))


def _pattern(secret: str) -> str:
    # A short secret within a longer word is most likely a coincidence: "r" is in every text.
    whole = re.escape(secret)
    return whole if len(secret) >= SHORT else rf"(?<![^\W_]){whole}(?![^\W_])"

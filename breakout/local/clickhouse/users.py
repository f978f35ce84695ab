"""The users of the embedded ClickHouse, and their authentication."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from breakout.local.clickhouse.errors import (
    AUTHENTICATION_FAILED,
    ClickHouseError,
    clickhouse_error,
)

DEFAULT_USER = "default"
"""The user of a request without a login, as in ClickHouse."""


@dataclass(frozen=True, slots=True)
class User:
    """A login, and whether it is the read-only user's."""

    name: str
    password: str = field(repr=False)
    readonly: bool


@dataclass(frozen=True, slots=True)
class Users:
    """The admin and, if there is one, the read-only user.

    If the read-only user has no password, requests without a login are accepted as its own.
    """

    admin: User
    readonly: User | None

    @classmethod
    def from_json(cls, text: str) -> Users:
        """Return the users that `to_json` wrote; raises ValueError for any other text."""
        try:
            users = json.loads(text)
            readonly = users["readonly"]
            return cls(User(**users["admin"]), None if readonly is None else User(**readonly))
        except (ValueError, TypeError, KeyError):
            # The text is not quoted: it holds passwords
            raise ValueError("the first line of standard input must name the users") from None

    def to_json(self) -> str:
        """Return the users with their passwords as one line of JSON."""
        return json.dumps(asdict(self))

    def authenticate(self, headers: Mapping[str, str], arguments: Mapping[str, str]) -> User:
        """Return the user that headers, Basic authentication or URL parameters log in.

        Raises ClickHouseError 516, with the same text for an unknown user and a wrong password.
        """
        name, password = _credentials(headers, arguments)
        for user in (self.admin, self.readonly):
            if user is not None and user.name == name and _same(user.password, password):
                return user
        readonly, anonymous = self.readonly, (DEFAULT_USER, "")
        if readonly is not None and not readonly.password and (name, password) == anonymous:
            return readonly
        raise _failed(name)


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _credentials(headers: Mapping[str, str], arguments: Mapping[str, str]) -> tuple[str, str]:
    named_by = []
    name, password = DEFAULT_USER, ""
    if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
        named_by.append("X-ClickHouse HTTP headers")
        name = headers.get("X-ClickHouse-User", DEFAULT_USER)
        password = headers.get("X-ClickHouse-Key", "")
    if "Authorization" in headers:
        named_by.append("the Authorization HTTP header")
        name, password = _basic(headers["Authorization"])
    if "user" in arguments or "password" in arguments:
        named_by.append("URL parameters")
        name = arguments.get("user", DEFAULT_USER)
        password = arguments.get("password", "")
    if len(named_by) > 1:
        raise clickhouse_error(
            AUTHENTICATION_FAILED,
            f"Invalid authentication: it is not allowed to use {' and '.join(named_by)} "
            "simultaneously",
        )
    return name, password


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise clickhouse_error(
            AUTHENTICATION_FAILED,
            "Invalid authentication: only the 'Basic' HTTP Authorization scheme is supported",
        )
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise clickhouse_error(
            AUTHENTICATION_FAILED, "Invalid authentication: the Basic credentials are malformed"
        ) from None
    name, _, password = decoded.partition(":")
    return name, password


def _failed(name: str) -> ClickHouseError:
    return clickhouse_error(
        AUTHENTICATION_FAILED,
        f"{name}: Authentication failed: password is incorrect, "
        "or there is no user with such name.",
    )

"""Who may log in to the embedded ClickHouse, and with which rights."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from breakout.local.clickhouse.errors import AUTHENTICATION_FAILED, ClickHouseError, raised_here

DEFAULT_USER = "default"
"""Whom ClickHouse takes a request without a login to come from."""


@dataclass(frozen=True, slots=True)
class User:
    """A login; ``reader`` may only read."""

    name: str
    password: str = field(repr=False)
    reader: bool


@dataclass(frozen=True, slots=True)
class Users:
    """The admin and, if there is one, the reader.

    A reader without a password is everybody on this machine, also who gives no login at all.
    """

    admin: User
    reader: User | None

    @classmethod
    def from_json(cls, text: str) -> Users:
        """The users of `to_json`; raises ValueError for another text."""
        try:
            users = json.loads(text)
            reader = users["reader"]
            return cls(User(**users["admin"]), None if reader is None else User(**reader))
        except (ValueError, TypeError, KeyError):
            # Its text is not repeated: there are passwords in it
            raise ValueError("the first line of standard input must name the users") from None

    def to_json(self) -> str:
        """The users, passwords too, in one line of JSON."""
        return json.dumps(asdict(self))

    def authenticate(self, headers: Mapping[str, str], arguments: Mapping[str, str]) -> User:
        """The user named by headers, Basic auth or URL arguments; ``default`` when none is.

        Raises ClickHouseError 516, worded alike for an unknown user and a wrong password.
        """
        name, password = _credentials(headers, arguments)
        for user in (self.admin, self.reader):
            if user is not None and user.name == name and _same(user.password, password):
                return user
        reader = self.reader
        if reader is not None and not reader.password and (name, password) == (DEFAULT_USER, ""):
            return reader
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
        raise raised_here(
            AUTHENTICATION_FAILED,
            f"Invalid authentication: it is not allowed to use {' and '.join(named_by)} "
            "simultaneously",
        )
    return name, password


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise raised_here(
            AUTHENTICATION_FAILED,
            "Invalid authentication: only the 'Basic' HTTP Authorization scheme is supported",
        )
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise raised_here(
            AUTHENTICATION_FAILED, "Invalid authentication: the Basic credentials are malformed"
        ) from None
    name, _, password = decoded.partition(":")
    return name, password


def _failed(name: str) -> ClickHouseError:
    return raised_here(
        AUTHENTICATION_FAILED,
        f"{name}: Authentication failed: password is incorrect, "
        "or there is no user with such name.",
    )

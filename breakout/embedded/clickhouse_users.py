"""Who may log in to the embedded ClickHouse, and with which rights."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from breakout.embedded.clickhouse_errors import AUTHENTICATION_FAILED, ClickHouseError, raised_here


@dataclass(frozen=True, slots=True)
class User:
    """A login; ``reader`` may only read."""

    name: str
    password: str = field(repr=False)
    reader: bool


class Users:
    """The admin and, if there is one, the reader."""

    def __init__(self, admin: User, reader: User | None) -> None:
        self._by_name = {user.name: user for user in (reader, admin) if user is not None}

    def authenticate(self, headers: Mapping[str, str], arguments: Mapping[str, str]) -> User:
        """The user named by headers, Basic auth or URL arguments; ``default`` when none is.

        Raises ClickHouseError 516, worded alike for an unknown user and a wrong password.
        """
        name, password = _credentials(headers, arguments)
        user = self._by_name.get(name)
        expected = "" if user is None else user.password
        matches = hmac.compare_digest(password.encode(), expected.encode())
        if user is None or not matches:
            raise _failed(name)
        return user


def _credentials(headers: Mapping[str, str], arguments: Mapping[str, str]) -> tuple[str, str]:
    named_by = []
    name, password = "default", ""
    if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
        named_by.append("X-ClickHouse HTTP headers")
        name = headers.get("X-ClickHouse-User", "default")
        password = headers.get("X-ClickHouse-Key", "")
    if "Authorization" in headers:
        named_by.append("the Authorization HTTP header")
        name, password = _basic(headers["Authorization"])
    if "user" in arguments or "password" in arguments:
        named_by.append("URL parameters")
        name = arguments.get("user", "default")
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

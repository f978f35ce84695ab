"""The generated login of the embedded ClickHouse, used when no password is set.

It is stored in the data folder, readable by its owner only, so that every command of the same user
finds it. The port is stored with it: a ClickHouse on another port is another server.
"""

import json
import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

FILE_NAME = "clickhouse-login.json"
_PASSWORD_BYTES = 24
_GROUP_AND_OTHERS = 0o077


class LoginFileError(ValueError):
    """The login file is damaged. The message names it and what to do."""


class _Login(BaseModel):
    model_config = ConfigDict(frozen=True)

    port: int
    user: str
    password: SecretStr


def local_password(data_dir: Path, port: int, user: str) -> SecretStr | None:
    """Return the password of `user` at the embedded ClickHouse on `port`; None without one.

    Also None if the data folder belongs to another user. Raises `LoginFileError` for a damaged
    file.
    """
    try:
        login = _read(data_dir / FILE_NAME)
    except PermissionError:
        return None
    if login is None or (login.port, login.user) != (port, user):
        return None
    return login.password


def make_local_password(data_dir: Path, port: int, user: str) -> SecretStr:
    """Store a password of `user` for the ClickHouse about to start on `port`, and return it.

    The password of an earlier start is reused, unless other users could read it.
    """
    file = data_dir / FILE_NAME
    earlier = None if _is_readable_by_others(file) else _read(file)
    reusable = None if earlier is None or earlier.user != user else earlier.password
    password = reusable or SecretStr(secrets.token_urlsafe(_PASSWORD_BYTES))
    text = json.dumps({"port": port, "user": user, "password": password.get_secret_value()})
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as target:
        target.write(f"{text}\n")
    new.replace(file)
    return password


def _read(file: Path) -> _Login | None:
    try:
        return _Login.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise LoginFileError(
            f"{file} is not a login of the embedded ClickHouse: delete it and restart "
            "`breakout up`, which generates a new one"
        ) from None


def _is_readable_by_others(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & _GROUP_AND_OTHERS)
    except FileNotFoundError:
        return False

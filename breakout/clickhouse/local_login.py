"""The login of the embedded ClickHouse that nobody has set a password for.

It lies in the data folder, readable by its owner alone, so that every command of the same person
finds it. The port is kept with it: a ClickHouse that listens elsewhere is another one.
"""

import json
import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

FILE_NAME = "clickhouse-login.json"
_PASSWORD_BYTES = 24
_OTHERS = 0o077


class LoginFileError(ValueError):
    """A file of a login that cannot be read. The message names it, and what to do."""


class _Login(BaseModel):
    model_config = ConfigDict(frozen=True)

    port: int
    user: str
    password: SecretStr


def local_password(data_dir: Path, port: int, user: str) -> SecretStr | None:
    """The password of `user` at the embedded ClickHouse on `port`; null when there is none.

    Null also where the data folder is another person's. Raises `LoginFileError` for a damaged
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
    """Write down a password of `user` for the ClickHouse about to start on `port`; return it.

    The one of an earlier start is kept, unless others could read it.
    """
    file = data_dir / FILE_NAME
    earlier = None if _is_open(file) else _read(file)
    known = None if earlier is None or earlier.user != user else earlier.password
    password = known or SecretStr(secrets.token_urlsafe(_PASSWORD_BYTES))
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
            f"{file} does not hold the login of the embedded ClickHouse: delete it, and start "
            "`breakout up` again, which makes a new one"
        ) from None


def _is_open(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & _OTHERS)
    except FileNotFoundError:
        return False

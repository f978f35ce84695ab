"""`breakout api` as a real process."""

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tests.support.server_process import Server, free_port

_REPOSITORY = Path(__file__).resolve().parents[2]


class ApiServer(Server):
    """A running API, whose log is in the file `log`."""

    name = "breakout api"

    def __init__(self, log: Path, environment: Mapping[str, str]) -> None:
        super().__init__(free_port(), log)
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {**environment, "BREAKOUT_API_PORT": str(self.port)}

    def _spawn(self, log: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "breakout", "api"],
            cwd=_REPOSITORY,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/openapi.json", timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

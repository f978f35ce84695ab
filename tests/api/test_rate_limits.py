"""Rate limits, API keys, and problems while the database is unavailable."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from api.cli import api as command
from api.token_buckets import TokenBuckets
from breakout.settings import Settings
from tests.api.conftest import serving
from tests.api.server import ApiServer
from tests.support.server_process import free_port
from tests.support.waiting import wait_until

RATE = 6


@pytest.fixture(scope="module")
def made() -> tuple[str, str]:
    """An API key, and its line for the file."""
    done = CliRunner().invoke(command, ["key", "lab"])
    assert done.exit_code == 0
    return done.stderr.split(": ")[1].strip(), done.stdout.strip()


@pytest.fixture(scope="module")
def keys_file(made: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keys") / "keys"
    file.write_text(f"# higher limits\n{made[1]} {2 * RATE}\n")
    return file


@pytest.fixture(scope="module")
def strict(keys_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API with API keys and without a database."""
    unavailable = Settings(clickhouse_url=f"http://127.0.0.1:{free_port()}/breakout")
    variables = {
        "BREAKOUT_API_REQUESTS_PER_MINUTE": "1000",
        "BREAKOUT_API_KEYS_FILE": str(keys_file),
    }
    with serving(tmp_path_factory.mktemp("strict"), unavailable, **variables) as server:
        yield server


def test_bucket_allows_a_burst_of_one_minute() -> None:
    buckets = TokenBuckets()
    assert [buckets.take("a", 3, 100.0) for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a", 3, 100.0) == pytest.approx(20)
    assert buckets.take("b", 3, 100.0) == 0
    assert buckets.take("a", 3, 119.9) > 0
    assert buckets.take("a", 3, 120.1) == 0
    assert buckets.take("a", 3, 120.1) > 0
    assert [buckets.take("a", 3, 1000.0) for _ in range(3)] == [0, 0, 0]


def test_unavailable_database_is_a_problem_with_retry_after(strict: ApiServer) -> None:
    response = httpx.get(f"{strict.url}/v1/models")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert response.headers["content-type"] == "application/problem+json"
    assert "127.0.0.1" not in response.text


def test_key_has_its_own_limit(strict: ApiServer, made: tuple[str, str]) -> None:
    headers = {"X-API-Key": made[0]}
    codes = [
        httpx.get(f"{strict.url}/v1/nothing", headers=headers).status_code for _ in range(2 * RATE)
    ]
    assert set(codes) == {404}
    response = httpx.get(f"{strict.url}/v1/nothing", headers=headers | {"Origin": "https://a.org"})
    assert response.status_code == 429
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert httpx.get(f"{strict.url}/v1/nothing").status_code == 404


def test_unknown_key_is_unauthorized(strict: ApiServer) -> None:
    response = httpx.get(f"{strict.url}/v1/models", headers={"X-API-Key": "bk_guess"})
    assert response.status_code == 401
    assert response.json()["errors"][0]["parameter"] == "X-API-Key"


def test_key_is_in_neither_file_nor_log(
    strict: ApiServer, keys_file: Path, made: tuple[str, str]
) -> None:
    httpx.get(f"{strict.url}/v1/nothing", headers={"X-API-Key": made[0]})
    assert made[0] not in keys_file.read_text()
    assert "served a request" in strict.log.read_text()
    assert made[0] not in strict.log.read_text()


def test_removed_key_is_unknown_after_a_reload(
    strict: ApiServer, keys_file: Path, made: tuple[str, str]
) -> None:
    text = keys_file.read_text()

    def code() -> int:
        return httpx.get(f"{strict.url}/v1/nothing", headers={"X-API-Key": made[0]}).status_code

    keys_file.write_text("nonsense\n")
    assert code() != 401, "a file that cannot be read leaves the keys valid"
    keys_file.write_text("# nobody\n")
    wait_until("the key is unknown", lambda: code() == 401)
    keys_file.write_text(text)
    wait_until("the key is known", lambda: code() != 401)


def test_invalid_keys_file_is_named(tmp_path: Path, world: Settings) -> None:
    wrong = tmp_path / "keys"
    wrong.write_text("lab secret\n")
    with (
        pytest.raises(RuntimeError, match=r"BREAKOUT_API_KEYS_FILE: .*keys, line 1"),
        serving(tmp_path / "api", world, BREAKOUT_API_KEYS_FILE=str(wrong)),
    ):
        pass


def test_rejected_login_of_the_reader_is_logged(world: Settings, tmp_path: Path) -> None:
    with serving(tmp_path, world, BREAKOUT_READER_PASSWORD="not-this-one") as server:
        response = httpx.get(f"{server.url}/v1/models")
        assert response.status_code == 500
        assert response.headers["content-type"] == "application/problem+json"
        assert "BREAKOUT_READER_PASSWORD" not in response.text
        assert "BREAKOUT_READER_PASSWORD" in server.log.read_text()
        assert "not-this-one" not in server.log.read_text()


def test_sigterm_stops_the_server(world: Settings, tmp_path: Path) -> None:
    with serving(tmp_path, world) as server:
        assert httpx.get(f"{server.url}/v1/sources").status_code == 200
        assert server.stop() == 0

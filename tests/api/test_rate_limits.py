"""Who may ask how often, and what is said while the database is away."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from api.cli import api as command
from api.token_buckets import Buckets
from breakout.settings import Settings
from tests.api.conftest import serving
from tests.api.server import ApiServer
from tests.support.server_process import free_port
from tests.support.waiting import wait_until

RATE = 6


@pytest.fixture(scope="module")
def made() -> tuple[str, str]:
    """A key, and its line for the file."""
    done = CliRunner().invoke(command, ["key", "lab"])
    assert done.exit_code == 0
    return done.stderr.split(": ")[1].strip(), done.stdout.strip()


@pytest.fixture(scope="module")
def keys_file(made: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keys") / "keys"
    file.write_text(f"# who may ask more\n{made[1]} {2 * RATE}\n")
    return file


@pytest.fixture(scope="module")
def strict(keys_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API that lets few requests through, and has no database."""
    away = Settings(clickhouse_url=f"http://127.0.0.1:{free_port()}/breakout")
    variables = {
        "BREAKOUT_API_REQUESTS_PER_MINUTE": "1000",
        "BREAKOUT_API_KEYS_FILE": str(keys_file),
    }
    with serving(tmp_path_factory.mktemp("strict"), away, **variables) as server:
        yield server


def test_a_minute_of_requests_may_come_at_once_and_no_more() -> None:
    buckets = Buckets()
    assert [buckets.take("a", 3, 100.0) for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a", 3, 100.0) == pytest.approx(20)
    assert buckets.take("b", 3, 100.0) == 0
    assert buckets.take("a", 3, 119.9) > 0
    assert buckets.take("a", 3, 120.1) == 0
    assert buckets.take("a", 3, 120.1) > 0
    assert [buckets.take("a", 3, 1000.0) for _ in range(3)] == [0, 0, 0]


def test_away_is_a_problem_that_says_when_to_come_again(strict: ApiServer) -> None:
    answer = httpx.get(f"{strict.url}/v1/models")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"
    assert "127.0.0.1" not in answer.text


def test_a_key_has_its_own_rate(strict: ApiServer, made: tuple[str, str]) -> None:
    headers = {"X-API-Key": made[0]}
    codes = [
        httpx.get(f"{strict.url}/v1/nothing", headers=headers).status_code for _ in range(2 * RATE)
    ]
    assert set(codes) == {404}
    answer = httpx.get(f"{strict.url}/v1/nothing", headers=headers | {"Origin": "https://a.org"})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert httpx.get(f"{strict.url}/v1/nothing").status_code == 404


def test_an_unknown_key_is_refused_and_named(strict: ApiServer) -> None:
    answer = httpx.get(f"{strict.url}/v1/models", headers={"X-API-Key": "bk_guess"})
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["parameter"] == "X-API-Key"


def test_keys_are_in_no_file_and_no_log(
    strict: ApiServer, keys_file: Path, made: tuple[str, str]
) -> None:
    httpx.get(f"{strict.url}/v1/nothing", headers={"X-API-Key": made[0]})
    assert made[0] not in keys_file.read_text()
    assert "answered" in strict.log.read_text()
    assert made[0] not in strict.log.read_text()


def test_a_key_that_is_taken_out_is_unknown_at_once(
    strict: ApiServer, keys_file: Path, made: tuple[str, str]
) -> None:
    text = keys_file.read_text()

    def code() -> int:
        return httpx.get(f"{strict.url}/v1/nothing", headers={"X-API-Key": made[0]}).status_code

    keys_file.write_text("nonsense\n")
    assert code() != 401, "a file that cannot be read takes nobody's key"
    keys_file.write_text("# nobody\n")
    wait_until("the key is unknown", lambda: code() == 401)
    keys_file.write_text(text)
    wait_until("the key is known", lambda: code() != 401)


def test_a_wrong_keys_file_is_named(tmp_path: Path, world: Settings) -> None:
    wrong = tmp_path / "keys"
    wrong.write_text("lab secret\n")
    with (
        pytest.raises(RuntimeError, match=r"BREAKOUT_API_KEYS_FILE: .*keys, line 1"),
        serving(tmp_path / "api", world, BREAKOUT_API_KEYS_FILE=str(wrong)),
    ):
        pass


def test_a_wrong_password_of_the_reader_is_named_in_the_log(
    world: Settings, tmp_path: Path
) -> None:
    with serving(tmp_path, world, BREAKOUT_READER_PASSWORD="not-this-one") as server:
        answer = httpx.get(f"{server.url}/v1/models")
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "BREAKOUT_READER_PASSWORD" not in answer.text
        assert "BREAKOUT_READER_PASSWORD" in server.log.read_text()
        assert "not-this-one" not in server.log.read_text()


def test_it_stops_when_it_is_told_to(world: Settings, tmp_path: Path) -> None:
    with serving(tmp_path, world) as server:
        assert httpx.get(f"{server.url}/v1/sources").status_code == 200
        assert server.stop() == 0

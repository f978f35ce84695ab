"""The stack's files: valid, pinned, closed to the outside, and all that they name is there."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import jsonschema
import pytest
import yaml

from breakout.cli.main import cli
from breakout.clickhouse.readonly_user import LIMITS, TOTAL_MEMORY
from breakout.contract.topics import TOPICS
from breakout.settings import Settings
from grafana.builder.addresses import CLICKHOUSE, PROMETHEUS
from tests.grafana.provisioned import PROVISIONING, read

REPOSITORY = Path(__file__).resolve().parents[2]
TEXT = (REPOSITORY / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = dict(
    line.split("=", 1)
    for line in (REPOSITORY / ".env.example").read_text().splitlines()
    if line and not line.startswith("#")
)
OURS = {name: one for name, one in SERVICES.items() if one["image"].startswith("breakout:")}
RUNS_ONCE = {"migrate", "demo"}
each_service = pytest.mark.parametrize("name", SERVICES)


def environment(name: str) -> dict[str, Any]:
    found: dict[str, Any] = SERVICES[name].get("environment", {})
    return found


def test_the_file_is_of_the_compose_specification() -> None:
    schema = json.loads((Path(__file__).parent / "compose_spec.json").read_text())
    specification = jsonschema.Draft7Validator(schema)
    specification.validate(COMPOSE)
    broken = {**COMPOSE, "services": {"x": {"image": "y", "restrat": "always"}}}
    with pytest.raises(jsonschema.ValidationError, match="restrat"):
        specification.validate(broken)


@each_service
def test_a_service_is_pinned_and_bounded_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+[\w.-]*", service["image"]), "a version"
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["restart"] == ("no" if name in RUNS_ONCE else "unless-stopped")
    assert "container_name" not in service, "or it could not be scaled"
    if name in RUNS_ONCE:
        assert service["healthcheck"] == {"disable": True}
    elif name not in OURS:  # ours have it in their image
        assert service["healthcheck"]["test"]


@each_service
def test_only_grafana_is_reachable_from_outside(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        if name == "grafana":
            assert port == "${BREAKOUT_GRAFANA_PORT:-3000}:3000"
        else:
            assert port.startswith("127.0.0.1:")


def test_workers_can_be_scaled() -> None:
    worker = SERVICES["worker"]
    assert worker["deploy"]["replicas"] == 2
    assert "ports" not in worker
    assert Settings.model_fields["partitions"].default >= 4, "or a fourth had nothing to do"


@each_service
def test_what_a_service_waits_for_tells_when_it_is_ready(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        if wait["condition"] == "service_completed_successfully":
            assert other in RUNS_ONCE
        else:
            assert wait["condition"] == "service_healthy"
            assert SERVICES[other]["healthcheck"]["test"]
        assert "profiles" not in SERVICES[other], "or compose refuses to start without the profile"


def test_everything_of_ours_starts_after_the_migrations() -> None:
    for name in {*OURS, "grafana"} - {"migrate"}:
        after = SERVICES[name]["depends_on"]["migrate"]
        assert after == {"condition": "service_completed_successfully"}


@each_service
def test_what_is_mounted_is_there(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (REPOSITORY / source).exists(), source
            assert volume.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]
    if name in OURS:
        assert SERVICES[name]["read_only"]
        assert SERVICES[name]["cap_drop"] == ["ALL"]


def test_variables_are_in_the_example_and_passwords_have_no_default() -> None:
    wanted = dict(re.findall(r"\$\{(\w+)(:?[?-][^}]*)?\}", TEXT))
    assert set(wanted) | {"COMPOSE_PROFILES"} == set(EXAMPLE)
    for variable, rest in wanted.items():
        if variable in {
            "GRAFANA_ADMIN_PASSWORD", "BREAKOUT_CLICKHOUSE_PASSWORD", "BREAKOUT_READER_PASSWORD",
        }:  # fmt: skip
            assert rest.startswith(":?"), "compose must refuse to start without it"
            assert EXAMPLE[variable] == ""
        else:
            assert rest.startswith(":-")
    assert EXAMPLE["COMPOSE_PROFILES"] == "live"
    assert not [
        value for name, value in EXAMPLE.items() if "KEY" in name or "TOKEN" in name if value
    ]


def test_settings_of_our_services_exist() -> None:
    known = {field.alias for field in Settings.model_fields.values()}
    for name in OURS:
        assert set(environment(name)) <= known
        assert environment(name)["KAFKA_BOOTSTRAP_SERVERS"] == "kafka:9092"
    keys = {"HF_TOKEN", "OPENROUTER_API_KEY", "ARTIFICIAL_ANALYSIS_API_KEY"}
    assert keys <= set(environment("collectors"))
    assert not keys & set(environment("worker")), "who needs no key has none"


@pytest.mark.parametrize("name", OURS)
def test_commands_exist(name: str) -> None:
    command, *rest = OURS[name]["command"]
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    options = {option for parameter in found.params for option in parameter.opts}
    assert {one for one in rest if one.startswith("-")} <= options


def test_kafka_takes_what_our_producers_send_and_keeps_what_topics_ask() -> None:
    kafka = environment("kafka")
    assert int(kafka["KAFKA_MESSAGE_MAX_BYTES"]) >= 16_000_000
    assert kafka["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert TOPICS
    advertised = kafka["KAFKA_ADVERTISED_LISTENERS"].removeprefix("PLAINTEXT://")
    assert advertised == environment("worker")["KAFKA_BOOTSTRAP_SERVERS"]


def test_profiles_part_live_sources_from_invented_ones() -> None:
    assert {name: one["profiles"] for name, one in SERVICES.items() if "profiles" in one} == {
        "collectors": ["live"],
        "demo": ["demo"],
    }


def test_prometheus_finds_our_services_at_the_port_of_the_image() -> None:
    config = yaml.safe_load((REPOSITORY / "prometheus" / "prometheus.yml").read_text())
    image = (REPOSITORY / "Dockerfile").read_text()
    (port,) = re.findall(r"BREAKOUT_METRICS_PORT=(\d+)", image)
    assert "BREAKOUT_METRICS_HOST=0.0.0.0" in image
    found = {
        name: one["port"]
        for job in config["scrape_configs"]
        for one in job.get("dns_sd_configs", [])
        for name in one["names"]
    }
    assert found == dict.fromkeys(("worker", "collectors", "api"), int(port))
    assert set(found) <= set(SERVICES)
    assert f"127.0.0.1:{port}/metrics" in image, "the health check asks there"


def test_the_image_is_small_and_runs_as_nobody() -> None:
    stages = re.split(r"^FROM ", (REPOSITORY / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    assert len(stages) == 2
    build, final = stages
    assert "--require-hashes" in build
    lock = (REPOSITORY / "requirements.lock").read_text()
    assert not re.search(r"^(chdb|chdb-core|pandas)==", lock, re.MULTILINE), "they are 0.5 GB"
    assert not re.search(r"\b(apt-get|gcc|pip|build-essential)\b", final)
    assert re.search(r"^USER breakout$", final, re.MULTILINE)
    assert final.index("USER breakout") > final.index("COPY --from=build")
    assert "HEALTHCHECK" in final
    images = {stage.split()[0] for stage in stages}
    assert len(images) == 1
    assert all(re.fullmatch(r"python:3\.\d+-slim-\w+@sha256:[0-9a-f]{64}", one) for one in images)


def test_nothing_is_installed_into_the_image_without_a_hash() -> None:
    dockerfile = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", "")
    commands = re.findall(r"pip (?:install|wheel) [^&\n]*", dockerfile)
    assert len(commands) == 4
    for command in commands:
        assert "--require-hashes" in command or "--no-index" in command, command
        assert "wheel" not in command.split()[1] or "--no-build-isolation" in command
    backend = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["build-system"]["requires"]
    lock = (REPOSITORY / "requirements-build.lock").read_text()
    assert all(f"{one} \\\n    --hash=sha256:" in lock for one in backend)


def test_a_reader_leaves_memory_to_the_workers() -> None:
    """What one query, and all queries of the read-only user, may use is less than there is."""
    root = ElementTree.parse(REPOSITORY / "clickhouse" / "config.xml").getroot()
    ratio = float(root.findtext("max_server_memory_usage_to_ram_ratio") or 1)
    limit = SERVICES["clickhouse"]["mem_limit"]
    server = ratio * int(limit[:-1]) * 2 ** {"m": 20, "g": 30}[limit[-1]]
    assert LIMITS["max_memory_usage"] < TOTAL_MEMORY < 0.8 * server


def test_the_image_is_given_what_it_copies() -> None:
    ignore = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert ignore[0] == "*", "nothing goes in unless it is named"
    given = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    build = (REPOSITORY / "Dockerfile").read_text().split("FROM ")[1]
    copied = {
        one for line in re.findall(r"^COPY (.+)$", build, re.MULTILINE) for one in line.split()[:-1]
    }
    assert copied == given
    assert all((REPOSITORY / one).exists() for one in given)


def test_grafana_is_given_its_data_sources_and_files() -> None:
    own = {name: str(value) for name, value in environment("grafana").items()}
    sources = read(PROVISIONING / "datasources" / "breakout.yaml", own)["datasources"]
    assert {one["uid"]: one["type"] for one in sources} == {
        CLICKHOUSE: "grafana-clickhouse-datasource",
        PROMETHEUS: "prometheus",
    }
    (clickhouse,) = [one for one in sources if one["uid"] == CLICKHOUSE]
    assert clickhouse["jsonData"]["username"] == environment("migrate")["BREAKOUT_READER_USER"]
    assert clickhouse["jsonData"]["host"] in SERVICES
    assert clickhouse["jsonData"]["defaultDatabase"] == "breakout"
    assert clickhouse["secureJsonData"]["password"].startswith("${BREAKOUT_READER_PASSWORD:?")
    mounted = dict(volume.split(":")[:2][::-1] for volume in SERVICES["grafana"]["volumes"])
    (provider,) = read(PROVISIONING / "dashboards" / "breakout.yaml", {})["providers"]
    assert mounted[provider["options"]["path"]] == "./grafana/dashboards"
    assert provider["allowUiUpdates"] is False
    start = SERVICES["grafana"]["entrypoint"][-1]
    for path in re.findall(r"/etc/breakout/\S+", start):
        assert path in mounted
    assert environment("grafana")["GF_PATHS_PROVISIONING"] in start
    home = environment("grafana")["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (REPOSITORY / "grafana" / "dashboards" / Path(home).name).exists()
    assert "grafana-clickhouse-datasource@4" in environment("grafana")["GF_PLUGINS_PREINSTALL_SYNC"]


def test_clickhouse_s_own_configuration_is_well_formed() -> None:
    root = ElementTree.parse(REPOSITORY / "clickhouse" / "config.xml").getroot()
    assert root.tag == "clickhouse"
    assert root.findtext("timezone") == "UTC"

"""The first command on a new machine: it works, or says plainly what is missing."""

import io
import re
import subprocess
import sys
import threading
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import pytest

from tools import setup_venv

REPOSITORY = Path(__file__).resolve().parents[2]


def make(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_lists_every_target() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    listed = re.findall(r"^  make (\w+)", make("help").stdout, re.MULTILINE)
    assert set(listed) == set(phony.split())


def test_an_old_python_is_named_with_what_is_needed(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit\nexit 1\n')
    old.chmod(0o755)
    done = make("setup", f"PYTHON={old}")
    assert done.returncode != 0
    assert "Python 3.11 or newer" in done.stderr
    assert "Python 3.9.2" in done.stderr


def test_a_missing_python_is_named_with_what_to_install(tmp_path: Path) -> None:
    done = make("setup", f"PYTHON={tmp_path / 'nowhere'}")
    assert done.returncode != 0
    assert "apt install python3 python3-venv" in done.stderr


def test_a_missing_debian_package_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def without_ensurepip(name: str) -> ModuleSpec | None:
        return None if name == "ensurepip" else find_spec(name)

    monkeypatch.setattr(setup_venv, "find_spec", without_ensurepip)
    assert setup_venv.main() == 1
    assert "apt install python3-venv" in capsys.readouterr().err


def test_an_entry_of_the_lock_has_all_its_hashes() -> None:
    lock = "a==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\nb==2 \\\n    --hash=sha256:3\n"
    assert setup_venv.entry_of("a", lock) == "a==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2"
    with pytest.raises(setup_venv.SetupError, match="has no c"):
        setup_venv.entry_of("c", lock)


def test_two_at_once_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    order = []
    # Not by capsys: it loses what is printed while it is read
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)

    def second() -> None:
        with setup_venv.only_one_at_a_time():
            order.append("second")

    waiting = threading.Thread(target=second)
    with setup_venv.only_one_at_a_time():
        waiting.start()
        while "waiting for another" not in said.getvalue():
            assert waiting.is_alive()
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]

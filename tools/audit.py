"""Check the locked packages for known vulnerabilities: `python -m tools.audit`.

Exit code 1 if there are any. If the advisories cannot be reached, it prints a warning and
succeeds: a change must not wait for another party's server. `audit.json` beside the locks records
when they were last audited or made. `python -m tools.audit --last` prints that in one line, and
fails if it is more than 30 days ago or about other locks.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements-dev.lock"
"""The packages that are shipped, and those for development."""
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")
RECORD = "audit.json"
MOST_DAYS = 30

SECONDS = 240
_NOBODY = re.compile(r"connect|timed? ?out|resolve|ServiceError|HTTPError|SSLError", re.IGNORECASE)


def audit(lock: Path, service: Sequence[str] = (), done: Callable[[], None] = lambda: None) -> int:
    """Return the exit code; `service` holds options of pip-audit that choose the service.

    `done` is called if every package was audited and none has a known vulnerability.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), *service]
        command += ["--require-hashes", "--disable-pip", "--progress-spinner", "off"]
        command += ["--format", "json", "--output", str(report)]
        try:
            asked = subprocess.run(  # noqa: S603 - our own words
                command, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return _not_done(f"no answer within {SECONDS} s")
        if not report.exists():
            said = asked.stderr.strip()
            last = said.splitlines()[-1] if said else "it said nothing"
            if _NOBODY.search(said):
                return _not_done(last)
            print(f"audit: pip-audit failed: {said}", file=sys.stderr)
            return 1
        return _judge(json.loads(report.read_text())["dependencies"], done)


def _judge(packages: list[dict[str, Any]], done: Callable[[], None]) -> int:
    unknown = [one["name"] for one in packages if "skip_reason" in one]
    if len(unknown) == len(packages):
        return _not_done("whoever answers knows none of the packages")
    found = [(one, flaw) for one in packages for flaw in one.get("vulns", ())]
    for one, flaw in found:
        fixed = ", ".join(flaw["fix_versions"]) or "no version yet"
        print(f"audit: {one['name']} {one['version']}: {flaw['id']}, mended in {fixed}")
    if unknown:
        print(f"audit: NOT AUDITED, unknown there: {', '.join(unknown)}", file=sys.stderr)
    if not found and not unknown:
        done()
    if not found:
        print(f"audit: no known vulnerability in {len(packages) - len(unknown)} packages")
    return 1 if found else 0


def _not_done(why: str) -> int:
    stars = "*" * 72
    print(
        f"{stars}\nTHE AUDIT WAS NOT DONE: {why}\n"
        f"Nothing is known of vulnerabilities in {LOCK.name}; run `make audit` where\n"
        f"the advisories can be reached.\n{stars}",
        file=sys.stderr,
    )
    return 0


def record(folder: Path, what: str, on: date) -> None:
    """Record that the locks in this folder were `audited` or `locked`.

    Locks that did not change keep their date.
    """
    file, hashes = folder / RECORD, _hashes(folder)
    if what == "locked" and file.exists() and json.loads(file.read_text())["locks"] == hashes:
        return
    told = {"what": what, "on": on.isoformat(), "locks": hashes}
    file.write_text(json.dumps(told, indent=2) + "\n")


def last(folder: Path, today: date) -> int:
    """Print when the locks in this folder were audited; returns 1 if too long ago."""
    file = folder / RECORD
    try:
        told = json.loads(file.read_text())
        what, on, locks = told["what"], date.fromisoformat(told["on"]), told["locks"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"audit: FAILED: {file} cannot be read ({error}): run `make lock`, `make audit`")
        return 1
    if locks != _hashes(folder):
        print(f"audit: FAILED: {RECORD} is of other locks: run `make lock`, and `make audit`")
        return 1
    days = (today - on).days
    if not 0 <= days <= MOST_DAYS:
        print(
            f"audit: FAILED: the locks were last {what} on {on}, and must have been in the last "
            f"{MOST_DAYS} days: run `make audit` where the advisories can be reached"
        )
        return 1
    if what == "audited" and days == 0:
        print(f"audit: done on {on}: no known vulnerability")
        return 0
    print(
        f"audit: NOT DONE NOW: the locks were last {what} on {on}, {days} days ago; "
        f"after {MOST_DAYS} days this fails"
    )
    return 0


def _hashes(folder: Path) -> dict[str, str]:
    return {name: sha256((folder / name).read_bytes()).hexdigest() for name in LOCKS}


def main(arguments: Sequence[str]) -> int:
    """Run the command line."""
    today = datetime.now(UTC).date()
    if arguments == ["--last"]:
        return last(ROOT, today)
    if arguments == ["--locked"]:
        record(ROOT, "locked", today)
        return 0
    return audit(LOCK, done=lambda: record(ROOT, "audited", today))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

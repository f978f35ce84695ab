"""Look up known vulnerabilities of everything in the lock: `python -m tools.audit`.

Exit code 1 when there are any. Where nobody can be asked it says loudly that nothing was
audited, and succeeds: a change must not wait for somebody else's server.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parent.parent / "requirements-dev.lock"
"""Holds what is shipped, and what is needed to develop it."""

SECONDS = 240
_NOBODY = re.compile(r"connect|timed? ?out|resolve|ServiceError|HTTPError|SSLError", re.IGNORECASE)


def audit(lock: Path, service: Sequence[str] = ()) -> int:
    """Return the exit code; `service` are options of pip-audit that name whom to ask."""
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
        return _judge(json.loads(report.read_text())["dependencies"])


def _judge(packages: list[dict[str, Any]]) -> int:
    unknown = [one["name"] for one in packages if "skip_reason" in one]
    if len(unknown) == len(packages):
        return _not_done("whoever answers knows none of the packages")
    found = [(one, flaw) for one in packages for flaw in one.get("vulns", ())]
    for one, flaw in found:
        fixed = ", ".join(flaw["fix_versions"]) or "no version yet"
        print(f"audit: {one['name']} {one['version']}: {flaw['id']}, mended in {fixed}")
    if unknown:
        print(f"audit: NOT AUDITED, unknown there: {', '.join(unknown)}", file=sys.stderr)
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


if __name__ == "__main__":
    sys.exit(audit(LOCK))

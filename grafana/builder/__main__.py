"""`python -m grafana.builder`: writes the dashboards; with --check, only says whether they differ."""

import argparse
import sys
from pathlib import Path

from grafana.builder.dashboards import build

FOLDER = Path(__file__).resolve().parent.parent / "dashboards"


def main() -> int:
    """Write the files, or compare them; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m grafana.builder", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if a file differs"
    )
    check = parser.parse_args().check
    built = build()
    there = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.json")}
    wrong = sorted(
        name for name in built.keys() | there.keys() if built.get(name) != there.get(name)
    )
    if check:
        for name in wrong:
            print(f"grafana/dashboards/{name} differs from its code: run `make dashboards`")
        return 1 if wrong else 0
    FOLDER.mkdir(exist_ok=True)
    for name in wrong:
        if name in built:
            (FOLDER / name).write_text(built[name], encoding="utf-8")
        else:
            (FOLDER / name).unlink()
        print(f"grafana/dashboards/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

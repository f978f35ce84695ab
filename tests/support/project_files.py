"""The files of the project: what git tracks, or would."""

import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def project_files(*suffixes: str) -> list[Path]:
    """Return the project's files, sorted: all, or those with one of the suffixes (".md")."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = {REPOSITORY / name for name in listed.stdout.split("\0") if name}
    return sorted(
        path for path in paths if path.is_file() and (not suffixes or path.suffix in suffixes)
    )

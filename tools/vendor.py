"""`make vendor`: copies the page's libraries and their licences from npm packages.

The page is served without a build or a download; run this after changing a version here.
"""

import hashlib
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "api" / "page" / "assets" / "vendor"
PACKAGES = {
    "d3": ("7.9.0", {"dist/d3.min.js": "d3.min.js", "LICENSE": "d3.LICENSE.txt"}),
    "@observablehq/plot": (
        "0.6.17",
        {"dist/plot.umd.min.js": "plot.min.js", "LICENSE": "plot.LICENSE.txt"},
    ),
    "swagger-ui-dist": (
        "5.35.0",
        {
            "swagger-ui-bundle.js": "swagger-ui.js",
            "swagger-ui.css": "swagger-ui.css",
            "LICENSE": "swagger-ui.LICENSE.txt",
            "NOTICE": "swagger-ui.NOTICE.txt",
        },
    ),
}
"""By package: its version, and the names of its files here."""


def main() -> None:
    """Fetch the files, and record their versions and digests in `vendored.json`."""
    recorded = {}
    for package, (version, names) in PACKAGES.items():
        with tempfile.TemporaryDirectory() as directory:
            packed = subprocess.run(  # noqa: S603 - names from above
                ["npm", "pack", "--silent", f"{package}@{version}"],  # noqa: S607
                cwd=directory,
                check=True,
                capture_output=True,
                text=True,
            ).stdout.strip()
            with tarfile.open(Path(directory) / packed) as archive:
                contents = {name: _read(archive, f"package/{name}") for name in names}
        for name, content in contents.items():
            (VENDOR / names[name]).write_bytes(content)
        digests = {names[name]: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
        recorded[package] = {"version": version, "files": digests}
    (VENDOR / "vendored.json").write_text(json.dumps(recorded, indent=2) + "\n", encoding="utf-8")


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise FileNotFoundError(f"{name} is not in the package")
    return file.read()


if __name__ == "__main__":
    main()

"""Write the pages: `python -m tools.reference [FOLDER]`, docs/ unless told otherwise."""

import sys
from pathlib import Path

from tools.reference import PAGES

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "docs"
for name, page in PAGES.items():
    (folder / name).write_text(page(), encoding="utf-8")

"""Write the schemas from the contract: `python -m breakout.contract.schemas`."""

from pathlib import Path

from breakout.contract.schemas import EVENTS, schema_text

FOLDER = Path(__file__).parent

for stale in FOLDER.glob("*.json"):
    stale.unlink()
for event in EVENTS:
    (FOLDER / f"{event.__name__}.json").write_text(schema_text(event), encoding="utf-8")

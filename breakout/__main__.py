"""The command `breakout`, and `python -m breakout`: says what to install for it, or runs it."""

import sys
from typing import NoReturn

from breakout.cli.extras import what_to_install

INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line. It needs the extra `server`, which the client does without."""
    try:
        from breakout.cli.main import main as run  # noqa: PLC0415 - needs the extra

        run()
    except ModuleNotFoundError as error:
        missing = what_to_install(error)
        if missing is None:
            raise
        sys.exit(f"breakout: {missing}")
    except KeyboardInterrupt:
        sys.stderr.write("breakout: interrupted\n")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()

"""What the processes of `forked` have imported when they start."""

import breakout.cli.baseline
import breakout.cli.main
import breakout.cli.migrate
import breakout.cli.status
import breakout.cli.top

__all__ = ["breakout"]

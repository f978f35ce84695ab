"""`python -m breakout` is the command `breakout`."""

from breakout.cli.main import main

main()

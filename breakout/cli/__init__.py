"""The command line `breakout`: `main.py` finds the commands, each in a file of its own."""

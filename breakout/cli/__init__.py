"""The command line `breakout`: `main.py` finds the commands, one file holds one of them."""

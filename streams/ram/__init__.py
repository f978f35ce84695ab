"""The RAM processor: points to baselines, RAM and breakouts."""

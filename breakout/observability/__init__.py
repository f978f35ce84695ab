"""Metrics, logs, heartbeats and health of every component."""

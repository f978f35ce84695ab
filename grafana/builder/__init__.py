"""The code that builds the dashboards: `python -m grafana.builder`."""

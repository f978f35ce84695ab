"""Grafana: dashboards and alerts, built from code into the files that Grafana reads."""

"""Grafana dashboards as code: `python -m dashboards` writes charts/modelyard/files/dashboards, `--check` compares.

The Grafana Foundation SDK makes them; it is needed here and nowhere else. Panels ask for the series that
`modelyard.core.prometheus_rules` records and for what the operator exports.
"""

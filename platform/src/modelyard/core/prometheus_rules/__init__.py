"""Recording and alerting rules for Prometheus, generated here and kept in charts/modelyard/files/rules.yaml."""

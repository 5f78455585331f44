"""The gateway's counters and latency buckets, from Envoy itself or out of a Prometheus."""

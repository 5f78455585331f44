"""Servers on real sockets: inference, object store, Triton, Envoy's counters."""

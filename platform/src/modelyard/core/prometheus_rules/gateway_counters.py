"""Envoy's counters as PromQL, by namespace, model and slot.

Which clusters count, and what a bad request is, is said in `modelyard.clients.metrics.counters`, which reads the same
counters without Prometheus; a test compares the two. A pod that is scraped twice counts once (`max by (pod, ...)`).

* What Envoy answers itself of gRPC is counted twice, as HTTP 503 and as UNAVAILABLE: the greater of the two counts.
* Prometheus 3 writes bounds of buckets as floats (`le="100.0"`), Prometheus 2 as they came (`le="100"`): `.0` is cut.
* A counter that was not there before gives its first rate with its second sample, so what happened between its birth
  and the first sample is not seen.
"""

from modelyard.core.names import model_routes

from .rule import BY_SLOT, RATE

CLUSTERS = r"(http|grpc)route/[^/]+/[^/]+/rule/([03]/backend/[01]|4/backend/0)"
"""The main rule of each route, and the rules of users who keep their side of an A/B test."""
PREVIEWS = r"[^/]+/[^/]+/[^/]+--preview/.+"
_SLOTS = {"a": r".+/[03]/backend/0", "b": r".+/([03]/backend/1|4/backend/0)"}
_SUFFIXES = "|".join(filter(None, model_routes("")))
"""What the names of a Model's routes have after its own."""
_MODEL = rf"[^/]+/[^/]+/(.+?)({_SUFFIXES})?/rule/.+"
_NAMESPACE = r"[^/]+/([^/]+)/.+"
_SERVER_CODES = (2, 4, 8, 13, 14, 15)
_METHODS = ("ModelInfer", "ModelStreamInfer")
_POD = "pod, instance, envoy_cluster_name"


def requests() -> str:
    """Requests a second that ended, of any outcome."""
    return by_slot(f"max by ({_POD}, envoy_response_code_class) ({_rate('envoy_cluster_upstream_rq_xx')})")


def errors() -> str:
    """Requests a second that ended as a server's error."""
    http = _rate("envoy_cluster_upstream_rq_xx", 'envoy_response_code_class="5"')
    codes = "\n    or ".join(
        f'label_replace({_rate(f"envoy_cluster_grpc_{method}_{code}")}, "code", "{method}_{code}", "", "")'
        for method in _METHODS
        for code in _SERVER_CODES
    )
    return by_slot(
        "max by (envoy_cluster_name) (\n"
        f'  label_replace(sum by (envoy_cluster_name) (max by ({_POD}) ({http})), "by", "http", "", "")\n'
        "  or label_replace(sum by (envoy_cluster_name) (max by "
        f'({_POD}, code) (\n    {codes}\n  )), "by", "grpc", "", "")\n'
        ")"
    )


def buckets() -> str:
    """Answers a second by the bound in milliseconds that they stayed within, cumulative, label `le`."""
    rate = _rate("envoy_cluster_upstream_rq_time_bucket")
    bare = rf'label_replace(max by ({_POD}, le) ({rate}), "le", "$1", "le", "(.+)\\.0")'
    return by_slot(bare, "le")


def given_up() -> str:
    """Requests a second whose client gave up before the answer."""
    return by_slot(f"max by ({_POD}) ({_rate('envoy_cluster_upstream_rq_tx_reset')})")


def by_slot(counted: str, more: str = "") -> str:
    """`counted`, which has the label envoy_cluster_name, summed by namespace, model and slot, and by labels `more`."""
    labelled = counted
    labels = (("namespace", "$1", _NAMESPACE), ("model", "$1", _MODEL), *(("slot", *slot) for slot in _SLOTS.items()))
    for label, value, pattern in labels:
        labelled = f'label_replace({labelled}, "{label}", "{value}", "envoy_cluster_name", "{pattern}")'
    return f"sum by ({BY_SLOT}{f', {more}' if more else ''}) (\n{labelled}\n)"


def _rate(counter: str, *matchers: str) -> str:
    chosen = (f'envoy_cluster_name=~"{CLUSTERS}"', f'envoy_cluster_name!~"{PREVIEWS}"', *matchers)
    return f"rate({counter}{{{', '.join(chosen)}}}[{RATE}])"

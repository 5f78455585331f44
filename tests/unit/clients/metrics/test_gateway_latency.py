"""What several Envoy pods count for a Model's routes adds up."""

from modelyard.clients.metrics.latency import add, of_model


def envoy(route: str, **counts: int) -> str:
    lines = ["# TYPE envoy_cluster_external_upstream_rq_time histogram"]
    for bound, count in counts.items():
        labels = f'envoy_cluster_name="{route}",le="{bound.removeprefix("le_").replace("inf", "+Inf")}"'
        lines.append(f"envoy_cluster_external_upstream_rq_time_bucket{{{labels}}} {count}")
    total = max(counts.values())
    lines += [f'envoy_cluster_external_upstream_rq_time_{end}{{envoy_cluster_name="{route}"}} {total}'
              for end in ("sum", "count")]  # fmt: skip
    return "\n".join(lines) + "\n"


def test_slots_rules_and_pods_of_a_model_add_up_and_others_do_not():
    found = {}
    add(found, envoy("httproute/demo/digits/rule/0/backend/0", le_1=1, le_inf=2))
    add(found, envoy("httproute/demo/digits/rule/0/backend/1", le_1=10, le_inf=20))
    add(found, envoy("grpcroute/demo/digits/rule/0/backend/0", le_1=100, le_inf=200))
    add(found, envoy("httproute/demo/digits--path/rule/0/backend/0", le_1=1000, le_inf=2000))
    add(found, envoy("httproute/other/digits/rule/0/backend/0", le_1=5, le_inf=5))
    add(found, envoy("prometheus_stats", le_1=5, le_inf=5))

    assert of_model(found, "demo", "digits") == {1.0: 1111, float("inf"): 2222}
    assert of_model(found, "demo", "faces") == {}

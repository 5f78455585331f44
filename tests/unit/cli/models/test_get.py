"""The table of Models: one row each, and nothing claimed that is not known."""

from rich.console import Console

from modelyard.cli.models.get import overview


def model(name="digits", namespace="demo", **status):
    return {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "Model",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"source": {"name": name, "version": "1"}},
        "status": status,
    }


def ready(status="True", reason="Serving"):
    said = {"type": "Ready", "status": status, "reason": reason, "message": "", "lastTransitionTime": "2026-01-01"}
    return {"conditions": [said]}


def text(*models, measured=None, wide=False):
    console = Console(width=160, record=True, quiet=True)
    with console.capture() as shown:
        console.quiet = False
        console.print(overview(models, measured or {}, wide=wide))
    return [line.split() for line in shown.get().splitlines()]


def test_a_serving_model_shows_version_traffic_and_the_address_that_needs_no_dns():
    serving = model(
        **ready(), version="1", traffic="100%", url="http://digits.demo.models.local", pathUrl="http://g/demo/digits"
    )

    header, row = text(serving)

    assert header == ["MODEL", "VERSION", "READY", "TRAFFIC", "P99", "URL"]
    assert row == ["digits", "1", "yes", "100%", "-", "http://g/demo/digits"]


def test_a_model_nobody_looked_at_yet_is_neither_ready_nor_not():
    assert text(model())[1] == ["digits", "-", "?", "-", "-", "-"]


def test_a_model_that_is_not_ready_says_why_in_a_word():
    assert text(model(**ready("False", "UnknownEntry")))[1][1:4] == ["-", "no", "(UnknownEntry)"]


def test_p99_is_a_bound_from_the_gateways_buckets():
    buckets = {("demo", "digits"): {5.0: 98.0, 10.0: 100.0, float("inf"): 100.0}}

    assert "<= 10 ms" in " ".join(text(model(), measured=buckets)[1])


def test_p99_above_all_buckets_is_said_so():
    buckets = {("demo", "digits"): {5.0: 1.0, float("inf"): 100.0}}

    assert "above all buckets" in " ".join(text(model(), measured=buckets)[1])


def test_over_all_namespaces_each_row_names_its_own():
    rows = text(model(), model(namespace="other"), wide=True)

    assert [row[0] for row in rows] == ["NAMESPACE", "demo", "other"]


def test_an_optimization_has_a_column_when_there_is_one():
    optimizing = model(**ready(), optimization={"digest": "sha256:" + "0" * 64, "summary": "openvino-int8 3.1x"})

    header, plain, optimized = text(model("faces"), optimizing)

    assert header == ["MODEL", "VERSION", "READY", "TRAFFIC", "P99", "OPTIMIZED", "URL"]
    assert plain[-2:] == ["-", "-"]
    assert optimized[-3:] == ["openvino-int8", "3.1x", "-"]


def test_changed_data_has_a_column_once_there_is_some():
    told = {"revision": "digits-1", "time": "2026-11-29T10:00:00Z"}
    header, row = text(model(**ready(), monitoring={**told, "data": {"broken": 2, "drifted": 1}}))
    assert "DATA" in header
    assert "2 broken, 1 drifted" in " ".join(row)

    quiet = [{**told, "data": {"verdict": "AsReference"}}, told]
    assert all("DATA" not in text(model(**ready(), monitoring=one))[0] for one in quiet)

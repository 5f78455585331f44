"""KServe's rendered chart, as it is applied here."""

import base64
import copy
from typing import Any

from localcluster.identity.certificates import authority, server
from localcluster.install.kserve import NAMESPACE, WEBHOOK_HOSTS, adapted
from localcluster.versions import local_image

ROOT = authority("root")
WEBHOOK = server(ROOT, "webhook", WEBHOOK_HOSTS)
PROBE = {"initialDelaySeconds": 30, "periodSeconds": 5, "httpGet": {"path": "/readyz"}}
DEPLOYMENT: dict[str, Any] = {
    "kind": "Deployment",
    "metadata": {"name": "kserve-controller-manager"},
    "spec": {
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "manager",
                        "image": "kserve/kserve-controller:v0",
                        "args": ["--metrics-addr=127.0.0.1:8080", "--leader-elect"],
                        "readinessProbe": dict(PROBE),
                    },
                    {"name": "kube-rbac-proxy", "image": "proxy:v0"},
                ]
            }
        }
    },
}
HOOKS: dict[str, Any] = {
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "hooks", "annotations": {"cert-manager.io/inject-ca-from": "kserve/serving-cert"}},
    "webhooks": [{"name": "one", "clientConfig": {"caBundle": "Cg=="}}, {"name": "two", "clientConfig": {}}],
}


def applied(*rendered: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in adapted(copy.deepcopy(rendered), ROOT, WEBHOOK)}


def test_only_the_manager_runs_with_our_image_and_is_asked_for_readiness_at_once():
    containers = applied(DEPLOYMENT)["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert [one["name"] for one in containers] == ["manager"]
    assert containers[0]["image"] == local_image("kserve-manager")
    assert containers[0]["readinessProbe"]["initialDelaySeconds"] == 1


def test_metrics_are_reachable_without_the_proxy_that_is_left_out():
    containers = applied(DEPLOYMENT)["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert containers[0]["args"] == ["--metrics-addr=:8080", "--leader-elect"]


def test_every_webhook_trusts_our_authority():
    bundle = base64.b64encode(ROOT.certificate_pem).decode()
    hooks = applied(HOOKS)["ValidatingWebhookConfiguration"]
    assert [one["clientConfig"]["caBundle"] for one in hooks["webhooks"]] == [bundle, bundle]
    assert hooks["metadata"]["annotations"] == {}


def test_the_webhook_s_own_certificate_replaces_what_cert_manager_would_make():
    found = applied({"kind": "Certificate"}, {"kind": "Issuer"}, {"kind": "Secret", "metadata": {"name": "empty"}})
    assert set(found) == {"Namespace", "Secret"}
    assert found["Secret"]["metadata"] == {"name": "kserve-webhook-server-cert", "namespace": NAMESPACE}
    assert base64.b64decode(found["Secret"]["data"]["tls.crt"]) == WEBHOOK.certificate_pem


def test_empty_documents_are_left_out():
    assert set(applied(None)) == {"Namespace", "Secret"}

"""Mistakes in where replicas may run, and placements that are right: for the API server and the Python types alike."""

from typing import Any

SOURCE = {"name": "digits", "version": "1"}
KEY = (
    "write a label key such as team or example.com/team: up to 63 letters, digits, -, _ and ., "
    "with a DNS name and / in front of it or not"
)
VALUE = 'write a label value such as "gpu" or "true": up to 63 letters, digits, -, _ and .'
CLASS = "write the name of a PriorityClass as `kubectl get priorityclasses` shows it, such as high-priority"
EXISTS = "operator Exists takes no value: remove it, or write operator: Equal"
EVERYTHING = "a toleration without a key is for every taint: write operator: Exists, or a key"
SECONDS = "tolerationSeconds is for effect NoExecute: remove it or change the effect"
DOMAINS = "minDomains is for whenUnsatisfiable: DoNotSchedule: remove it or change that"
ONCE = "write one constraint for a topologyKey and whenUnsatisfiable, not two"
VALUES = "operator In and NotIn need values, Exists and DoesNotExist take none"
NUMBER = 'operator Gt and Lt need one whole number as their value, such as ["4"]'
TERM = "write matchExpressions or matchFields: a term without any matches no node"
ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def spread(key: str = ZONE, when: str = "ScheduleAnyway", **more: Any) -> dict[str, Any]:
    """A constraint over a label of nodes."""
    return {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": when, **more}


def nodes(**requirement: Any) -> dict[str, Any]:
    """Affinity to nodes that meet one requirement."""
    return {"nodeAffinity": {_REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [requirement]}]}}}


def apart(**selector: Any) -> dict[str, Any]:
    """Affinity that keeps away from the pods of a selector."""
    return {"podAntiAffinity": {_REQUIRED: [{"labelSelector": selector, "topologyKey": HOST}]}}


_TERMS = f"affinity.nodeAffinity.{_REQUIRED}.nodeSelectorTerms[0]"
_PODS = f"affinity.podAntiAffinity.{_REQUIRED}[0].labelSelector"
MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a node label with a space": ({"nodeSelector": {"my disk": "ssd"}}, "nodeSelector", KEY),
    "a node label with two slashes": ({"nodeSelector": {"a/b/c": "ssd"}}, "nodeSelector", KEY),
    "a node label's value in words": ({"nodeSelector": {"disk": "solid state"}}, "nodeSelector[disk]", VALUE),
    "a node label's value too long": ({"nodeSelector": {"disk": "x" * 64}}, "nodeSelector[disk]", VALUE),
    "a priority in capitals": ({"priorityClassName": "High"}, "priorityClassName", CLASS),
    "a toleration of a taint's value by Exists": (
        {"tolerations": [{"key": "gpu", "operator": "Exists", "value": "a"}]}, "tolerations[0]", EXISTS,
    ),
    "a toleration of nothing": ({"tolerations": [{"effect": "NoSchedule"}]}, "tolerations[0]", EVERYTHING),
    "a toleration for a while of what does not evict": (
        {"tolerations": [{"key": "gpu", "effect": "NoSchedule", "tolerationSeconds": 5}]}, "tolerations[0]", SECONDS,
    ),
    "a toleration's key in words": ({"tolerations": [{"key": "my gpu"}]}, "tolerations[0].key", KEY),
    "domains that are only preferred": (
        {"topologySpreadConstraints": [spread(minDomains=2)]}, "topologySpreadConstraints[0]", DOMAINS,
    ),
    "a constraint twice": (
        {"topologySpreadConstraints": [spread(), spread(maxSkew=2)]}, "topologySpreadConstraints", ONCE,
    ),
    "an affinity to no value": ({"affinity": nodes(key="gpu", operator="In")}, f"{_TERMS}.matchExpressions[0]", VALUES),
    "an affinity to a value that only has to exist": (
        {"affinity": nodes(key="gpu", operator="Exists", values=["a"])}, f"{_TERMS}.matchExpressions[0]", VALUES,
    ),
    "more than a word": (
        {"affinity": nodes(key="cores", operator="Gt", values=["many"])}, f"{_TERMS}.matchExpressions[0]", NUMBER,
    ),
    "more than nothing": ({"affinity": nodes(key="cores", operator="Gt")}, f"{_TERMS}.matchExpressions[0]", NUMBER),
    "an affinity to nothing": (
        {"affinity": {"nodeAffinity": {_REQUIRED: {"nodeSelectorTerms": [{}]}}}}, _TERMS, TERM,
    ),
    "pods of no value": (
        {"affinity": apart(matchExpressions=[{"key": "app", "operator": "In", "values": []}])},
        f"{_PODS}.matchExpressions[0]",
        VALUES,
    ),
}  # fmt: skip
"""What is wrong -> `spec.serving`, the field below it that is refused, the sentence."""

RIGHT: dict[str, dict[str, Any]] = {
    "nodes by their labels": {
        "nodeSelector": {"disktype": "ssd", "example.com/pool": "", "kubernetes.io/arch": "amd64"}
    },
    "tolerations of every form": {
        "tolerations": [
            {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
            {"key": "dedicated", "value": "models"},
            {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
        ]
    },
    "a priority": {"priorityClassName": "system-cluster-critical"},
    "spread over zones, then nodes": {
        "topologySpreadConstraints": [
            spread(),
            spread(HOST, "DoNotSchedule", minDomains=2, nodeTaintsPolicy="Honor", nodeAffinityPolicy="Ignore"),
            spread(HOST, labelSelector={"matchLabels": {"app": "x"}}, matchLabelKeys=["pod-template-hash"]),
        ]
    },
    "not spread at all": {"topologySpreadConstraints": []},
    "affinity of every form": {
        "affinity": {
            "nodeAffinity": {
                **nodes(key="cores", operator="Gt", values=["4"])["nodeAffinity"],
                _PREFERRED: [
                    {
                        "weight": 100,
                        "preference": {
                            "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]
                        },
                    }
                ],
            },
            "podAffinity": {
                _PREFERRED: [
                    {
                        "weight": 1,
                        "podAffinityTerm": {
                            "labelSelector": {"matchExpressions": [{"key": "cache", "operator": "Exists"}]},
                            "topologyKey": ZONE,
                            "namespaces": ["caches"],
                        },
                    }
                ]
            },
            "podAntiAffinity": {
                _REQUIRED: [
                    {
                        "labelSelector": {"matchLabels": {"modelyard.dev/model": "digits"}},
                        "topologyKey": HOST,
                        "namespaceSelector": {},
                        "mismatchLabelKeys": ["pod-template-hash"],
                    }
                ]
            },
        }
    },
}
"""`spec.serving` that has to be taken."""

"""`spec.retrain` as people get it wrong: the fields of the spec, where it is reported, the sentence they read."""

from typing import Any

RECIPE = "write FILE.py:FUNCTION of the entry's training folder, such as retrain.py:retrain"
URL = (
    "write an https address, or http of a Service in the cluster, such as http://trainer.ml.svc:8080/retrain; "
    "credentials go into secretRef"
)
NAME = "write the name of a Secret, such as trainer"
FIELD = "write the name of one of its fields, such as key"
ONCE = "write each cause once, such as [decay, age]"
ONE = "write either recipe or webhook, and only one of them"
AGE = 'when: [age] and maxAge go together: write how long a version may serve, such as maxAge: "90d"'
BUDGET = "budget is of our own Jobs, and with a webhook somebody else trains: take budget out"
EVERY = 'write a duration from "1h" to "8760h", such as "24h"'
DECAY = "when: [decay] is told by labels: write monitoring: {sample: auto, log: {columns: [...]}, feedback: {}}"
DRIFT = "when: [drift] is told by recorded rows: write monitoring: {sample: auto}"
LABELS = "retrain.recipe learns from labelled rows: write monitoring: {sample: auto, log: {...}, feedback: {}}"
SIGNED = (
    "source.verify wants an author's signature, which no Job of the platform can give: write retrain.webhook, and sign "
    "what is trained there"
)
MLFLOW = "versions of source.registry mlflow are made in MLflow: write retrain.webhook, and register there"

WATCHED = {"sample": "auto", "log": {"columns": ["*"]}, "feedback": {}}
HOOK = {"url": "https://trainer.example.com/retrain"}
OWN = {"when": ["decay"], "recipe": "retrain.py:retrain"}
TOLD = {"when": ["decay"], "webhook": HOOK}


def _of(retrain: dict[str, Any], monitoring: dict[str, Any] | None = WATCHED, **fields: Any) -> dict[str, Any]:
    return {"retrain": retrain, **({} if monitoring is None else {"monitoring": monitoring}), **fields}


def _url(url: str) -> dict[str, Any]:
    return _of({"when": ["decay"], "webhook": {"url": url}})


def _secret(**fields: str) -> dict[str, Any]:
    return _of({"when": ["decay"], "webhook": {**HOOK, "secretRef": {"name": "trainer", "key": "key", **fields}}})


_SOURCE = {"name": "digits", "version": "1"}
MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a recipe without a function": (_of({**OWN, "recipe": "retrain.py"}), "retrain.recipe", RECIPE),
    "a recipe elsewhere": (_of({**OWN, "recipe": "../retrain.py:f"}), "retrain.recipe", RECIPE),
    "a webhook in the clear": (_url("http://trainer.example.com/retrain"), "retrain.webhook.url", URL),
    "a webhook with a password": (_url("https://me:secret@trainer.example.com"), "retrain.webhook.url", URL),
    "a webhook of another protocol": (_url("file:///etc/passwd"), "retrain.webhook.url", URL),
    "a webhook's secret in capitals": (_secret(name="Trainer"), "retrain.webhook.secretRef.name", NAME),
    "a webhook's secret without a field": (_secret(key="a b"), "retrain.webhook.secretRef.key", FIELD),
    "a cause twice": (_of({**OWN, "when": ["decay", "decay"]}), "retrain.when", ONCE),
    "nobody who trains": (_of({"when": ["decay"]}), "retrain", ONE),
    "two who train": (_of({**OWN, "webhook": HOOK}), "retrain", ONE),
    "an age without a limit": (_of({**OWN, "when": ["age"]}), "retrain", AGE),
    "a limit without an age": (_of({**OWN, "maxAge": "90d"}), "retrain", AGE),
    "a budget of somebody else": (_of({**TOLD, "budget": "10h"}), "retrain", BUDGET),
    "a retraining every minute": (_of({**OWN, "every": "1m"}), "retrain.every", EVERY),
    "decay without labels": (_of(TOLD, {"sample": "auto"}), "", DECAY),
    "drift without rows": (_of({"when": ["drift"], "webhook": HOOK}, None), "", DRIFT),
    "a recipe without labels": (
        _of({"when": ["age"], "maxAge": "90d", "recipe": "retrain.py:retrain"}, None), "", LABELS,
    ),
    "a recipe where authors sign": (
        _of(OWN, source={**_SOURCE, "verify": {"keys": [{"configMap": {"name": "keys"}}]}}), "", SIGNED,
    ),
    "a recipe for a model of MLflow's": (_of(OWN, source={**_SOURCE, "registry": "mlflow"}), "", MLFLOW),
}  # fmt: skip

RIGHT: dict[str, dict[str, Any]] = {
    "a retraining by the defaults": _of(OWN),
    "a retraining with everything": _of(
        {
            "when": ["decay", "drift", "age"], "maxAge": "90d", "every": "168h", "budget": "20h",
            "recipe": "retrain.py:retrain", "paused": True,
        }
    ),
    "an age alone, told to somebody": _of({"when": ["age"], "maxAge": "1d", "webhook": HOOK}, None),
    "a webhook in the cluster": _url("http://trainer.ml.svc.cluster.local:8080/a/b?c=d"),
    "a webhook of the same namespace": _url("http://trainer.svc"),
    "a webhook with a key": _secret(),
    "a webhook where authors sign": _of(
        TOLD, source={**_SOURCE, "verify": {"keys": [{"configMap": {"name": "keys"}}]}}
    ),
}  # fmt: skip

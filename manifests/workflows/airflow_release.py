"""Airflow: an entry is pushed, tried by the Model that follows `challenger`, and becomes `champion`, or does not.

The tasks run the program `modelyard` (pip install 'modelyard[builder]' beside Airflow, or a worker made from the
builder's image) with the surroundings that a person has: KUBECONFIG and MODELYARD_STORE_..., from Airflow's secrets.
What was refused, by the rollout or by a check, is final; what the machine failed at (exit codes 75 and 143) is tried
again.
"""

import json
import subprocess
from datetime import timedelta
from typing import Any

from airflow.exceptions import AirflowException, AirflowFailException
from airflow.sdk import Param, dag, task

TRY_AGAIN = (75, 143)


def modelyard(*words: str) -> str:
    """What the program printed as JSON."""
    done = subprocess.run(["modelyard", *words, "-o", "json"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == 0:
        return done.stdout
    said = f"modelyard {' '.join(words)}: exit code {done.returncode}, see the log above"
    raise AirflowException(said) if done.returncode in TRY_AGAIN else AirflowFailException(said)


@dag(
    schedule=None,
    params={
        "entry": Param("/data/entries/digits/2", type="string", description="Folder that the training wrote."),
        "model": Param("digits", type="string", description="The Model, whose source is the alias challenger."),
        "namespace": Param("demo", type="string"),
    },
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    tags=["modelyard"],
)
def modelyard_release() -> None:
    @task
    def push(params: dict[str, Any]) -> dict[str, Any]:
        """The version exists; pushing it again changes nothing."""
        return json.loads(modelyard("push", params["entry"]))

    @task
    def challenge(entry: dict[str, Any]) -> dict[str, Any]:
        """The Model tries it."""
        modelyard("alias", "set", entry["name"], "challenger", entry["version"])
        return entry

    @task
    def watch(entry: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
        """The rollout has promoted it."""
        where = ("-n", params["namespace"], "--version", entry["version"], "--timeout", "2h")
        modelyard("rollout", "watch", params["model"], *where)
        return entry

    @task
    def crown(entry: dict[str, Any]) -> None:
        """Everybody who follows champion gets it."""
        modelyard("alias", "set", entry["name"], "champion", entry["version"])

    crown(watch(challenge(push())))


modelyard_release()

"""`modelyard`: finds the verb, runs it, and turns what goes wrong into a sentence and an exit code (`EXIT_CODES`).

SIGTERM ends every verb and what it started at once: the first process of a container would otherwise not even notice,
and whoever evicts it would wait.

The table of verbs is all that `modelyard --help` needs; a verb's module is imported when the verb is used. A
module `verb` has a function `verb`; one with sub-commands has a Typer called `app` instead.
"""

import os
import signal
import sys
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

import typer
from typer.core import TyperGroup

TERMINATED = 128 + signal.SIGTERM
EXIT_CODES = {
    0: ("done", "go on"),
    1: (
        "the answer is no (a rollout was refused, a promise not kept), something outside failed, or a defect of ours",
        "stop, and let a person read what was printed",
    ),
    2: ("the request itself has to change", "stop: the same again ends the same"),
    75: ("the machine failed (a signal, memory, a full disk, a lock, time)", "the same may do later"),
    124: ("`--timeout` was over first; what was watched goes on", "watch it again, or stop"),
    130: ("Ctrl-C", "stop"),
    TERMINATED: ("SIGTERM", "the same may do later"),
}
"""What a program that runs the verbs can rely on: exit code -> what happened, and what to do."""


class Verb(NamedTuple):
    """Where a verb lives below `modelyard.cli`, and its line in `modelyard --help`."""

    module: str
    help: str


VERBS = {
    "new": Verb(
        "project.new",
        "Make a repository for a model: data, training, tests, a signed entry, a Model and its workflows.",
    ),
    "push": Verb("registry.push", "Push an entry folder or a model file into the registry, once it was tried here."),
    "entries": Verb("registry.entries", "List the entries of the registry."),
    "alias": Verb("registry.alias", "Point names such as champion at versions."),
    "keys": Verb("registry.keys", "Make the keys that entries are signed with, and sign entries."),
    "verify": Verb(
        "registry.verify",
        "Check that an entry or a build in the store is, to the bit, what somebody you trust has signed.",
    ),
    "mlflow": Verb("registry.mlflow", "Bring models that are registered in MLflow into the registry."),
    "build": Verb("artifacts.build", "Build an entry or a file into a proved Triton model repository."),
    "contract": Verb("artifacts.contract", "Compare what clients of two versions rely on."),
    "optimize": Verb(
        "artifacts.optimize", "Try smaller and faster variants of a model and keep the best that keeps its quality."
    ),
    "tune": Verb("artifacts.tune", "Find the settings with which a model takes on most while it keeps an objective."),
    "retrain": Verb(
        "artifacts.retrain",
        "Train a new version on the labelled requests of a Model, and push it when it is better than what serves.",
    ),
    "report": Verb("artifacts.report", "Show what the optimization of a Model tried, measured and chose."),
    "export": Verb(
        "artifacts.export", "Export a model as one archive with golden inputs and outputs, or check such an archive."
    ),
    "serve": Verb("artifacts.serve", "Build and serve a model on this machine, until Ctrl-C."),
    "get": Verb("models.get", "List Models: version, readiness, traffic, p99 and address."),
    "explain": Verb("models.explain", "Say in plain words what is wrong with a Model and what to do."),
    "rollout": Verb("rollout.app", "Watch a rollout, and tell it what to do."),
    "rollback": Verb(
        "rollout.rollback",
        "Ask for the version again that had all the traffic before; it is rolled out as any other, by spec.rollout.",
    ),
    "predict": Verb("models.predict", "Send one inference to a Model and print its outputs."),
    "compare": Verb("models.compare", "Ask two revisions of a Model the same and say how far their answers lie apart."),
    "loadtest": Verb("models.loadtest", "Put the load of a scenario on a Model and say whether it kept its promises."),
    "capacity": Verb(
        "models.capacity",
        "Say how many replicas a rate takes, what they cost a month, and whether the cluster has room.",
    ),
    "slo": Verb(
        "monitoring.slo", "Say what is left of a Model's error budgets, how fast they burn, and when they are empty."
    ),
    "data": Verb("data.app", "Recorded requests of a Model: export them, delete those of a person."),
    "feedback": Verb("data.feedback", "Hand in labels: what was right, for requests that a Model answered."),
    "quality": Verb("monitoring.quality", "Show how right a Model is by the labels that came, and what has decayed."),
    "drift": Verb(
        "monitoring.drift", "Show which features of a Model's rows are no longer like the reference, and since when."
    ),
    "simulate": Verb(
        "simulation.app",
        "Simulate what a rollout's gate decides about a candidate with a known bad rate.",
    ),
    "restart": Verb("models.restart", "Replace the pods of a Model one after the other, without losing a request."),
    "lineage": Verb(
        "registry.lineage",
        "Say where answers come from: revision, rollout, build, entry, training, data, as far as it is recorded.",
    ),
    "backup": Verb(
        "platform.backup",
        "Save Models, entries and aliases as files, to restore them on an empty cluster; keys are never in it.",
    ),
    "restore": Verb(
        "platform.restore",
        "Bring back Models, entries and aliases from a backup; what is there already stays as it is.",
    ),
    "doctor": Verb("platform.doctor", "Check what Modelyard needs, each with a remedy."),
    "holder": Verb("holder", "Hold requests for Models at zero replicas until their first pod is ready."),
    "nodecache": Verb(
        "nodecache", "Keep builds on this node, so that pods of Models download each of them from the store once."
    ),
    "recorder": Verb(
        "recorder",
        "Take the gateway's copies of requests and people's labels, and write what may be kept into the store.",
    ),
    "evaluator": Verb("evaluator", "Say of every recorded revision whether its rows are still like the reference."),
    "operator": Verb("operator", "Run the controller: watch Models and bring the cluster to what they say."),
}


class _Verbs(TyperGroup):
    """Loads a verb when it is called; help and completion are answered from the table."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in VERBS:
            return None
        shown = typer.Typer(add_completion=False)
        shown.command(name=cmd_name, help=VERBS[cmd_name].help)(_nothing)
        return typer.main.get_command(shown)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(name) if name else command, rest


def load(verb: str) -> Any:
    """The real command of a verb, a click command; KeyError when there is no such verb."""
    module = import_module(f"modelyard.cli.{VERBS[verb].module}")
    if hasattr(module, "app"):
        command = typer.main.get_command(module.app)
        command.name = verb
        return command
    single = typer.Typer(add_completion=False, rich_markup_mode=None)
    single.command(name=verb)(getattr(module, verb))
    return typer.main.get_command(single)


def _nothing() -> None:
    """Stands in for a verb while only its name and help are wanted."""


app = typer.Typer(
    name="modelyard",
    cls=_Verbs,
    help="Kubernetes-native model serving: one Model becomes a fast, safe endpoint.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _root() -> None:
    """Kubernetes-native model serving: one Model becomes a fast, safe endpoint."""


def run() -> NoReturn:
    """The program: runs a verb and exits with 0, 1, 2 or 75."""
    from modelyard.core.failure_causes import TRY_LATER, host_failure
    from modelyard.errors import HostFailure, OutsideError, UserError

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    code = 0
    try:
        app()
    except UserError as bad:
        code = _complain(str(bad), 2)
    except HostFailure as bad:
        code = _complain(str(bad), TRY_LATER)
    except OutsideError as bad:
        code = _complain(str(bad), 1)
    except ModuleNotFoundError as bad:
        extra = "sklearn" if bad.name in ("joblib", "sklearn", "skl2onnx") else "builder"
        code = _complain(f"this needs the package {bad.name}: pip install 'modelyard[{extra}]'.", 2)
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except Exception as bad:
        if os.environ.get("MODELYARD_TRACEBACK"):
            raise
        failure = host_failure(bad)
        defect = f"a defect in Modelyard ({type(bad).__name__}: {bad}); set MODELYARD_TRACEBACK=1 to see where, "
        code = _complain(f"{defect}and report it.", 1) if failure is None else _complain(str(failure), TRY_LATER)
    sys.exit(code)


def _complain(sentence: str, code: int) -> int:
    from .terminal.console import problem

    problem(sentence)
    return code


if __name__ == "__main__":
    run()

"""What a rule file is made of, and the names that rules share.

Names are `level:metric:operation`, as Prometheus recommends: the level says by which labels it is.

| level | labels |
|---|---|
| slot | namespace, model, slot (position in the route, `core.resources.routes`) |
| revision | namespace, model, revision |
| model | namespace, model |
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelyard.core.slo.burn_rates import Severity

RATE = "2m"
"""Window of every rate of a counter: at least four samples where it is scraped each 30 s, as it should be at least."""
BY_MODEL = "namespace, model"
BY_SLOT = "namespace, model, slot"
BY_REVISION = "namespace, model, revision"


@dataclass(frozen=True)
class Recording:
    """A recording rule; `expr` is PromQL, `labels` are set on what it records."""

    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The rule as a rule file has it."""
        return {"record": self.record, "expr": self.expr, **({"labels": dict(self.labels)} if self.labels else {})}


@dataclass(frozen=True)
class Alert:
    """An alerting rule: `summary` says what is, `action` what to do, `runbook` is a path in the repository."""

    alert: str
    expr: str
    severity: Severity
    summary: str
    action: str
    runbook: str = ""
    lasting: str = ""

    def document(self) -> dict[str, Any]:
        """The rule as a rule file has it."""
        annotations = {"summary": self.summary, "action": self.action}
        return {
            "alert": self.alert,
            "expr": self.expr,
            **({"for": self.lasting} if self.lasting else {}),
            "labels": {"severity": self.severity.value},
            "annotations": {**annotations, **({"runbook": self.runbook} if self.runbook else {})},
        }


@dataclass(frozen=True)
class RuleGroup:
    """Rules that are evaluated in this order every `seconds`, each seeing what those before it recorded."""

    name: str
    seconds: int
    rules: tuple[Recording | Alert, ...]

    def document(self) -> dict[str, Any]:
        """The group as a rule file has it."""
        rules = [rule.document() for rule in self.rules]
        return {"name": self.name, "interval": f"{self.seconds}s", "rules": rules}


def remembered(metric: str, labels: str) -> str:
    """What the operator says of Models, and while no operator is scraped what the last one said, for a day.

    Otherwise nobody would be told of errors while the operator is away, which the models themselves survive.
    """
    return (
        f"max by ({labels}) ({metric})\n"
        f"or (max by ({labels}) (last_over_time({metric}[1d])) unless on () count(modelyard_leader))"
    )

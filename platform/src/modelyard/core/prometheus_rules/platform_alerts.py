"""Alerts on the platform itself, and on rollouts that a person should know of."""

from modelyard.api.rollout_status import Outcome, Phase
from modelyard.core.slo.burn_rates import Severity

from .rule import Alert, RuleGroup

NAMESPACE = "PLATFORM_NAMESPACE"
"""Stands for the platform's namespace; the chart puts in its own."""
_SECONDS = 30
_LOGS = f"kubectl -n {NAMESPACE} logs deployment/modelyard-operator"
_MODEL = "Model {{ $labels.namespace }}/{{ $labels.model }}"
_OF_MODEL = "{{ $labels.model }} -n {{ $labels.namespace }}"
_ENDED = (
    "time() - max by (namespace, model, outcome, reason)\n"
    f'(modelyard_rollout_ended_timestamp_seconds{{outcome=~"{Outcome.ABORTED}|{Outcome.FAILED}", '
    'reason!="AbortCommanded"}) < 3600'
)
_HELD = (
    f'max by (namespace, model) (modelyard_rollout_phase{{phase="{Phase.HOLDING}", reason!~"Paused|PauseStep"}}) > 0'
)


def group() -> RuleGroup:
    """All of them, the gravest first."""
    return RuleGroup(
        "modelyard",
        _SECONDS,
        (
            Alert(
                "ModelyardWithoutLeader",
                "(sum(modelyard_leader) or vector(0)) < 1",
                Severity.PAGE,
                "No copy of the operator leads; models serve on, but no change is carried out.",
                _LOGS,
                lasting="2m",
            ),
            Alert(
                "ModelyardGatewayNotScraped",
                'sum(max by (status) (modelyard_models{condition="Ready"})) > 0 unless on () count(envoy_server_live)',
                Severity.TICKET,
                "There are Models, but no counters of the gateway: nobody would be told of their errors.",
                "let Prometheus scrape /stats/prometheus on port 19001 of the gateway's pods "
                "(monitoring.podMonitor.enabled)",
                lasting="10m",
            ),
            Alert(
                "ModelyardModelsStalled",
                'max(modelyard_models{condition="Stalled", status="True"}) > 0',
                Severity.TICKET,
                "{{ $value }} Models cannot go on without a person.",
                "kubectl get models -A, then modelyard explain NAME",
                lasting="10m",
            ),
            Alert(
                "ModelyardQueueGrows",
                "min_over_time(modelyard_queue_depth[10m]) > 50",
                Severity.TICKET,
                "{{ $value }} Models have been waiting for the operator for ten minutes.",
                "raise config.operator.workers, or see why reconciling is slow",
            ),
            Alert(
                "ModelyardDefects",
                'increase(modelyard_reconcile_seconds_count{outcome="defect"}[15m]) > 0',
                Severity.TICKET,
                "The operator met an error of its own while it looked at a Model.",
                _LOGS,
            ),
            Alert(
                "ModelyardRolloutAborted",
                _ENDED,
                Severity.TICKET,
                f"The rollout of {_MODEL} ended as {{{{ $labels.outcome }}}}: {{{{ $labels.reason }}}}. "
                "The revision before serves on.",
                f"modelyard rollout history {_OF_MODEL}",
                "platform/docs/runbooks/rollout-aborted.md",
            ),
            Alert(
                "ModelyardRolloutHeld",
                _HELD,
                Severity.TICKET,
                f"The rollout of {_MODEL} has not been able to decide for half an hour.",
                f"modelyard rollout status {_OF_MODEL}",
                "platform/docs/runbooks/rollout-stuck.md",
                lasting="30m",
            ),
        ),
    )

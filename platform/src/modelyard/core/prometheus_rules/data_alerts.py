"""Alerts on Models' rows and answers: broken data and decay page; drift, no better version and no look are tickets.

| what | why so grave |
|---|---|
| values or columns that are missing, or lie outside the reference | something upstream broke, answers are wrong now |
| labelled answers that are wrong more often than the reference allows | users get worse answers than promised |
| a distribution that moved | a healthy model may not mind; quality tells |
| retrainings that come to nothing, one after the other | what serves goes on; what called for them has paged already |

They hang on what the operator says of Models, which stands while evaluator or operator are away. The detector has
weighed the evidence already, so an alert waits for nothing.
"""

from modelyard.core.slo.burn_rates import Severity

from .rule import BY_MODEL, Alert, RuleGroup, remembered

BROKEN, DRIFTED, SILENT = "ModelyardDataBroken", "ModelyardDataDrifts", "ModelyardDataNotEvaluated"
DECAYED, UNTRAINED = "ModelyardPerformanceDecays", "ModelyardRetrainingFails"
IN_A_ROW = 2
"""Retrainings that came to nothing after which somebody should look: one may have had too few labels."""
_SECONDS = 30
_SILENT_SECONDS = 2 * 3600
_MODEL = "Model {{ $labels.namespace }}/{{ $labels.model }}"
_OF_MODEL = "{{ $labels.model }} -n {{ $labels.namespace }}"
_RUNBOOK = "platform/docs/runbooks/data-changed.md"
_DECAY_RUNBOOK = "platform/docs/runbooks/performance-decays.md"
_RETRAINING_RUNBOOK = "platform/docs/runbooks/retraining-fails.md"
_AT_REST = f'max by ({BY_MODEL}) (modelyard_retraining_state{{state=~"Idle|Off"}})'


def group() -> RuleGroup:
    """All of them, the gravest first."""
    return RuleGroup(
        "modelyard-data",
        _SECONDS,
        (
            Alert(
                BROKEN,
                f"({_features('broken')}) > 0",
                Severity.PAGE,
                f"{{{{ $value }}}} features of {_MODEL} have broken data: values or columns are missing, or lie "
                "outside what its reference has.",
                f"modelyard drift {_OF_MODEL}",
                _RUNBOOK,
            ),
            Alert(
                DECAYED,
                f"({remembered('modelyard_performance_decayed', BY_MODEL)}) > 0",
                Severity.PAGE,
                f"{_MODEL} answers worse than its reference, by the labels that came.",
                f"modelyard quality {_OF_MODEL}",
                _DECAY_RUNBOOK,
            ),
            Alert(
                DRIFTED,
                f"({_features('drifted')}) > 0",
                Severity.TICKET,
                f"{{{{ $value }}}} features of {_MODEL} are no longer distributed as in its reference.",
                f"modelyard drift {_OF_MODEL}",
                _RUNBOOK,
            ),
            Alert(
                UNTRAINED,
                f"({remembered('modelyard_retraining_failures', BY_MODEL)}) >= {IN_A_ROW}\n"
                f"unless on ({BY_MODEL}) {_AT_REST}",
                Severity.TICKET,
                f"{{{{ $value }}}} retrainings of {_MODEL} in a row brought no better version, and one is called for.",
                f"modelyard explain {_OF_MODEL}",
                _RETRAINING_RUNBOOK,
            ),
            Alert(
                SILENT,
                f"time() - max by ({BY_MODEL}) (modelyard_data_status_timestamp_seconds) > {_SILENT_SECONDS}",
                Severity.TICKET,
                f"Rows of {_MODEL} have not been evaluated for two hours: a change of them would not be seen.",
                "kubectl -n PLATFORM_NAMESPACE logs deployment/modelyard-evaluator",
                _RUNBOOK,
                lasting="10m",
            ),
        ),
    )


def _features(state: str) -> str:
    return remembered(f'modelyard_data_features{{state="{state}"}}', BY_MODEL)

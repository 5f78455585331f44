"""The rows of the page troubleshooting.md about `spec.retrain`: words of status.retraining and of Events."""

from .remedy import Remedy, Section

_DECISION, _OBSTACLES = "unit/core/retraining/test_decision.py", "unit/core/retraining/test_obstacles.py"

RETRAINING = (
    Remedy("OverBudget", Section.DATA, "A retraining is called for, and `retrain.budget` of this month is spent.",
           "Raise `retrain.budget`, or wait for the next month.",
           f"{_OBSTACLES}::test_a_spent_budget_waits_for_the_next_month"),
    Remedy("RetrainingRefused", Section.DATA, "What was trained is no better than what serves, or of another kind.",
           "The message has the figures. More labels or a better recipe; the next one begins after `retrain.every`.",
           f"{_DECISION}::test_what_is_no_better_is_refused_and_the_next_waits"),
    Remedy("RetrainingFailed", Section.DATA, "A retraining ended without an answer, or its webhook refused the event.",
           "The message says what to mend: rows, recipe, entry, address. The next one begins after `retrain.every`.",
           f"{_DECISION}::test_a_job_without_an_answer_has_failed"),
)  # fmt: skip
RETRAINING_STATES = {
    "NotCalledFor": (
        "Nothing that `retrain.when` lists calls for a new version.",
        f"{_DECISION}::test_nothing_is_done_while_nothing_calls_for_it",
    ),
    "TooSoon": (
        "A new version is called for, and `retrain.every` is not over since the last one began.",
        f"{_OBSTACLES}::test_the_next_waits_for_every",
    ),
    "RolloutUnderWay": (
        "A new version is called for, and a rollout may bring it already.",
        f"{_OBSTACLES}::test_a_rollout_under_way_is_waited_for",
    ),
    "FewLabels": (
        "A new version is called for, and there are too few labelled rows to learn from and to judge by: send labels.",
        f"{_OBSTACLES}::test_a_recipe_waits_for_labels_and_a_webhook_does_not",
    ),
    "SwitchedOff": (
        "`config.retraining.enabled` is false: nobody trains.",
        f"{_DECISION}::test_one_switch_ends_what_runs_and_begins_nothing",
    ),
    "RetrainingPaused": (
        "`spec.retrain.paused` is set: take it out, and it goes on.",
        f"{_DECISION}::test_a_pause_ends_what_runs",
    ),
    "Training": (
        "A Job trains a new version and judges it.", f"{_DECISION}::test_a_decay_begins_one_job_and_no_second"
    ),
    "Calling": (
        "A webhook is told that a new version is wanted.",
        f"{_DECISION}::test_a_webhook_is_called_once_and_every_is_waited_for",
    ),
    "RetrainingStarted": (
        "A retraining has begun (an Event).", f"{_DECISION}::test_a_decay_begins_one_job_and_no_second"
    ),
    "RetrainingPushed": (
        "A retraining pushed a version, which is `challenger` now (an Event).",
        f"{_DECISION}::test_a_pushed_version_is_told",
    ),
    "RetrainingCalled": (
        "A webhook took the event (an Event).",
        f"{_DECISION}::test_a_webhook_is_called_once_and_every_is_waited_for",
    ),
    "RetrainingStopped": (
        "A person ended a retraining (an Event).", f"{_DECISION}::test_a_pause_ends_what_runs"
    ),
}  # fmt: skip

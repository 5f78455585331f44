"""When somebody is told of changed rows and wrong answers, as Prometheus itself (promtool) evaluates the rules."""

from collections.abc import Mapping

import pytest

from modelyard.core.prometheus_rules.data_alerts import BROKEN, DECAYED, DRIFTED, SILENT, UNTRAINED
from tests.support.monitoring.rule_tests import Story, complaints, steady, told

pytestmark = pytest.mark.integration

END = 300
"""Minutes that are told of."""
WRITTEN = "data_status_timestamp_seconds"


def counted(story: Story, state: str, *spans: tuple[float, float], **labels: str) -> Story:
    """The operator says how many features are in a state, by spans of (minutes, features)."""
    return story.says(steady(*spans), "data_features", state=state, **labels)


def tells(story: Story, minutes: float, alert: str, *values: float) -> Story:
    """At that time the alert fires for the Model, or does not."""
    of_model = f'alertname="{alert}",alertstate="firing",namespace="demo",model="{story.model}"'
    return story.gives(minutes, f"sum by (namespace, model) (ALERTS{{{of_model}}})", *values)


def broken_data_pages_at_once_and_until_it_is_mended(story: Story) -> None:
    counted(story, "broken", (20, 0), (30, 2), (30, 0))
    tells(tells(story, 19, BROKEN), 22, BROKEN, 1)
    tells(tells(story, 49, BROKEN, 1), 52, BROKEN)
    tells(story, 30, DRIFTED)


def drift_is_a_ticket_and_no_page(story: Story) -> None:
    counted(counted(story, "broken", (60, 0)), "drifted", (20, 0), (40, 7))
    tells(tells(story, 40, DRIFTED, 1), 40, BROKEN)


def answers_that_decayed_page_until_labels_end_it(story: Story) -> None:
    story.says(steady((20, 0), (30, 1), (30, 0)), "performance_decayed")
    tells(tells(story, 19, DECAYED), 22, DECAYED, 1)
    tells(tells(story, 49, DECAYED, 1), 52, DECAYED)


def two_copies_of_the_operator_tell_once(story: Story) -> None:
    for pod in ("operator-1", "operator-2"):
        counted(story, "broken", (60, 1), pod=pod)
    tells(story, 40, BROKEN, 1)


def a_model_that_is_watched_and_quiet_wakes_nobody(story: Story) -> None:
    for state, features in (("watched", 100), ("broken", 0), ("drifted", 0)):
        counted(story, state, (60, features))
    tells(tells(tells(story, 50, BROKEN), 50, DRIFTED), 50, SILENT)


def an_evaluator_that_says_nothing_for_two_hours_is_a_ticket(story: Story) -> None:
    """Promtool's clock begins at 0; the status is of minute 60."""
    story.says(steady((END, 3600)), WRITTEN)
    tells(tells(story, 60 + 120 + 9, SILENT), 60 + 120 + 12, SILENT, 1)


def retrainings_that_come_to_nothing_twice_are_a_ticket_until_one_succeeds(story: Story) -> None:
    story.says(steady((20, 0), (20, 1), (30, 2), (30, 0)), "retraining_failures")
    story.says(steady((END, 1)), "retraining_state", state="Waiting", reason="TooSoon")
    tells(tells(story, 39, UNTRAINED), 42, UNTRAINED, 1)
    tells(tells(story, 69, UNTRAINED, 1), 72, UNTRAINED)


def retrainings_that_nothing_calls_for_any_more_are_no_ticket(story: Story) -> None:
    story.says(steady((80, 2)), "retraining_failures")
    story.says(steady((40, 1)), "retraining_state", state="Waiting", reason="TooSoon")
    story.says(f"_x80 {steady((40, 1))}", "retraining_state", state="Idle", reason="NotCalledFor")
    tells(tells(story, 30, UNTRAINED, 1), 60, UNTRAINED)


TOLD = (
    broken_data_pages_at_once_and_until_it_is_mended,
    drift_is_a_ticket_and_no_page,
    answers_that_decayed_page_until_labels_end_it,
    two_copies_of_the_operator_tell_once,
    a_model_that_is_watched_and_quiet_wakes_nobody,
    an_evaluator_that_says_nothing_for_two_hours_is_a_ticket,
    retrainings_that_come_to_nothing_twice_are_a_ticket_until_one_succeeds,
    retrainings_that_nothing_calls_for_any_more_are_no_ticket,
)


def the_operator_is_gone_and_broken_data_still_pages(story: Story) -> None:
    counted(story, "broken", (20, 1))
    tells(story, 60, BROKEN, 1)


GONE = (the_operator_is_gone_and_broken_data_still_pages,)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What promtool finds different, by story."""
    folder = tmp_path_factory.mktemp("rules")
    there = complaints(told(TOLD), steady((END, 1)), folder / "there")
    return {**there, **complaints(told(GONE), steady((20, 1)), folder / "gone")}


@pytest.mark.parametrize("story", [tell.__name__ for tell in (*TOLD, *GONE)])
def test_who_is_told_and_when(found: Mapping[str, str], story: str) -> None:
    assert found[story] == ""

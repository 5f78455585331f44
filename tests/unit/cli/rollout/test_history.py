"""The rollouts that have ended, newest first, in columns, each with why."""

from modelyard.api.rollout_status import RolloutRecord
from modelyard.cli.rollout.history import documents, former_versions, lines
from tests.support.objects.rollout_statuses import NOW, a_record, before

RECORDS = [
    RolloutRecord.model_validate(one)
    for one in (
        a_record(),
        a_record("Promoted", version="1.9", reason="Passed", message="Every gate passed.", endTime=before(90_000),
                 startTime=before(97_200), requests=1_204_312, failedRequests=2, strategy="BlueGreen"),
    )
]  # fmt: skip

NARROW = """\
WHEN      VERSION  OUTCOME   STRATEGY   TOOK  REQUESTS   BAD  REVISION
3m ago    2        Aborted   Canary     7m    1,204      312  abcdef0123
  ErrorsGateFailed: 312 of 1,204 requests failed; 1 % may.
1d1h ago  1.9      Promoted  BlueGreen  2h    1,204,312  2    abcdef0123
  Passed: Every gate passed."""


def shown(width):
    return "\n".join(line.plain for line in lines(RECORDS, NOW, width))


def test_a_line_each_and_below_it_why():
    assert shown(80) == NARROW


def test_a_wide_terminal_gets_times_and_whole_names():
    row = shown(140).splitlines()[1]

    assert row.startswith("2026-01-01 11:57:00Z")
    assert row.endswith("digits-abcdef0123")


def test_the_longest_words_fit_eighty_columns():
    record = RolloutRecord.model_validate(
        a_record("RolledBack", strategy="BlueGreen", requests=99_999_999, failedRequests=1204)
    )

    assert max(len(line.plain) for line in list(lines([record], NOW, 80))[:2]) <= 80


def test_programs_get_the_same_and_the_seconds_it_took():
    first, second = documents(RECORDS)

    assert (first["outcome"], first["durationSeconds"], first["requests"], first["failedRequests"]) == (
        "Aborted",
        420.0,
        1204,
        312,
    )
    assert (second["version"], second["reason"], second["endTime"]) == ("1.9", "Passed", before(90_000))


def test_versions_that_had_the_traffic_are_named_once_the_latest_first():
    records = [
        RolloutRecord.model_validate(a_record(outcome, version=version, stableVersion=stable))
        for outcome, version, stable in (("Aborted", "5", "4"), ("Promoted", "4", "2"), ("Promoted", "2", "1"))
    ]

    assert former_versions(records, "4") == ["2", "1"]
    assert former_versions(records, "2") == ["4", "1"]
    assert former_versions(records[:1], "4") == []


def test_who_asked_for_it_why_and_what_the_gates_said_stand_below():
    cause = {"digest": "sha256:ab", "reason": "better recall", "changedBy": "alice"}
    record = RolloutRecord.model_validate(a_record(cause=cause, evidence="errors Fail: 312 of 1,204 requests failed"))

    assert [line.plain for line in list(lines([record], NOW, 80))[3:]] == [
        "  asked for by alice: better recall (entry sha256:ab)",
        "  errors Fail: 312 of 1,204 requests failed",
    ]


def test_what_nobody_said_is_not_shown():
    for cause, told in (({}, []), ({"digest": "sha256:ab"}, ["  asked for (entry sha256:ab)"])):
        record = RolloutRecord.model_validate(a_record(cause=cause))

        assert [line.plain for line in list(lines([record], NOW, 80))[3:]] == told

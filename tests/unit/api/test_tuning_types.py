"""What tuning measured, as the report has it."""

from modelyard.api.tuning.report import TunedSettings, Tuning, objective_text, summarized


def test_the_short_form_says_what_is_kept_and_how_much_is_taken_on() -> None:
    settings = TunedSettings(instances=1, threads=2, batch=8)
    tuning = Tuning(
        percentile=99.9,
        threshold=50.0,
        cpus=2,
        requests_per_second=120.0,
        settings=settings,
        changed=True,
        reason="Why.",
    )

    short = summarized(tuning)

    assert (short.at, short.cpus, short.requests_per_second, short.changed) == ("p99.9<50ms", 2, 120.0, True)
    assert objective_text(99.0, 0.5) == "p99<0.5ms"

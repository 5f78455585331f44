"""Scenarios: what people write, what it means, and what is said where it cannot be meant."""

from pathlib import Path

import pytest

from loadtests.arrivals import Arrivals
from loadtests.scenario import read_scenario
from modelyard.errors import InvalidSettings

LEAST = "model: digits\nload: {steady: {rate: 20}}\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "scenario.yaml"
    path.write_text(text)
    return path


def load(folder: Path, shape: str, duration: str = "60s") -> Arrivals:
    text = f"model: digits\nduration: {duration}\nload: {shape}\n"
    return read_scenario(written(folder, text)).arrivals(folder)


def test_the_least_is_a_model_and_a_load(tmp_path: Path) -> None:
    scenario = read_scenario(written(tmp_path, LEAST))

    assert scenario.flags(tmp_path) == {"model": "digits"}
    arrivals = scenario.arrivals(tmp_path)
    assert (arrivals.seconds, arrivals.highest) == (60, 20)


def test_all_that_can_be_said(tmp_path: Path) -> None:
    text = LEAST + (
        "namespace: demo\nhost: http://gateway\nrequest: body.json\nduration: 90s\ngrpcShare: 0.25\n"
        "slo: {latency: {percentile: 99.9, threshold: 50ms}, errorRate: 0.1%}\n"
    )

    flags = read_scenario(written(tmp_path, text)).flags(tmp_path)

    assert flags == {
        "model": "digits", "namespace": "demo", "host": "http://gateway", "request": str(tmp_path / "body.json"),
        "grpc_share": 0.25, "error_rate": 0.001, "latency": 0.05, "percentile": 99.9,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "planned"),
    [
        ("{steady: {rate: 20}}", {10: 200, 60: 1200}),
        ("{ramp: {from: 10, to: 30, over: 20s}}", {20: 400, 60: 1600}),
        ("{ramp: {from: 10, to: 30, over: 60s}}", {60: 1200}),
        ("{spike: {base: 10, peak: 100, at: 20s, for: 5s}}", {20: 200, 25: 700, 60: 1050}),
        ("{spike: {base: 10, peak: 100, at: 20s, for: 40s}}", {60: 4200}),
        ("{steps: {from: 10, by: 10, every: 20s}}", {20: 200, 40: 600, 60: 1200}),
    ],
)
def test_every_shape_asks_what_it_says(tmp_path: Path, shape: str, planned: dict[float, float]) -> None:
    arrivals = load(tmp_path, shape)

    assert {at: pytest.approx(arrivals.planned(at)) for at in planned} == planned


def test_a_trace_begins_with_its_first_request_whatever_its_clock_says(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text("seconds,who\n1700000003.5,a\n1700000000,b\n\n1700000001,c\n")

    arrivals = load(tmp_path, "{trace: {file: day.csv, speed: 0.5}}")

    assert [arrivals.due(count) for count in (0, 1, 2)] == [0.0, 2.0, 7.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no mapping"),
        ("model: [", "no YAML"),
        ("model: digits\n", "load: Field required"),
        (LEAST + "lode: 1\n", "lode: Extra inputs"),
        ("model: digits\nload: {}\n", "write one shape of load: steady, ramp"),
        ("model: digits\nload: {steady: {rate: 1}, ramp: {from: 1, to: 2, over: 3s}}\n", "write one shape"),
        ("model: digits\nload: {steady: {rate: 0}}\n", "load.steady.rate: Input should be greater than 0"),
        ("model: digits\nload: {steady: {rate: .nan}}\n", "load.steady.rate"),
        ("model: digits\nload: {steady: {rate: 10001}}\n", "less than or equal to 10000"),
        (LEAST + "duration: 2h\n", "at most 3600 seconds"),
        (LEAST + "duration: soon\n", "write a duration"),
        (LEAST + "grpcShare: 2\n", "grpcShare"),
        (LEAST + "slo: {availability: 99.9%}\n", "which no load test takes"),
    ],
)
def test_what_cannot_be_meant_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        read_scenario(written(tmp_path, text))

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("{ramp: {from: 1, to: 2, over: 2m}}", "ramp.over is 2m, but the load lasts 60 s"),
        ("{spike: {base: 1, peak: 2, at: 50s, for: 20s}}", "it ends after 70 s, but the load after 60 s"),
        ("{steps: {from: 1, by: 2, every: 90s}}", "steps.every is 90s"),
        ("{steps: {from: 1, by: 5000, every: 10s}}", "the last would be 25001"),
        ("{trace: {file: none.csv}}", "none.csv cannot be read: No such file"),
        ("{trace: {file: words.csv}}", "words.csv, line 3: 'soon' is no number of seconds"),
        ("{trace: {file: one.csv}}", "fewer than two different seconds"),
        ("{trace: {file: day.csv, speed: 1000}}", "asks 20000 requests in one second"),
        ("{trace: {file: bytes.csv}}", "no CSV file in UTF-8"),
    ],
)
def test_a_load_whose_parts_do_not_fit_is_refused(tmp_path: Path, shape: str, said: str) -> None:
    (tmp_path / "words.csv").write_text("when\n1\nsoon\n")
    (tmp_path / "one.csv").write_text("1\n1\n")
    (tmp_path / "day.csv").write_text("".join(f"{at / 50}\n" for at in range(20_000)))
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(InvalidSettings) as refused:
        load(tmp_path, shape)

    assert said in str(refused.value)


def test_a_scenario_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"none\.yaml cannot be read: No such file"):
        read_scenario(tmp_path / "none.yaml")

"""What a load test can be asked for, and what is refused with a sentence."""

from argparse import ArgumentParser
from pathlib import Path

import pytest

from loadtests.options import MOST_USERS, Options, declare, parsed
from modelyard.errors import InvalidSettings
from tests.support.cluster.locust import REQUEST


def given(folder: Path, *flags: str) -> Options:
    """The options as Locust hands them over."""
    (folder / "request.json").write_bytes(REQUEST)
    (folder / "spoilt.json").write_bytes(b"no JSON")
    parser = ArgumentParser()
    parser.add_argument("--host")
    declare(parser)
    least = ["--host", "http://gateway:80/", "--model", "digits", "--request", str(folder / "request.json")]
    return parsed(parser.parse_args([*least, *flags]))


def test_a_gateway_is_asked_by_host_name_and_a_server_by_its_own(tmp_path: Path) -> None:
    at_gateway, at_server = given(tmp_path, "--namespace", "demo"), given(tmp_path)

    assert at_gateway.host.startswith("digits.demo.")
    assert at_server.host == ""
    assert (at_server.url, at_server.grpc_url) == ("http://gateway:80", "http://gateway:80")


def test_users_are_enough_to_keep_the_rate_with_slow_answers(tmp_path: Path) -> None:
    plain = given(tmp_path, "--rate", "30", "--grpc-share", "0.2")
    patient = given(tmp_path, "--rate", "30", "--grpc-share", "0.2", "--latency", "2")

    assert (plain.users, patient.users) == (30, 120)
    assert plain.protocols == ("http", "grpc")
    assert given(tmp_path, "--grpc-share", "1").protocols == ("grpc",)


def test_the_number_of_users_is_bounded(tmp_path: Path) -> None:
    options = given(tmp_path, "--rate", "10000")

    assert (options.users, options.wanted_users) == (MOST_USERS, 10_000)


def test_every_load_test_has_an_id(tmp_path: Path) -> None:
    assert given(tmp_path, "--load-test-id", "mine").id == "mine"
    assert given(tmp_path, "--revision", "digits-2").id.startswith("digits-2-")


def test_a_scenario_says_what_the_command_line_does_not(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(
        "model: digits\nnamespace: shop\nload: {ramp: {from: 10, to: 30, over: 20s}}\nrequest: request.json\n"
        "slo: {latency: {percentile: 95, threshold: 50ms}}\n"
    )
    (tmp_path / "request.json").write_bytes(REQUEST)
    parser = ArgumentParser()
    parser.add_argument("--host")
    declare(parser)

    found = parsed(parser.parse_args(["--host", "http://here", "--scenario", str(scenario), "--percentile", "99"]))

    assert (found.model, found.namespace, found.url) == ("digits", "shop", "http://here")
    assert (found.seconds, found.rate, found.latency, found.percentile) == (
        60,
        pytest.approx(26.667, abs=0.01),
        0.05,
        99,
    )
    assert found.users == 30
    assert len(list(found.due_times(0, 1))) == 1600
    with pytest.raises(InvalidSettings, match="the load of the scenario"):
        parsed(parser.parse_args(["--host", "http://here", "--scenario", str(scenario), "--rate", "5"]))


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--model", ""), "say whom to ask"),
        (("--host", "gateway:80"), "are URLs"),
        (("--grpc-host", "grpc://gateway"), "are URLs"),
        (("--build", "sha256:1"), "one of them"),
        (("--request", ""), "one of them"),
        (("--request", "/nowhere"), "cannot be read"),
        (("--request", "spoilt.json"), "as `modelyard build` writes it"),
        (("--rate", "0"), "--rate"),
        (("--binary-share", "0.6"), "their sum"),
        (("--rate", "10001"), "--rate"),
        (("--duration", "3601"), "--duration"),
        (("--grpc-share", "1.1"), "--grpc-share"),
        (("--error-rate", "0"), "--error-rate"),
        (("--percentile", "100"), "--percentile"),
        (("--most-requests", "0"), "--most-requests"),
        (("--publish",), "--publish needs --namespace and --revision"),
    ],
)
def test_what_cannot_be_done_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidSettings, match=said):
        given(tmp_path, *flags)

"""What `--optimize` asks for: as a spec says it or as the operator writes it, always the same options."""

from dataclasses import replace
from pathlib import Path

import pytest

from modelyard.api.optimize import Optimize
from modelyard.builder.optimization.options import parse_options
from modelyard.builder.optimization.pass_api import Precision
from modelyard.core.names import build_digest, canonical_json
from modelyard.errors import InvalidSettings

ENTRY = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    "asked",
    [
        Optimize(),
        Optimize.model_validate({"goal": "size", "maxQualityLoss": "0.5%", "precisions": ["int8", "fp32"]}),
        Optimize.model_validate({"goal": "throughput", "budget": "90s", "wait": True}),
        Optimize(train=True),
    ],
)
def test_what_the_operator_writes_gives_the_digest_the_operator_waits_for(asked: Optimize) -> None:
    options = asked.options("cpu")

    found = parse_options(canonical_json(options["optimize"]), "cpu")

    assert build_digest(ENTRY, "m", found.options) == build_digest(ENTRY, "m", options)


def test_what_is_left_out_is_as_in_a_spec() -> None:
    assert parse_options("{}", "gpu").options == Optimize().options("gpu")


def test_training_is_part_of_the_digest_only_when_it_is_asked_for() -> None:
    assert "train" not in Optimize().options("cpu")["optimize"]
    assert parse_options('{"train": false}', "cpu").options == Optimize().options("cpu")
    assert (
        parse_options('{"train": true}', "cpu").options
        == Optimize(train=True).options("cpu")
        != Optimize().options("cpu")
    )


def test_a_person_may_write_it_as_in_a_spec() -> None:
    found = parse_options('{"maxQualityLoss": "2%", "budget": "1h", "precisions": ["int8", "fp16"]}', "cpu")

    assert (found.bound, found.budget) == (0.02, 3600.0)
    assert found.precisions == (Precision.FP16, Precision.INT8)


def test_time_that_recipes_leave_is_searched_unless_that_is_not_wanted_and_gives_no_other_build(tmp_path: Path) -> None:
    usual = parse_options("{}", "cpu")
    recipes_alone = replace(usual, leftover=False)

    assert usual.request(tmp_path, tmp_path).leftover
    assert not recipes_alone.request(tmp_path, tmp_path).leftover
    assert recipes_alone.options == usual.options


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{", "it is not usable"),
        ('{"goal": "speed"}', "goal is not usable"),
        ('{"maxQualityLoss": 2}', "maxQualityLoss is not usable"),
        ('{"precisions": []}', "precisions is not usable"),
        ('{"budget": -1}', "budget is not usable"),
        ('{"budgets": "1m"}', "budgets is not usable"),
        ('{"target": "gpu"}', "for the target gpu and the build is for cpu"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_name(text: str, field: str) -> None:
    with pytest.raises(InvalidSettings, match=field):
        parse_options(text, "cpu")

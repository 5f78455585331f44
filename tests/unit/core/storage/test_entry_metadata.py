"""`modelyard.yaml`: what is accepted, and the sentence for what is not."""

import pytest

from modelyard.core.storage.entry_metadata import parse_metadata
from modelyard.errors import InvalidEntry

LEAST = "name: digits\nversion: '1'\nframework: pytorch\ntask: classification\n"


def test_the_least_is_name_version_framework_and_task() -> None:
    metadata = parse_metadata(LEAST.encode(), "it")

    assert (metadata.name, metadata.version, metadata.framework, metadata.task) == (
        "digits",
        "1",
        "pytorch",
        "classification",
    )
    assert (
        metadata.inputs,
        metadata.outputs,
        metadata.labels,
        metadata.metrics,
        metadata.licence,
    ) == ((), (), (), {}, "")


def test_a_version_may_be_written_as_a_whole_number() -> None:
    assert parse_metadata(LEAST.replace("'1'", "12").encode(), "it").version == "12"


def test_everything_else_is_optional_and_in_camel_case() -> None:
    text = (
        LEAST
        + "inputs: [{name: x, datatype: FP32, shape: [-1, 8]}]\noutputs: [{name: y, datatype: INT64, shape: [-1]}]\n"
        "labels: [a, b]\nmetrics: {accuracy: 0.9}\nlicence: Apache-2.0\n"
        "trainingData: {reference: the archive, digest: 'sha256:" + "0" * 64 + "'}\n"
    )

    metadata = parse_metadata(text.encode(), "it")

    assert metadata.inputs[0].shape == (-1, 8)
    assert metadata.training_data is not None
    assert metadata.training_data.reference == "the archive"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name: [unclosed", "it is not YAML"),
        (b"\xff\xff\xff", "it is not YAML"),
        ("just words", "it must be a mapping with name, version"),
        ("", "it must be a mapping"),
        (
            "name: digits\nversion: '1'\ntask: x\n",
            "framework is not usable: Field required",
        ),
        (
            LEAST.replace("'1'", "1.10"),
            "version is not usable: put the version in quotes",
        ),
        (LEAST.replace("'1'", "true"), "version is not usable"),
        (LEAST.replace("digits", "Digits"), "name is not usable"),
        (
            LEAST + "colour: red\n",
            "colour is not usable: Extra inputs are not permitted",
        ),
        (
            LEAST + "inputs: [{name: x, datatype: FLOAT, shape: [1]}]",
            "inputs.0.datatype is not usable",
        ),
        (
            LEAST + "inputs: [{name: x, datatype: FP32, shape: [-2]}]",
            "inputs.0.shape.0 is not usable",
        ),
        (
            LEAST + "outputs: [{name: x, datatype: FP32, shape: []}, {name: x, datatype: FP32, shape: []}]",
            "outputs names 'x' twice",
        ),
        ("#" * (1 << 20) + "\n", "it is larger than 1 MiB"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str | bytes, sentence: str) -> None:
    content = text if isinstance(text, bytes) else text.encode()

    with pytest.raises(InvalidEntry) as raised:
        parse_metadata(content, "it")

    assert sentence in str(raised.value)

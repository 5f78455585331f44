"""What `modelyard.yaml` may say."""

from typing import Any

import pytest
from pydantic import ValidationError

from modelyard.api.entry import Entry, EntryFile, EntryMetadata

LEAST: dict[str, Any] = {"name": "digits", "version": "1", "framework": "pytorch", "task": "image-classification"}
TENSOR = {"name": "x", "datatype": "FP32", "shape": [-1, 2]}


def test_the_least_metadata_is_enough() -> None:
    assert EntryMetadata.model_validate(LEAST).inputs == ()


def test_a_whole_number_is_a_version() -> None:
    assert EntryMetadata.model_validate({**LEAST, "version": 2}).version == "2"


def test_a_number_with_a_dot_is_refused_because_yaml_would_shorten_it() -> None:
    with pytest.raises(ValidationError, match="put the version in quotes"):
        EntryMetadata.model_validate({**LEAST, "version": 1.10})


@pytest.mark.parametrize("kind", ["inputs", "outputs"])
def test_a_tensor_named_twice_is_refused(kind: str) -> None:
    with pytest.raises(ValidationError, match=f"{kind} names 'x' twice"):
        EntryMetadata.model_validate({**LEAST, kind: [TENSOR, TENSOR]})


def test_tensors_with_names_of_their_own_are_kept_in_order() -> None:
    read = EntryMetadata.model_validate({**LEAST, "inputs": [TENSOR, {**TENSOR, "name": "a"}]})

    assert [tensor.name for tensor in read.inputs] == ["x", "a"]


def test_a_model_is_deterministic_unless_its_author_says_otherwise() -> None:
    assert EntryMetadata.model_validate(LEAST).deterministic
    assert not EntryMetadata.model_validate({**LEAST, "deterministic": False}).deterministic


@pytest.mark.parametrize("value", ["false", "sometimes", 0, None])
def test_it_is_said_with_true_or_false(value: Any) -> None:
    with pytest.raises(ValidationError, match="valid boolean"):
        EntryMetadata.model_validate({**LEAST, "deterministic": value})


def test_the_size_of_an_entry_is_that_of_its_files() -> None:
    files = tuple(EntryFile(path=path, size=size, sha256="0" * 64) for path, size in (("a", 3), ("b/c", 4)))
    metadata = EntryMetadata.model_validate(LEAST)

    entry = Entry(name="digits", version="1", digest="sha256:" + "0" * 64, files=files, metadata=metadata)

    assert entry.size == 7


@pytest.mark.parametrize(
    ("framework", "paths", "python"),
    [
        ("python", ["model.py", "eval.npz"], True),
        ("python", ["model.py", "parts/encoder.onnx"], True),
        ("python", ["model.py", "model.onnx"], False),
        ("python", ["model.py", "model.xml"], False),
        ("pytorch", ["model.py"], False),
    ],
    ids=["code", "onnx-beside-code", "onnx", "openvino", "another-framework"],
)
def test_code_answers_where_the_entry_says_so_and_brings_nothing_that_is_ready(
    framework: str, paths: list[str], python: bool
) -> None:
    files = tuple(EntryFile(path=path, size=1, sha256="0" * 64) for path in paths)
    metadata = EntryMetadata.model_validate({**LEAST, "framework": framework})

    entry = Entry(name="digits", version="1", digest="sha256:" + "0" * 64, files=files, metadata=metadata)

    assert entry.is_python is python

"""config.pbtxt: what is written is what Triton's own parser reads, whatever the tensors are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.api.entry import Tensor
from modelyard.api.optimization import Runtime
from modelyard.builder.inspection.graph import Port
from modelyard.builder.triton.config import (
    MAX_BATCH,
    complete_config,
    messages,
    read_config,
    served,
    settled,
    write_config,
)
from modelyard.errors import InvalidEntry, UnsupportedModel

X, Y = Port("x", "FP32", ("batch", 3)), Port("y", "INT64", ("batch",))
TYPES = ("FP32", "FP16", "INT64", "UINT8", "BOOL", "BYTES", "FP64")
dims = st.lists(st.one_of(st.integers(1, 1 << 40), st.none(), st.text(max_size=3)), min_size=1, max_size=5)
ports = st.builds(Port, st.text(min_size=1, max_size=20), st.sampled_from(TYPES), dims.map(tuple))


@given(st.text(min_size=1), st.lists(ports, min_size=1, max_size=4), st.lists(ports, min_size=1, max_size=4))
def test_any_name_and_any_shape_survive_the_text(name: str, inputs: list[Port], outputs: list[Port]) -> None:
    config = read_config(write_config(name, inputs, outputs, batchable=False))

    assert (config.name, config.backend, config.max_batch_size) == (name, "onnxruntime", 0)
    for written, port in zip([*config.input, *config.output], [*inputs, *outputs], strict=True):
        assert written.name == port.name
        assert list(written.dims) == [dim if isinstance(dim, int) else -1 for dim in port.dims or ()]
        kind = messages().DataType.Name(written.data_type)
        assert kind == f"TYPE_{'STRING' if port.datatype == 'BYTES' else port.datatype}"


def test_a_batchable_model_leaves_its_batch_to_triton() -> None:
    config = read_config(write_config("m", [X], [Y], batchable=True))

    assert config.max_batch_size == MAX_BATCH
    assert config.HasField("dynamic_batching")
    assert list(config.input[0].dims) == [3]


def test_what_is_nothing_but_its_batch_is_one_element_a_row_to_clients() -> None:
    config = read_config(write_config("m", [X], [Y], batchable=True))

    assert list(config.output[0].dims) == [1]
    assert config.output[0].HasField("reshape")
    assert list(config.output[0].reshape.shape) == []
    assert served(Y, batchable=True) == Tensor(name="y", datatype="INT64", shape=(-1, 1))


def test_the_same_file_serves_on_a_cpu_and_on_each_gpu() -> None:
    group = read_config(write_config("m", [X], [Y], batchable=True)).instance_group[0]

    assert group.count == 1
    assert group.kind == messages().ModelInstanceGroup.KIND_AUTO


def test_shapes_that_were_seen_fill_in_for_shapes_that_were_not_declared() -> None:
    undeclared, wrong = Port("a", "FP32", None), Port("b", "FP32", ("n", 1, 7))

    assert settled([undeclared, wrong], {"a": [1, 5], "b": [1, 10, 7]}) == (
        Port("a", "FP32", (None, None)),
        Port("b", "FP32", ("n", None, 7)),
    )


def test_an_authors_tuning_is_kept_under_the_new_name() -> None:
    text = """
        name: "old" platform: "onnxruntime_onnx" max_batch_size: 8
        dynamic_batching { max_queue_delay_microseconds: 100 }
        instance_group [{ kind: KIND_GPU count: 2 }]
        parameters { key: "intra_op_thread_count" value { string_value: "2" } }
        version_policy { latest { num_versions: 3 } }
    """

    config = read_config(complete_config(text, "new", [X], [Y], batchable=True))

    assert (config.name, config.backend, config.platform, config.max_batch_size) == ("new", "onnxruntime", "", 8)
    assert config.dynamic_batching.max_queue_delay_microseconds == 100
    assert [(group.count, group.kind) for group in config.instance_group] == [(2, 0)]
    assert config.parameters["intra_op_thread_count"].string_value == "2"
    assert not config.HasField("version_policy")
    assert [list(tensor.dims) for tensor in (*config.input, *config.output)] == [[3], [1]]


def test_an_author_who_does_not_batch_gets_full_shapes() -> None:
    config = read_config(complete_config("", "m", [X], [Y], batchable=True))

    assert (config.max_batch_size, list(config.input[0].dims), list(config.output[0].dims)) == (0, [-1, 3], [-1])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name: ", "config.pbtxt cannot be read"),
        ("colour: 1", "config.pbtxt cannot be read"),
        ('input [{name: "z" data_type: TYPE_FP32 dims: [-1, 3]}]', "lists input 'z'; the model has x: correct it"),
        ('input [{name: "x" data_type: TYPE_FP32 dims: [-1, 4]}]', r"dims \[-1, 4\]; the model has \[-1, 3\]"),
        ('input [{name: "x" data_type: TYPE_INT8 dims: [-1, 3]}]', "of TYPE_FP32: correct it"),
        ('output [{name: "y" data_type: TYPE_INT64 dims: [-1, 1]}]', r"the model has \[-1\]"),
    ],
)
def test_an_authors_file_that_contradicts_the_model_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(InvalidEntry, match=sentence):
        complete_config(text, "m", [X], [Y], batchable=True)


def test_a_batch_size_for_a_model_that_cannot_be_batched_is_refused() -> None:
    with pytest.raises(InvalidEntry, match="max_batch_size: 4, but the model cannot be batched; set it to 0"):
        complete_config("max_batch_size: 4", "m", [X], [Y], batchable=False)


@pytest.mark.parametrize(
    "text",
    [
        'backend: "python"',
        'platform: "tensorrt_plan"',
        'model_operations { op_library_filename: "evil.so" }',
        'model_repository_agents { agents [{ name: "evil" }] }',
        'parameters { key: "EXECUTION_ENV_PATH" value { string_value: "evil.tar.gz" } }',
        "ensemble_scheduling { step [] }",
        'model_warmup [{ name: "w" }]',
    ],
)
def test_settings_that_load_code_or_files_are_refused(text: str) -> None:
    with pytest.raises(UnsupportedModel, match=r"config\.pbtxt (asks for|sets)"):
        complete_config(text, "m", [X], [Y], batchable=True)


AUTHOR = """
  max_batch_size: 128
  dynamic_batching { max_queue_delay_microseconds: 500 }
  instance_group [{ count: 2 }]
  parameters { key: "intra_op_thread_count" value { string_value: "3" } }
  parameters { key: "session.intra_op.allow_spinning" value { string_value: "1" } }
  optimization { execution_accelerators { gpu_execution_accelerator: [{ name: "tensorrt" }] } %s }
"""


@pytest.mark.parametrize(
    ("backend", "rows", "parameters", "optimized"),
    [
        ("onnxruntime", 128, {"intra_op_thread_count", "session.intra_op.allow_spinning"}, True),
        ("openvino", 128, {"intra_op_thread_count"}, False),
        ("tensorrt", MAX_BATCH, set(), False),
    ],
)
def test_a_variant_keeps_those_of_the_authors_settings_that_its_backend_knows(
    backend: Runtime, rows: int, parameters: set[str], optimized: bool
) -> None:
    config = read_config(complete_config(AUTHOR % "", "m", [X], [Y], True, backend))

    assert (config.backend, config.max_batch_size, config.instance_group[0].count) == (backend, rows, 2)
    assert set(config.parameters) == parameters
    assert config.dynamic_batching.max_queue_delay_microseconds == 500
    assert config.HasField("optimization") is optimized


def test_settings_of_the_server_stay_for_every_backend() -> None:
    author = AUTHOR % "cuda { graphs: true }"

    assert read_config(complete_config(author, "m", [X], [Y], True, "tensorrt")).optimization.cuda.graphs


@pytest.mark.parametrize("backend", ["openvino", "tensorrt"])
def test_a_variant_says_its_backend(backend: Runtime) -> None:
    assert read_config(write_config("m", [X], [Y], True, backend)).backend == backend

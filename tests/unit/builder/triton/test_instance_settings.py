"""How a model is run, read from config.pbtxt and written into it."""

import pytest

from modelyard.builder.triton.config import read_config
from modelyard.builder.triton.instance_settings import largest_batch, settings_of, with_settings
from modelyard.core.tuning.settings import ServerSettings

PLAIN = 'name: "m"\nbackend: "onnxruntime"\n'
USUAL = f"{PLAIN}max_batch_size: 64\ninstance_group {{ count: 1 }}\ndynamic_batching {{ }}\n"
THREADS = 'parameters { key: "intra_op_thread_count" value { string_value: "2" } }\n'


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (USUAL, ServerSettings(1, 4, 64)),
        (PLAIN, ServerSettings(1, 4, 1)),
        (f"{PLAIN}max_batch_size: 8\n", ServerSettings(1, 4, 1)),
        (f"{PLAIN}instance_group {{ count: 2 }}\ninstance_group {{ }}\n", ServerSettings(3, 1, 1)),
        (PLAIN + THREADS, ServerSettings(1, 2, 1)),
        (
            f"{PLAIN}max_batch_size: 8\ndynamic_batching {{ preferred_batch_size: [2, 4] "
            "max_queue_delay_microseconds: 100 }\n",
            ServerSettings(1, 4, 4, 100),
        ),
    ],
)
def test_settings_are_read(text: str, settings: ServerSettings) -> None:
    assert settings_of(text, cpus=4) == settings


@pytest.mark.parametrize(
    "settings",
    [
        ServerSettings(1, 4, 64),
        ServerSettings(4, 1, 64),
        ServerSettings(1, 1, 8),
        ServerSettings(2, 1, 8, 500),
        ServerSettings(1, 2, 64, 500),
        ServerSettings(1, 4, 1),
    ],
)
def test_what_is_written_is_read_again_and_nothing_else_changes(settings: ServerSettings) -> None:
    written = with_settings(USUAL, settings, cpus=4)

    assert settings_of(written, cpus=4) == settings
    assert largest_batch(written) == 64
    assert settings_of(with_settings(written, ServerSettings(1, 4, 64), 4), 4) == ServerSettings(1, 4, 64)


def test_the_usual_settings_are_written_as_they_always_were() -> None:
    assert with_settings(USUAL, ServerSettings(1, 4, 64), 4) == with_settings(
        with_settings(USUAL, ServerSettings(2, 1, 8, 100), 4), ServerSettings(1, 4, 64), 4
    )
    assert "parameters" not in with_settings(USUAL, ServerSettings(2, 2, 64), 4)


def test_a_model_that_is_never_batched_stays_so() -> None:
    written = read_config(with_settings(PLAIN, ServerSettings(2, 1, 1), cpus=4))

    assert not written.HasField("dynamic_batching")
    assert written.instance_group[0].count == 2


def test_what_an_author_says_of_queues_stays() -> None:
    queues = f"{PLAIN}max_batch_size: 8\ndynamic_batching {{ default_queue_policy {{ max_queue_size: 9 }} }}\n"

    written = read_config(with_settings(queues, ServerSettings(1, 4, 1), cpus=4))

    assert written.dynamic_batching.default_queue_policy.max_queue_size == 9
    assert list(written.dynamic_batching.preferred_batch_size) == [1]

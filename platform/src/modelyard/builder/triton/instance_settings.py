"""The settings of `config.pbtxt` that say how a model is run: read from it, and written into it.

| setting | in config.pbtxt |
|---|---|
| instances | `instance_group.count`, all groups added up |
| threads | the parameter `intra_op_thread_count`; without it the CPUs are shared among the instances |
| batch | `dynamic_batching.preferred_batch_size`, the largest; without one `max_batch_size`, without batching 1 |
| delay | `dynamic_batching.max_queue_delay_microseconds` |

With a preferred size and no delay Triton runs up to that many rows together and takes what there is when there are
fewer. `max_batch_size` stays as it is, since it is also the most rows that a client may send.
"""

from typing import Any

from modelyard.core.tuning.settings import ServerSettings

from .config import read_config, to_text

THREADS = "intra_op_thread_count"


def settings_of(text: str, cpus: int) -> ServerSettings:
    """How a config.pbtxt runs its model on so many CPUs; raises InvalidEntry when it cannot be read."""
    config = read_config(text)
    instances = sum(max(1, group.count) for group in config.instance_group) or 1
    written = config.parameters[THREADS].string_value if THREADS in config.parameters else ""
    threads = int(written) if written.isdigit() else max(1, cpus // instances)
    batching = config.dynamic_batching
    together = max(batching.preferred_batch_size, default=config.max_batch_size) if _puts_together(config) else 1
    return ServerSettings(instances, threads, max(1, together), batching.max_queue_delay_microseconds)


def with_settings(text: str, settings: ServerSettings, cpus: int) -> str:
    """The config.pbtxt that runs its model with these settings on so many CPUs, and is otherwise the same."""
    config = read_config(text)
    del config.instance_group[:]
    config.instance_group.add(count=settings.instances)
    config.parameters.pop(THREADS, None)
    if settings.threads != max(1, cpus // settings.instances):
        config.parameters[THREADS].string_value = str(settings.threads)
    if config.max_batch_size > 0:
        _set_batching(config, settings)
    return to_text(config)


def largest_batch(text: str) -> int:
    """The most rows that may be run together; 1 when requests cannot be batched."""
    return max(1, read_config(text).max_batch_size)


def _puts_together(config: Any) -> bool:
    return config.max_batch_size > 0 and config.HasField("dynamic_batching")


def _set_batching(config: Any, settings: ServerSettings) -> None:
    batching = config.dynamic_batching
    del batching.preferred_batch_size[:]
    batching.max_queue_delay_microseconds = settings.delay
    if settings.batch < config.max_batch_size:
        batching.preferred_batch_size.append(settings.batch)
    batching.SetInParent()
    if settings.batch == 1 and [field.name for field, _ in batching.ListFields()] == ["preferred_batch_size"]:
        config.ClearField("dynamic_batching")

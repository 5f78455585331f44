"""What a Model's pods reserve in a second: what they request, for as long as they have a node."""

from modelyard.core.autoscaling.node_room import on_node, requested
from modelyard.core.traffic import Reserved
from modelyard.operator.cache.objects import Key, ObjectCache

_GIB = 1024**3


def reserved_by(cache: ObjectCache, key: Key) -> Reserved:
    """The sum over the pods of all revisions of the Model, those on their way in or out included."""
    total = Reserved()
    for ref, pod in cache.children(key).items():
        if ref.kind == "Pod" and on_node(pod):
            size = requested(pod["spec"])
            total = total.plus(Reserved(float(size.cores), float(size.memory) / _GIB, float(size.gpus), 1.0))
    return total

"""What revisions use, hold and cost: batches and queues of Triton, CPU, memory, GPUs, replicas, money.

| series | from | needs |
|---|---|---|
| batch size, queue and compute time, GPUs | Triton's port `metrics` | the label `pod` |
| CPU and memory used | the kubelet's cAdvisor | a scrape of /metrics/cadvisor, as Prometheus stacks come with |
| replicas, what they reserve, prices | the operator | |

A pod of a revision is called `<revision>-predictor-<hash>-<id>`. Cost is the price of what is reserved, used or not;
idle is the share of the reserved cores that is not used.
"""

from .requests import REQUESTS, REVISION
from .rule import BY_MODEL, BY_REVISION, RATE, Recording, RuleGroup

SECONDS = 60
CONTAINER = "kserve-container"
BATCH, QUEUE, COMPUTE = (
    f"revision:modelyard_{name}:mean{RATE}" for name in ("batch_size", "queue_seconds", "compute_seconds")
)
CPU, MEMORY = f"revision:modelyard_cpu_cores:rate{RATE}", "revision:modelyard_memory_bytes:sum"
GPU, GPU_MEMORY = "revision:modelyard_gpu_utilization:mean", "revision:modelyard_gpu_memory_bytes:sum"
REPLICAS, RESERVED = "revision:modelyard_replicas:max", "revision:modelyard_reserved:max"
COST, COST_PER_THOUSAND = "revision:modelyard_cost:per_hour", "model:modelyard_cost_per_thousand:mean1h"
IDLE = f"revision:modelyard_idle:ratio{RATE}"
_REVISION_OF_POD = '"revision", "$1", "pod", "(.+)-predictor-[^-]+-[^-]+"'


def group() -> RuleGroup:
    """All of them."""
    answered, executed = _triton("nv_inference_count"), _triton("nv_inference_exec_count")
    succeeded = f"({_triton('nv_inference_request_success')} > 0)"
    queued, computed = _triton("nv_inference_queue_duration_us"), _triton("nv_inference_compute_infer_duration_us")
    prices = "max by (resource) (modelyard_price_per_hour)"
    a_second = f"(avg_over_time(model:{REQUESTS}[1h]) > 0)"
    return RuleGroup(
        "modelyard-resources",
        SECONDS,
        (
            Recording(BATCH, _of_revision(f"{answered} / ({executed} > 0)")),
            Recording(QUEUE, _of_revision(f"{queued} / {succeeded} / 1e6")),
            Recording(COMPUTE, _of_revision(f"{computed} / {succeeded} / 1e6")),
            Recording(CPU, _of_revision(_container("rate(container_cpu_usage_seconds_total{}" + f"[{RATE}])"))),
            Recording(MEMORY, _of_revision(_container("container_memory_working_set_bytes{}"))),
            Recording(GPU, _of_revision(_pods("avg", "nv_gpu_utilization", "gpu_uuid"))),
            Recording(GPU_MEMORY, _of_revision(_pods("sum", "nv_gpu_memory_used_bytes", "gpu_uuid"))),
            Recording(REPLICAS, f"max by ({BY_REVISION}, state) (modelyard_revision_replicas)"),
            Recording(RESERVED, f"max by ({BY_REVISION}, resource) (modelyard_revision_reserved)"),
            Recording(COST, f"sum by ({BY_REVISION}) ({RESERVED} * on (resource) group_left () {prices}) > 0"),
            Recording(
                COST_PER_THOUSAND,
                f"1000 * sum by ({BY_MODEL}) (avg_over_time({COST}[1h])) / on ({BY_MODEL}) (3600 * {a_second})",
            ),
            Recording(
                IDLE,
                f"1 - clamp_max({CPU} / on ({BY_REVISION}) "
                f'(sum by ({BY_REVISION}) ({RESERVED}{{resource="cpu"}}) > 0), 1)',
            ),
        ),
    )


def _triton(counter: str) -> str:
    """Of one of Triton's counters, what is added a second, by namespace and revision."""
    return _pods("sum", f"rate({counter}[{RATE}])", "model, version, gpu_uuid")


def _pods(together: str, expr: str, labels: str) -> str:
    """An expression over series of pods, put together by namespace and revision; what is scraped twice counts once."""
    once = f"max by (namespace, pod, {labels}) ({expr})"
    return f"{together} by (namespace, revision) (label_replace({once}, {_REVISION_OF_POD}))"


def _container(expr: str) -> str:
    chosen = f'{{container="{CONTAINER}", pod=~".+-predictor-.+"}}'
    return _pods("sum", expr.replace("{}", chosen), "container")


def _of_revision(expr: str) -> str:
    """Only revisions that the operator knows, with the Model each is of."""
    return f"({expr}) * on (namespace, revision) group_left (model) {REVISION}"

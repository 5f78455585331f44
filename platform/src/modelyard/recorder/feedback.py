"""`POST /<namespace>/<model>/feedback`: takes labels, and says what is wrong with those that it does not take.

| answer | when |
|---|---|
| 202 | all of it is taken: `{"accepted": 3}`; it is in the store within about a minute |
| 400 | the body is no JSON, or not compressed as it says |
| 404 | there is no such Model, or its spec.monitoring has no feedback |
| 408 | the body did not come within ten seconds |
| 413 | the body is longer than 1 MiB |
| 422 | the body is not what `api.monitoring.labels` says; of which item, and what to write |
| 503 | no room for more labels, or too many requests at a time: send it again later |

Everything but 202 has taken nothing, and has a sentence in `error`. The same label may be sent as often as one likes.
"""

import asyncio
import json
import time
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from modelyard.api.monitoring.labels import AnswerLabel, given_labels

from .label_batches import LabelBatches
from .receiver import CapturePolicy, Policies
from .recorder_metrics import RecorderMetrics

MOST_BYTES = 1 << 20
MOST_REQUESTS = 32
PLAIN = "label"
"""The name by which a label without an output's name is redacted."""
_READ_SECONDS = 10.0
_RETRY_SECONDS = "30"


class _NotTaken(Exception):
    """Why a body is not taken: the status, the outcome that is counted, and the sentence."""

    def __init__(self, status: int, outcome: str, sentence: str) -> None:
        self.status, self.outcome = status, outcome
        super().__init__(sentence)


class FeedbackEndpoint:
    """Labels of Models as `policies` says of them go to `batches`."""

    def __init__(
        self, policies: Policies, batches: LabelBatches, metrics: RecorderMetrics, patience: float = _READ_SECONDS
    ) -> None:
        self.batches = batches
        self._policies, self._metrics, self._patience = policies, metrics, patience
        self._open = 0

    def application(self) -> web.Application:
        """What answers."""
        application = web.Application(client_max_size=MOST_BYTES)
        application.add_routes([web.post("/{namespace}/{model}/feedback", self._post)])
        return application

    async def _post(self, request: web.Request) -> web.Response:
        self._open += 1
        try:
            labels = await self._taken(request)
        except _NotTaken as why:
            self._metrics.feedback(why.outcome)
            headers = {"Retry-After": _RETRY_SECONDS} if why.status == 503 else {}
            answer = web.json_response({"error": str(why)}, status=why.status, headers=headers)
            if not request.content.is_eof():
                answer.force_close()
            return answer
        finally:
            self._open -= 1
        self._metrics.feedback("accepted")
        self._metrics.labels("accepted", labels)
        return web.json_response({"accepted": labels}, status=202)

    async def _taken(self, request: web.Request) -> int:
        """How many labels were taken, all of the body's. Raises _NotTaken."""
        if self._open > MOST_REQUESTS:
            raise _NotTaken(503, "refused", "too many requests bring labels at the moment; send this again later")
        namespace, model = request.match_info["namespace"], request.match_info["model"]
        policy = self._policies(namespace, model)
        if policy is None or not policy.labelled:
            raise _NotTaken(
                404, "unknown", f"there is no Model {model} in namespace {namespace} that takes labels: "
                "it needs spec.monitoring.feedback",
            )  # fmt: skip
        body, now = await self._body(request), time.time()
        try:
            labels = given_labels(body, model, now)
        except ValidationError as bad:
            raise _NotTaken(422, "malformed", _said(bad)) from bad
        except ValueError as bad:
            raise _NotTaken(422, "malformed", f"{bad}.") from bad
        if not self.batches.add(namespace, model, [redacted(one, policy) for one in labels], now):
            raise _NotTaken(503, "refused", "the store is away and there is no room for more; send this again later")
        return len(labels)

    async def _body(self, request: web.Request) -> Any:
        try:
            async with asyncio.timeout(self._patience):
                content = await request.read()
        except TimeoutError as late:
            raise _NotTaken(408, "malformed", "the body did not come in time; send it again") from late
        except web.HTTPRequestEntityTooLarge as large:
            raise _NotTaken(413, "malformed", "the body is longer than 1 MiB; send it in several") from large
        except web.RequestPayloadError as broken:
            raise _NotTaken(400, "malformed", "the body is not what its Content-Encoding says") from broken
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as bad:
            raise _NotTaken(400, "malformed", "the body is no JSON; write an object or a list of objects") from bad


def redacted(label: AnswerLabel, policy: CapturePolicy) -> AnswerLabel:
    """The label as it may be written."""
    return label._replace(label=policy.redaction.text(label.output or PLAIN, label.label))


def _said(bad: ValidationError) -> str:
    """The first fault, by its item's number and field."""
    first = bad.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "the body"
    more = bad.error_count() - 1
    told = f"{where}: {first['msg'].removeprefix('Value error, ')}"
    return f"{told}{f' (and {more} more)' if more else ''}."

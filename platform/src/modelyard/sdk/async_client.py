"""The client that is awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Self

from modelyard.clients.inference.predictions import Description
from modelyard.errors import InvalidInput

from . import opening, steps
from .batches import Batch, Progress, joined, part_answered, planned, told
from .cluster_view import RolloutSummary, ServedModel, cluster_models, cluster_rollout, listed
from .wire.calls import ClientOptions, InferenceAnswer


class AsyncClient:
    """`Client`, awaited: the same arguments, values and errors. For one event loop, in which it is also made."""

    def __init__(
        self,
        url: str,
        *,
        namespace: str = "",
        domain: str = "",
        token: str = "",
        protocol: str = "http",
        binary: bool = True,
        timeout: float = 30.0,
        retries: int = 2,
        verify: bool | str = True,
        connections: int = 32,
    ) -> None:
        options = ClientOptions(token, binary, timeout, retries, verify, connections)
        self._session = opening.session(url, namespace, domain, protocol, options)
        self._connection = opening.connection(protocol, options, awaited=True)
        self._stack = ExitStack()

    @classmethod
    async def from_cluster(cls, namespace: str = "", *, protocol: str = "http", **options: Any) -> Self:
        """See `Client.from_cluster`."""
        with ExitStack() as stack:
            found = await asyncio.to_thread(opening.cluster_address, stack, namespace, protocol)
            client = cls(found.url, namespace=found.namespace, domain=found.domain, protocol=protocol, **options)
            client._stack = stack.pop_all()
            return client

    async def predict(
        self, model: str, values: Any, *, timeout: float | None = None, revision: str = "", request_id: str = ""
    ) -> Any:
        """See `Client.predict`."""
        endpoint = opening.endpoint(self._session, model, revision)
        return await self._done(steps.predicted(self._session, endpoint, values, timeout, request_id))

    async def infer(
        self, model: str, values: Any, *, timeout: float | None = None, revision: str = "", request_id: str = ""
    ) -> InferenceAnswer:
        """See `Client.infer`."""
        endpoint = opening.endpoint(self._session, model, revision)
        return await self._done(steps.raw_answer(self._session, endpoint, values, timeout, request_id))

    async def predict_batch(
        self,
        model: str,
        values: Any,
        *,
        batch_size: int | None = None,
        in_flight: int = 4,
        progress: Progress = None,
        timeout: float | None = None,
        revision: str = "",
    ) -> Any:
        """See `Client.predict_batch`."""
        if in_flight < 1:
            raise InvalidInput(f"in_flight={in_flight} is none: give 1 or more.")
        endpoint = opening.endpoint(self._session, model, revision)
        batch = await self._done(planned(self._session, endpoint, values, batch_size, timeout))
        room = asyncio.Semaphore(in_flight)
        with told(progress, batch.rows, model) as count:

            async def part(at: int) -> InferenceAnswer:
                async with room:
                    answer = await self._part(batch, at, timeout)
                count(len(batch.calls[at][0]))
                return answer

            under_way = [asyncio.ensure_future(part(at)) for at in range(len(batch.calls))]
            try:
                return joined(batch, await asyncio.gather(*under_way))
            finally:
                for task in under_way:
                    task.cancel()
                await asyncio.gather(*under_way, return_exceptions=True)

    async def explain(
        self, model: str, values: Any, *, timeout: float | None = None, revision: str = ""
    ) -> Mapping[str, Any]:
        """See `Client.explain`."""
        endpoint = opening.endpoint(self._session, model, revision)
        return await self._done(steps.explained(self._session, endpoint, values, timeout))

    async def feedback(
        self,
        model: str,
        request_id: str = "",
        label: Any = None,
        *,
        row: int = 0,
        items: Sequence[Mapping[str, Any]] = (),
        timeout: float | None = None,
    ) -> int:
        """See `Client.feedback`."""
        single = [{"request_id": request_id, "label": label, "row": row}] if request_id else []
        return await self._done(steps.labelled(self._session, model, [*single, *items], timeout))

    async def describe(self, model: str, *, timeout: float | None = None, revision: str = "") -> Description:
        """See `Client.describe`."""
        endpoint = opening.endpoint(self._session, model, revision)
        return await self._done(steps.described(self._session, endpoint, timeout))

    async def wait_ready(self, model: str, *, timeout: float = 300.0, revision: str = "") -> None:
        """See `Client.wait_ready`."""
        endpoint = opening.endpoint(self._session, model, revision)
        await self._done(steps.until_ready(self._session, endpoint, timeout))

    async def models(self) -> list[ServedModel]:
        """See `Client.models`."""
        if self._session.address.namespace:
            return await asyncio.to_thread(cluster_models, self._session.address.namespace)
        return listed(await self._done(steps.index(self._session)))

    async def rollout(self, model: str) -> RolloutSummary:
        """See `Client.rollout`."""
        return await asyncio.to_thread(cluster_rollout, opening.cluster_namespace(self._session), model)

    async def close(self) -> None:
        """Closes the connections."""
        await self._connection.close()
        await asyncio.to_thread(self._stack.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._session.address.url}>"

    async def _done(self, todo: steps.Steps[steps.Result]) -> steps.Result:
        return await steps.carried_out_async(todo, self._connection, asyncio.sleep)

    async def _part(self, batch: Batch, at: int, timeout: float | None) -> InferenceAnswer:
        return await self._done(part_answered(self._session, *batch.calls[at], timeout))

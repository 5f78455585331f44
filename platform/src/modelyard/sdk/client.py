"""The client that blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Self

from modelyard.clients.inference.predictions import Description
from modelyard.errors import InvalidInput

from . import opening, steps
from .batches import Batch, Progress, joined, part_answered, planned, told
from .cluster_view import RolloutSummary, ServedModel, cluster_models, cluster_rollout, listed
from .wire.calls import ClientOptions, InferenceAnswer


class Client:
    """Predictions from Modelyard, or from any server of the Open Inference Protocol v2. Safe to share between threads.

    `url` is the gateway's address with `namespace` (and `domain` where Models are asked by host name), or that of one
    server. `protocol` is http or grpc (extra `grpc`). `binary` False sends JSON instead of raw bytes over HTTP.
    `timeout` is in seconds and for a whole call with all its tries; `retries` is how often a request that nobody has
    begun is sent again. `verify` is True, or the file with the certificate of the authority to trust. `token` is sent
    as a bearer token. Values come in and go out as `modelyard.sdk.values` says.

    Errors are those of `modelyard.errors`; each says in one sentence what to do, and `reason` is its word for programs.
    """

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
        self._connection = opening.connection(protocol, options, awaited=False)
        self._stack = ExitStack()

    @classmethod
    def from_cluster(cls, namespace: str = "", *, protocol: str = "http", **options: Any) -> Self:
        """A client of the gateway of the cluster that the kubeconfig names, or in which this runs (extra `cli`).

        An empty namespace is the kubeconfig's. `options` are those of `Client`. Raises InvalidSettings without a
        cluster, Unreachable when no address of its gateway answers.
        """
        with ExitStack() as stack:
            found = opening.cluster_address(stack, namespace, protocol)
            client = cls(found.url, namespace=found.namespace, domain=found.domain, protocol=protocol, **options)
            client._stack = stack.pop_all()
            return client

    def predict(
        self, model: str, values: Any, *, timeout: float | None = None, revision: str = "", request_id: str = ""
    ) -> Any:
        """One inference; the outputs in the kind the values came in.

        `revision` asks that revision only; `request_id` is the request's id, chosen by the gateway when empty. Raises
        InvalidInput for values that do not fit the model, Unreachable or DeadlineExceeded without an answer, Refused
        for a model that is not there.
        """
        endpoint = opening.endpoint(self._session, model, revision)
        return self._done(steps.predicted(self._session, endpoint, values, timeout, request_id))

    def infer(
        self, model: str, values: Any, *, timeout: float | None = None, revision: str = "", request_id: str = ""
    ) -> InferenceAnswer:
        """The same with everything that came back: arrays by output name, the revision, the request's id."""
        endpoint = opening.endpoint(self._session, model, revision)
        return self._done(steps.raw_answer(self._session, endpoint, values, timeout, request_id))

    def predict_batch(
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
        """Many rows, in requests of `batch_size` rows (the server's limit when None), `in_flight` of them at once.

        The order of rows is kept. `progress` True shows a bar, None shows one in notebooks; a function is called with
        the rows done and the rows in all. `timeout` is for each request. Raises what `predict` does; the rows that an
        error is about are in its notes.
        """
        if in_flight < 1:
            raise InvalidInput(f"in_flight={in_flight} is none: give 1 or more.")
        endpoint = opening.endpoint(self._session, model, revision)
        batch = self._done(planned(self._session, endpoint, values, batch_size, timeout))
        with told(progress, batch.rows, model) as count, ThreadPoolExecutor(in_flight) as threads:
            under_way = [threads.submit(self._part, batch, at, timeout) for at in range(len(batch.calls))]
            try:
                return joined(
                    batch, [_counted(future, batch.calls[at][0], count) for at, future in enumerate(under_way)]
                )
            finally:
                for future in under_way:
                    future.cancel()

    def explain(
        self, model: str, values: Any, *, timeout: float | None = None, revision: str = ""
    ) -> Mapping[str, Any]:
        """What the model's explainer answers, as JSON; raises NotOffered where none answers."""
        endpoint = opening.endpoint(self._session, model, revision)
        return self._done(steps.explained(self._session, endpoint, values, timeout))

    def feedback(
        self,
        model: str,
        request_id: str = "",
        label: Any = None,
        *,
        row: int = 0,
        items: Sequence[Mapping[str, Any]] = (),
        timeout: float | None = None,
    ) -> int:
        """What was right, for an answer to a recorded request; how many labels were taken.

        `request_id` is that of the answer (`infer` tells it), `label` a class or a number, `row` which row of the
        request. `items` are many at once, up to 10,000: dicts with request_id, label (or labels, by output), row, time.
        All are taken or none; the same again changes nothing. Raises InvalidInput for what is no label, Refused where
        `spec.monitoring.feedback` takes none.
        """
        single = [{"request_id": request_id, "label": label, "row": row}] if request_id else []
        return self._done(steps.labelled(self._session, model, [*single, *items], timeout))

    def describe(self, model: str, *, timeout: float | None = None, revision: str = "") -> Description:
        """Names, datatypes and shapes of what the model takes and gives; asked once and remembered."""
        endpoint = opening.endpoint(self._session, model, revision)
        return self._done(steps.described(self._session, endpoint, timeout))

    def wait_ready(self, model: str, *, timeout: float = 300.0, revision: str = "") -> None:
        """Returns when the model is ready. Raises DeadlineExceeded, with the last reason why not, after `timeout` s."""
        endpoint = opening.endpoint(self._session, model, revision)
        self._done(steps.until_ready(self._session, endpoint, timeout))

    def models(self) -> list[ServedModel]:
        """The Models of the client's namespace (extra `cli`); of a client of one server, what that server lists."""
        if self._session.address.namespace:
            return cluster_models(self._session.address.namespace)
        return listed(self._done(steps.index(self._session)))

    def rollout(self, model: str) -> RolloutSummary:
        """Where the Model's rollout stands, as the cluster says (extra `cli`). Raises InvalidModel without a Model."""
        return cluster_rollout(opening.cluster_namespace(self._session), model)

    def close(self) -> None:
        """Closes the connections."""
        self._connection.close()
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._session.address.url}>"

    def _done(self, todo: steps.Steps[steps.Result]) -> steps.Result:
        return steps.carried_out(todo, self._connection)

    def _part(self, batch: Batch, at: int, timeout: float | None) -> InferenceAnswer:
        return self._done(part_answered(self._session, *batch.calls[at], timeout))


def _counted(future: Future[InferenceAnswer], part: range, count: Any) -> InferenceAnswer:
    answer = future.result()
    count(len(part))
    return answer

"""A pod of a revision, as a holder meets it: an HTTP server, a gRPC server, and the EndpointSlices that tell of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from aiohttp import web
from grpc import aio

from modelyard.core.names import REVISION_LABEL, SLICE_MANAGER_LABEL
from modelyard.holder.endpoint_slices import EndpointSlices

NAMESPACE, REVISION = "demo", "digits-0123456789"
BACKEND = f"{NAMESPACE}/{REVISION}"


def endpoint_slice(
    manager: str, ports: dict[str, int], ready: bool = True, address: str = "127.0.0.1", **metadata: Any
) -> dict[str, Any]:
    """One EndpointSlice of the revision's Service."""
    labels = {
        REVISION_LABEL: REVISION,
        "kubernetes.io/service-name": f"{REVISION}-predictor",
        SLICE_MANAGER_LABEL: manager,
    }
    return {
        "metadata": {
            "namespace": NAMESPACE,
            "name": f"{REVISION}-{manager}",
            "uid": manager,
            "labels": labels,
            **metadata,
        },
        "ports": [{"name": name, "port": port} for name, port in ports.items()],
        "endpoints": [{"addresses": [address], "conditions": {"ready": ready}}],
    }


class HeldPod:
    """Echoes what it is asked, over HTTP and gRPC, and keeps what it saw."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.ports: dict[str, int] = {}
        self.cancelled = asyncio.Event()
        self.stay = asyncio.Event()

    async def start(self) -> "HeldPod":
        """Listens on free ports."""
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{path:.*}", self._http)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._grpc = aio.server(handlers=[_Echo(self)])
        self.ports = {"http": self._runner.addresses[0][1], "grpc": self._grpc.add_insecure_port("127.0.0.1:0")}
        await self._grpc.start()
        return self

    async def stop(self) -> None:
        """Ends at once."""
        await asyncio.gather(self._runner.cleanup(), self._grpc.stop(0.0))

    def of(self, slices: EndpointSlices, ready: bool = True) -> None:
        """Tells the slices of this pod."""
        slices.take_in("MODIFIED", endpoint_slice("endpointslice-controller.k8s.io", self.ports, ready))

    async def _http(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.seen.append((f"{request.method} {request.raw_path}", dict(request.headers), body))
        if request.path == "/breaks":
            assert request.transport is not None
            request.transport.close()
        if request.path == "/breaks-late":
            answer = web.StreamResponse(headers={"Content-Length": "100"})
            await answer.prepare(request)
            await answer.write(b"begun")
            assert request.transport is not None
            request.transport.close()
            return answer
        return web.Response(
            status=int(request.query.get("status", "200")), body=b"<" + body + b">", headers={"x-own": "1"}
        )


class _Echo(grpc.GenericRpcHandler):
    def __init__(self, pod: HeldPod) -> None:
        self._pod = pod

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        pod, method = self._pod, handler_call_details.method

        async def echo(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            metadata = {name: str(value) for name, value in context.invocation_metadata()}
            async for message in requests:
                pod.seen.append((method, metadata, message))
                if message == b"stay":
                    try:
                        await pod.stay.wait()
                    except asyncio.CancelledError:
                        pod.cancelled.set()
                        raise
                if message == b"fail":
                    await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "not like this", (("x-why", "because"),))
                yield b"<" + message + b">"
            context.set_trailing_metadata((("x-trailer", "1"),))

        return grpc.stream_stream_rpc_method_handler(echo)

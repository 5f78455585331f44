"""Requests for a revision at zero wait for its first pod and get its answer, over HTTP and gRPC."""

import asyncio
import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import aiohttp
import grpc
import pytest
from grpc import aio

from modelyard.core.names import BACKEND_HEADER
from modelyard.holder import waiting_room
from modelyard.holder.endpoint_slices import EndpointSlices, Held
from modelyard.holder.waiting_room import Limits, NoRoom, WaitingRoom
from tests.support.servers.held_revision import BACKEND, HeldPod

Tell = Callable[..., None]


def test_a_request_waits_for_the_first_pod_and_arrives_as_it_was_sent(tell: Tell) -> None:
    async def story(holder: Any) -> None:
        holder.name()
        waiting = asyncio.create_task(
            holder.post("/v2/a%2Fb?x=1&x=2", b"\x00body", **{"Content-Encoding": "odd", "X-Mine": "1"})
        )
        await holder.until_waiting(1)
        pod = await holder.pod()
        status, headers, body = await waiting
        assert (status, headers["x-own"], body) == (200, "1", b"<\x00body>")
        [(line, seen, got)] = pod.seen
        assert (line, got) == ("POST /v2/a%2Fb?x=1&x=2", b"\x00body")
        assert (seen["X-Mine"], seen["Content-Encoding"], seen[BACKEND_HEADER]) == ("1", "odd", BACKEND)
        await pod.stop()

    tell(story)


def test_a_call_waits_too_and_brings_back_messages_status_and_trailers(tell: Tell) -> None:
    async def story(holder: Any) -> None:
        holder.name()
        waiting = asyncio.create_task(holder.call(b"a", b"b"))
        await holder.until_waiting(1)
        pod = await holder.pod()
        answers, call = await waiting
        assert answers == [b"<a>", b"<b>"]
        assert dict(await call.trailing_metadata())["x-trailer"] == "1"
        assert pod.seen[0][0] == "/inference.GRPCInferenceService/ModelInfer"
        assert pod.seen[0][1]["x-mine"] == "2"
        with pytest.raises(aio.AioRpcError) as failed:
            await holder.call(b"fail")
        assert (failed.value.code(), failed.value.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "not like this")
        assert dict(failed.value.trailing_metadata())["x-why"] == "because"
        await pod.stop()

    tell(story)


def test_many_wait_and_none_is_lost(tell: Tell) -> None:
    async def story(holder: Any) -> None:
        holder.name()
        http = [asyncio.create_task(holder.post(body=str(one).encode())) for one in range(50)]
        calls = [asyncio.create_task(holder.call(str(one).encode())) for one in range(50)]
        await holder.until_waiting(100)
        pod = await holder.pod()
        assert [body for _, _, body in await asyncio.gather(*http)] == [f"<{one}>".encode() for one in range(50)]
        assert [found for found, _ in await asyncio.gather(*calls)] == [[f"<{one}>".encode()] for one in range(50)]
        assert holder.holder.room.waiting()["waiting"] == {}
        _, metrics = await holder.status("/metrics")
        assert 'modelyard_holder_forwarded_total{protocol="http"} 50.0' in metrics
        assert 'modelyard_holder_forwarded_total{protocol="grpc"} 50.0' in metrics
        await pod.stop()

    tell(story)


@pytest.mark.parametrize("status", [200, 400, 503])
def test_what_a_pod_answers_is_passed_on_whatever_it_is(tell: Tell, status: int) -> None:
    async def story(holder: Any) -> None:
        holder.name()
        pod = await holder.pod()
        found, _, body = await holder.post(f"/v2/infer?status={status}")
        assert (found, body, len(pod.seen)) == (status, b"<x>", 1)
        await pod.stop()

    tell(story)


def test_a_pod_that_takes_no_connection_has_begun_nothing_so_the_request_waits_on(tell: Tell) -> None:
    async def story(holder: Any) -> None:
        holder.name()
        gone = await holder.pod()
        await gone.stop()  # and its slice still says that it is ready
        both = asyncio.gather(holder.post(), holder.call(b"y"))
        while b'not_reached_total{protocol="http"} 0.0' in (await holder.status("/metrics"))[1].encode():
            await asyncio.sleep(0.005)
        pod = await holder.pod()
        (status, _, body), (answers, _) = await both
        assert (status, body, answers) == (200, b"<x>", [b"<y>"])
        await pod.stop()

    tell(story)


def test_an_answer_that_breaks_off_is_not_asked_for_again(tell: Tell) -> None:
    async def story(holder: Any) -> None:
        holder.name()
        pod = await holder.pod()
        status, _, body = await holder.post("/breaks")
        assert status == 502
        assert "broke off before it answered" in json.loads(body)["error"]
        with pytest.raises(aiohttp.ClientError):
            await holder.post("/breaks-late")
        assert len(pod.seen) == 2
        await pod.stop()

    tell(story)


def test_a_client_that_goes_away_frees_its_place_and_ends_its_call(tell: Tell) -> None:
    async def story(holder: Any) -> None:
        holder.name()
        http, call = asyncio.create_task(holder.post()), asyncio.create_task(holder.call(b"z"))
        await holder.until_waiting(2)
        http.cancel()
        call.cancel()
        await holder.until_waiting(0)
        pod = await holder.pod()
        assert pod.seen == []
        staying = asyncio.create_task(holder.call(b"stay"))
        while not pod.seen:
            await asyncio.sleep(0.005)
        staying.cancel()
        await pod.cancelled.wait()
        await pod.stop()

    tell(story)


def test_no_longer_than_the_longest_wait(tell: Tell) -> None:
    async def story(holder: Any) -> None:
        holder.name()
        status, headers, body = await holder.post()
        assert (status, headers["Retry-After"]) == (503, "10")
        assert "no pod of demo/digits-0123456789 became ready within 0.2 s" in json.loads(body)["error"]
        with pytest.raises(aio.AioRpcError) as failed:
            await holder.call(b"x")
        assert failed.value.code() == grpc.StatusCode.UNAVAILABLE
        assert dict(failed.value.trailing_metadata())["retry-after"] == "10"

    tell(story, Limits(seconds=0.2))


def test_no_more_requests_and_no_more_bytes_than_may_wait(tell: Tell) -> None:
    async def story(holder: Any) -> None:
        holder.name()
        waiting = [asyncio.create_task(holder.post(body=b"12345")) for _ in range(2)]
        await holder.until_waiting(2)
        status, headers, body = await holder.post(body=b"1")
        assert (status, headers["Retry-After"]) == (503, "5")
        assert "2 requests wait for demo/digits-0123456789 already" in json.loads(body)["error"]
        waiting.pop().cancel()
        await holder.until_waiting(1)
        assert (
            "5 bytes wait for demo/digits-0123456789 already; 10 may" in (await holder.post(body=b"123456"))[2].decode()
        )
        assert "a body of more than 10 bytes" in (await holder.post(body=b"x" * 11))[2].decode()
        pod = await holder.pod()
        assert (await waiting[0])[0] == 200
        await pod.stop()

    tell(story, Limits(requests=2, bytes=10))


def test_bodies_that_are_still_being_read_take_room_too(tell: Tell) -> None:
    async def story(holder: Any) -> None:
        holder.name()
        head = f"POST /v2/infer HTTP/1.1\r\nHost: x\r\n{BACKEND_HEADER}: {BACKEND}\r\nContent-Length: 8\r\n\r\n"
        answers: dict[asyncio.Task[bytes], asyncio.StreamWriter] = {}
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", holder.holder.ports.http)
            writer.write(head.encode() + b"123456")
            answers[asyncio.create_task(reader.readuntil(b"}"))] = writer
        refused, rest = await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        assert b"6 bytes wait for demo/digits-0123456789 already; 10 may" in await refused.pop()
        answers[next(iter(rest))].write(b"78")
        await holder.until_waiting(1)
        assert holder.holder.room.waiting()["waiting"][BACKEND]["bytes"] == 8
        for answer, writer in answers.items():
            answer.cancel()
            writer.close()
        await holder.until_waiting(0)

    tell(story, Limits(bytes=10))


def test_all_revisions_together_have_as_much_room_as_four_of_them() -> None:
    async def story() -> None:
        room = WaitingRoom(EndpointSlices(lambda _: None), Limits(bytes=10))
        with ExitStack() as bodies:
            more = [bodies.enter_context(room.reading(Held("demo", name))) for name in "abcde"]
            for given in more[:4]:
                given(10)
            with pytest.raises(NoRoom, match="40 bytes wait for all revisions already; 40 may"):
                more[4](1)
        with room.reading(Held("demo", "e")) as given:
            given(10)

    asyncio.run(story())


@pytest.mark.parametrize("backend", ["demo/other-0123456789", "other/digits-0123456789"])
def test_nobody_is_served_whom_the_operator_has_not_named(tell: Tell, backend: str) -> None:
    async def story(holder: Any) -> None:
        holder.name()
        pod = await holder.pod()
        status, _, body = await holder.post(backend=backend)
        assert status == 503
        assert f"revision {backend} is not held here" in json.loads(body)["error"]
        with pytest.raises(aio.AioRpcError, match="is not held here"):
            await holder.call(b"x", backend=backend)
        assert pod.seen == []
        await pod.stop()

    tell(story, Limits(naming=0.1))


def test_a_request_that_comes_before_the_name_waits_for_it(tell: Tell) -> None:
    async def story(holder: Any) -> None:
        both = asyncio.gather(holder.post(), holder.call(b"y"))
        await asyncio.sleep(0.2)
        assert not both.done()
        assert holder.holder.room.waiting()["waiting"] == {}, "nobody is woken for a name that nobody gave"
        holder.name()
        pod = await holder.pod()
        (status, _, body), (answers, _) = await both
        assert (status, body, answers) == (200, b"<x>", [b"<y>"])
        await pod.stop()

    tell(story)


def test_only_so_many_requests_wait_for_a_name(tell: Tell) -> None:
    async def story(holder: Any) -> None:
        first = asyncio.create_task(holder.post())
        await asyncio.sleep(0.2)
        status, _, body = await holder.post()
        assert (status, "is not held here" in json.loads(body)["error"]) == (503, True)
        assert not first.done()
        holder.name()
        pod = await holder.pod()
        assert (await first)[0] == 200
        await pod.stop()

    tell(story, Limits(requests=1, naming=60.0))


def test_a_request_that_comes_after_the_name_was_taken_back_is_still_served(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(holder: Any) -> None:
        holder.name()
        pod = await holder.pod()
        await holder.post()
        holder.unname()
        assert [(await holder.post())[0] for _ in range(3)] == [200] * 3
        assert (await holder.call(b"y"))[0] == [b"<y>"]
        monkeypatch.setattr(waiting_room, "LINGER", 0.0)
        holder.name()
        await holder.post()
        holder.unname()
        await asyncio.sleep(0.05)
        assert (await holder.post())[0] == 503, "and some time later it is not"
        await pod.stop()

    tell(story, Limits(naming=0.1))


@pytest.mark.parametrize("backend", ["", "demo", "/", "a/", "/b", "a/b/c"])
def test_a_request_that_names_no_revision_is_a_mistake(tell: Tell, backend: str) -> None:
    async def story(holder: Any) -> None:
        status, _, body = await holder.post(backend=backend)
        assert (status, "x-modelyard-backend" in json.loads(body)["error"]) == (400, True)
        with pytest.raises(aio.AioRpcError) as failed:
            await holder.call(b"x", backend=backend)
        assert failed.value.code() == grpc.StatusCode.INVALID_ARGUMENT

    tell(story)


def test_a_pod_whose_slice_says_it_is_not_ready_gets_nothing(tell: Tell) -> None:
    async def story(holder: Any) -> None:
        holder.name()
        pod = await HeldPod().start()
        pod.of(holder.slices, ready=False)
        waiting = asyncio.create_task(holder.post())
        await holder.until_waiting(1)
        assert pod.seen == []
        pod.of(holder.slices)
        assert (await waiting)[0] == 200
        await pod.stop()

    tell(story)

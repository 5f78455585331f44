"""What waits is told to whoever wakes, at once; and a holder that is told to stop loses nothing."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from modelyard.holder.waiting_room import Limits

Tell = Callable[..., None]


def test_who_asks_what_waits_is_answered_when_it_changes(tell: Tell) -> None:
    async def story(holder: Any) -> None:
        holder.name()
        first = json.loads((await holder.status("/waiting"))[1])
        assert first == {"version": 0, "waiting": {}}
        asked = asyncio.create_task(holder.status("/waiting?after=0&seconds=25"))
        await asyncio.sleep(0.05)
        assert not asked.done()
        waiting = asyncio.create_task(holder.post(body=b"abc"))
        found = json.loads((await asked)[1])
        [(name, line)] = found["waiting"].items()
        assert (found["version"], name, line["requests"], line["bytes"]) == (1, "demo/digits-0123456789", 1, 3)
        assert json.loads((await holder.status("/waiting?after=0&seconds=25"))[1])["version"] == 1, (
            "missed is told at once"
        )
        _, metrics = await holder.status("/metrics")
        assert 'modelyard_holder_waiting{namespace="demo",revision="digits-0123456789"} 1.0' in metrics
        pod = await holder.pod()
        await waiting
        assert json.loads((await holder.status("/waiting?after=1&seconds=25"))[1]) == {"version": 2, "waiting": {}}
        assert json.loads((await holder.status("/waiting?after=2&seconds=0.05"))[1])["version"] == 2
        await pod.stop()

    tell(story)


@pytest.mark.parametrize("query", ["after=x", "seconds=soon", "after=1.5"])
def test_a_wrong_question_is_told_so(tell: Tell, query: str) -> None:
    async def story(holder: Any) -> None:
        status, said = await holder.status(f"/waiting?{query}")
        assert (status, "after is a version" in said) == (400, True)

    tell(story)


def test_it_is_ready_once_it_knows_the_slices_and_until_it_is_told_to_stop(tell: Tell) -> None:
    trouble = ["not listed yet"]

    async def story(holder: Any) -> None:
        assert await holder.status("/readyz") == (503, "not listed yet\n")
        assert await holder.status("/healthz") == (200, "ok\n")
        trouble[0] = ""
        assert await holder.status("/readyz") == (200, "ok\n")
        finishing = asyncio.create_task(holder.holder.finish(0.2))
        await asyncio.sleep(0.05)
        assert await holder.status("/readyz") == (503, "leaving\n")
        finishing.cancel()

    tell(story, trouble=lambda: trouble[0])


def test_told_to_stop_it_answers_what_waits_first(tell: Tell) -> None:
    async def story(holder: Any) -> None:
        holder.name()
        http, call = asyncio.create_task(holder.post()), asyncio.create_task(holder.call(b"y"))
        await holder.until_waiting(2)
        finishing = asyncio.create_task(holder.holder.finish(0.0))
        await asyncio.sleep(0.2)
        assert not finishing.done()
        pod = await holder.pod()
        assert (await http)[0] == 200
        assert (await call)[0] == [b"<y>"]
        await finishing
        await pod.stop()

    tell(story, Limits(seconds=20.0))

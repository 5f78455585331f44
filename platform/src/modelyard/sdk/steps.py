"""What the methods of a client do, as generators: they yield what is to be asked or waited for and get the answers.

Both clients carry them out, one with `carried_out`, the other with `carried_out_async`. Nothing here opens a connection
or sleeps, so every path can be tested without a server.

A request is asked again only when nobody has begun it (`failures.Unbegun`), after a pause that doubles, and never
beyond the call's time, of which every try gets what the ones before it have left.
"""

import json
import random
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from modelyard.clients.inference.predictions import Description, Endpoint
from modelyard.errors import DeadlineExceeded, InvalidInput, InvalidSettings, ModelyardError, OutsideError

from .address import ServerAddress
from .values import Given, given
from .wire.calls import Call, CallKind, ClientOptions, InferenceAnswer
from .wire.failures import Unbegun, too_late

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_FIELDS = {"request_id": "requestId"}
Result = TypeVar("Result")


class Ask(NamedTuple):
    """Ask this, within so many seconds."""

    call: Call
    seconds: float


class Pause(NamedTuple):
    """Wait so many seconds."""

    seconds: float


Steps = Generator[Ask | Pause, Any, Result]


class Asked(Protocol):
    """A blocking connection."""

    def ask(self, call: Call, seconds: float) -> Any:
        """The answer's value within `seconds`; raises ModelyardError."""
        ...


class AskedAsync(Protocol):
    """A connection that is awaited."""

    def ask(self, call: Call, seconds: float) -> Awaitable[Any]:
        """The same."""
        ...


@dataclass
class Session:
    """What a client knows: where to ask and how, and what models said of themselves."""

    address: ServerAddress
    options: ClientOptions
    clock: Callable[[], float] = time.monotonic
    descriptions: dict[Endpoint, Description] = field(default_factory=dict)


def carried_out(steps: Steps[Result], connection: Asked, sleep: Callable[[float], None] = time.sleep) -> Result:
    """What the steps return, done one after the other."""
    advance: Callable[[], Ask | Pause] = lambda: next(steps)  # noqa: E731 - the first of what `advance` becomes
    while True:
        try:
            step = advance()
        except StopIteration as done:
            return done.value
        try:
            value = connection.ask(*step) if isinstance(step, Ask) else sleep(step.seconds)
        except ModelyardError as bad:
            advance = _throwing(steps, bad)
        else:
            advance = _sending(steps, value)


async def carried_out_async(
    steps: Steps[Result], connection: AskedAsync, sleep: Callable[[float], Awaitable[None]]
) -> Result:
    """The same, awaited."""
    advance: Callable[[], Ask | Pause] = lambda: next(steps)  # noqa: E731 - the first of what `advance` becomes
    while True:
        try:
            step = advance()
        except StopIteration as done:
            return done.value
        try:
            value = await (connection.ask(*step) if isinstance(step, Ask) else sleep(step.seconds))
        except ModelyardError as bad:
            advance = _throwing(steps, bad)
        else:
            advance = _sending(steps, value)


def _sending(steps: Steps[Any], value: Any) -> Callable[[], Ask | Pause]:
    return lambda: steps.send(value)


def _throwing(steps: Steps[Any], bad: ModelyardError) -> Callable[[], Ask | Pause]:
    return lambda: steps.throw(bad)


def answered(session: Session, call: Call, timeout: float | None = None) -> Steps[Any]:
    """The answer to a call, asked again as the module says. Raises what `failures.py` names."""
    seconds = session.options.timeout if timeout is None else timeout
    if seconds <= 0:
        raise InvalidInput(f"timeout={seconds:g} leaves no time to answer: give a number of seconds above 0.")
    end, tries = session.clock() + seconds, 0
    while True:
        left = max(end - session.clock(), 0.001)
        try:
            return (yield Ask(call, left))
        except Unbegun as bad:
            pause = max(bad.pause, _backoff(tries))
            tries += 1
            if tries > session.options.retries or session.clock() + pause >= end:
                raise
        yield Pause(pause)


def _budget(session: Session, endpoint: Endpoint, timeout: float | None) -> Callable[[], float]:
    """What the questions of one call have left of its time, in seconds; raises DeadlineExceeded once it is over."""
    seconds = session.options.timeout if timeout is None else timeout
    end = session.clock() + seconds

    def left() -> float:
        rest = end - session.clock()
        if rest <= 0 < seconds:
            raise too_late(endpoint, seconds)
        return rest

    return left


def _backoff(tries: int) -> float:
    spread = 0.5 + random.random()  # noqa: S311 - spreads load, guards nothing
    return min(_FIRST_PAUSE * 2.0**tries * spread, _LONGEST_PAUSE)


def described(session: Session, endpoint: Endpoint, timeout: float | None = None) -> Steps[Description]:
    """What the model takes and gives; asked once."""
    known = session.descriptions.get(endpoint)
    if known is None:
        known = yield from answered(session, Call(CallKind.METADATA, endpoint), timeout)
        session.descriptions[endpoint] = known
    return known


def inferred(
    session: Session, endpoint: Endpoint, values: Any, timeout: float | None, request_id: str
) -> Steps[tuple[Given, InferenceAnswer]]:
    """The values as they were understood, and the answer.

    A model may have changed since it was described: values that it or the description refuses are held against a new
    description once, and asked again when that one differs.
    """
    checked_id(request_id)
    left, known = _budget(session, endpoint, timeout), endpoint in session.descriptions
    description = yield from described(session, endpoint, left())
    try:
        return (yield from _inferred(session, endpoint, values, description, left(), request_id))
    except InvalidInput:
        if not known:
            raise
        del session.descriptions[endpoint]
        fresh = yield from described(session, endpoint, left())
        if fresh == description:
            raise
    return (yield from _inferred(session, endpoint, values, fresh, left(), request_id))


def _inferred(
    session: Session,
    endpoint: Endpoint,
    values: Any,
    description: Description,
    timeout: float,
    request_id: str,
) -> Steps[tuple[Given, InferenceAnswer]]:
    understood = given(values, description)
    answer = yield from answered(session, Call(CallKind.INFER, endpoint, understood.arrays, request_id), timeout)
    return understood, answer


def predicted(session: Session, endpoint: Endpoint, values: Any, timeout: float | None, request_id: str) -> Steps[Any]:
    """The outputs in the kind the values came in."""
    understood, answer = yield from inferred(session, endpoint, values, timeout, request_id)
    return understood.written(answer.outputs)


def raw_answer(
    session: Session, endpoint: Endpoint, values: Any, timeout: float | None, request_id: str
) -> Steps[InferenceAnswer]:
    """The answer itself."""
    _, answer = yield from inferred(session, endpoint, values, timeout, request_id)
    return answer


def explained(session: Session, endpoint: Endpoint, values: Any, timeout: float | None) -> Steps[Any]:
    """What an explainer says of the values. Raises NotOffered where none answers."""
    left = _budget(session, endpoint, timeout)
    description = yield from described(session, endpoint, left())
    arrays = given(values, description).arrays
    return (yield from answered(session, Call(CallKind.EXPLAIN, endpoint, arrays), left()))


def labelled(session: Session, model: str, items: Sequence[Mapping[str, Any]], timeout: float | None) -> Steps[int]:
    """How many labels the platform has taken: all of them. Raises InvalidInput for labels that it does not take."""
    address = session.address
    if not address.namespace:
        raise InvalidSettings("labels go to the gateway, by namespace: make the client with namespace=.")
    if not items:
        raise InvalidInput("there are no labels: give request_id= and label=, or items=.")
    given_items = [{_FIELDS.get(name, name): value for name, value in item.items()} for item in items]
    try:
        body = json.dumps(given_items, allow_nan=False, default=_plain).encode()
    except (TypeError, ValueError) as bad:
        raise InvalidInput(f"a label is a number, true, false or a text, and a time one of seconds: {bad}.") from bad
    endpoint = Endpoint(f"{address.url}/{address.namespace}/{model}", model)
    return (yield from answered(session, Call(CallKind.FEEDBACK, endpoint, body=body), timeout))


def _plain(value: Any) -> Any:
    """numpy's scalars as Python's, which JSON can write; raises TypeError for everything else."""
    if hasattr(value, "item"):
        return value.item()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is none")


def until_ready(session: Session, endpoint: Endpoint, timeout: float) -> Steps[None]:
    """Returns once the model answers that it is ready. Raises DeadlineExceeded with the last reason why not."""
    end, pause = session.clock() + timeout, _FIRST_PAUSE
    while True:
        left = end - session.clock()
        try:
            why = yield Ask(Call(CallKind.READY, endpoint), min(max(left, 0.001), session.options.timeout))
        except OutsideError as bad:
            why = str(bad)
        if not why:
            return
        left = end - session.clock()
        if left <= 0:
            raise DeadlineExceeded(f"{endpoint.model} is not ready after {timeout:g} s: {why}")
        yield Pause(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)


def largest_batch(session: Session, endpoint: Endpoint, timeout: float | None) -> Steps[int]:
    """How many rows the server takes at once; 0 where it does not say, which is no error."""
    try:
        return (yield from answered(session, Call(CallKind.CONFIG, endpoint), timeout))
    except ModelyardError:
        return 0


def checked_id(request_id: str) -> None:
    """Raises InvalidInput for an id that no header can carry."""
    if len(request_id) > 256 or not all(" " < sign <= "~" for sign in request_id):
        raise InvalidInput(f"request_id {request_id[:40]!r} is none: at most 256 printable ASCII signs, no spaces.")


def index(session: Session) -> Steps[list[Mapping[str, Any]]]:
    """Rows of the server's model index."""
    return (yield from answered(session, Call(CallKind.INDEX, Endpoint(session.address.url, "*"))))

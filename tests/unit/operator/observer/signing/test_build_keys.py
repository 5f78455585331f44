"""The builder's keys: made when there are none, read again and again, the private one never kept."""

import base64
from typing import Any

import pytest

from modelyard.core.snapshot import Failure, Object, Ref, StartCheck
from modelyard.errors import InvalidKey, Unreachable
from modelyard.operator.cache.guarded_writes import NotLeading
from modelyard.operator.observer.signing.build_keys import PRIVATE, BuildKeyWatch, build_secret, public_texts
from modelyard.settings import OperatorSettings, Settings
from modelyard.signing.keys import SigningKey

SECRET = Ref("Secret", "platform", "modelyard-build-key")


class PlatformNamespace:
    """An API server with that one Secret or none, which may be away, and a replica that may not lead."""

    def __init__(self) -> None:
        self.secret: dict[str, Any] | None = None
        self.away, self.leading, self.woken = False, True, 0
        settings = Settings.model_construct(operator=OperatorSettings(namespace="platform"))
        self.watch = BuildKeyWatch(self, self.create, settings, self.wake)

    def get(self, ref: Ref) -> dict[str, Any] | None:
        assert ref == SECRET
        if self.away:
            raise Unreachable("the API server did not answer.")
        return self.secret

    def create(self, thing: Object) -> None:
        if not self.leading:
            raise NotLeading
        self.secret = dict(thing)

    def wake(self) -> None:
        self.woken += 1

    def keys(self) -> tuple[str, ...]:
        self.watch.read()
        known = self.watch.start_check()
        assert isinstance(known, StartCheck)
        return known.keys

    def failure(self) -> Failure:
        self.watch.read()
        known = self.watch.start_check()
        assert isinstance(known, Failure)
        return known


def test_a_key_pair_is_made_once_by_the_leader() -> None:
    platform = PlatformNamespace()
    first = platform.watch.start_check()
    assert isinstance(first, Failure)
    assert first.pending

    platform.leading = False
    platform.watch.read()
    assert platform.secret is None
    platform.leading = True
    keys = platform.keys()

    assert platform.secret is not None
    assert sorted(name.rpartition(".")[2] for name in platform.secret["data"]) == ["pem", "pub"]
    assert platform.keys() == keys
    assert platform.woken == 1
    program = platform.watch.start_check()
    assert isinstance(program, StartCheck)
    assert "MODELYARD_BUILD_KEYS" in program.program


def test_nothing_that_is_known_holds_the_private_key() -> None:
    platform = PlatformNamespace()
    platform.keys()

    assert platform.secret is not None
    secret = base64.b64decode(platform.secret["data"][PRIVATE]).decode().splitlines()[1]
    assert secret not in repr(platform.watch.start_check())
    assert secret not in repr(vars(platform.watch) | {"_cluster": None, "_create": None, "_changed": None})


def test_a_second_key_is_trusted_beside_the_first_and_wakes_the_models() -> None:
    platform = PlatformNamespace()
    (first,) = platform.keys()
    second = SigningKey.new().public
    assert platform.secret is not None
    platform.secret["data"]["second.pub"] = base64.b64encode(second.pem.encode()).decode()

    assert set(platform.keys()) == {first, second.text}
    assert platform.woken == 2


def test_what_was_known_stays_while_the_api_server_is_away() -> None:
    platform = PlatformNamespace()
    platform.away = True
    assert platform.failure().reason == "Unreachable"
    platform.away = False
    keys = platform.keys()

    platform.away = True
    assert platform.keys() == keys


@pytest.mark.parametrize("data", [None, {}, {"private.pem": ""}, {"a.pub": "%"}, {"a.pub": "aGVsbG8="}])
def test_a_secret_without_public_keys_says_so(data: Any) -> None:
    platform = PlatformNamespace()
    platform.secret = {"kind": "Secret", "data": data}

    failure = platform.failure()

    assert (failure.reason, failure.retry) == ("InvalidKey", True)
    assert "Secret platform/modelyard-build-key" in failure.message


def test_the_fields_that_hold_keys_are_those_that_are_named_or_end_in_pub() -> None:
    key = SigningKey.new()
    secret = build_secret(SECRET, key)
    texts = {"kind": "ConfigMap", "data": {"b.pub": "B", "a.pub": "A", "notes": "N"}}

    assert public_texts(secret, "it") == [key.public.pem]
    assert public_texts(texts, "it") == ["A", "B"]
    assert public_texts(texts, "it", "notes") == ["N"]
    with pytest.raises(InvalidKey, match=r"it has no c\.pub"):
        public_texts(texts, "it", "c.pub")

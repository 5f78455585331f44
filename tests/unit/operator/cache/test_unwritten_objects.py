"""What is remembered of objects that were not written: whose name it is, or that the API server does not take them."""

from modelyard.core.ownership import NAME_TAKEN, OBJECT_REFUSED, object_refused
from modelyard.core.snapshot import Failure, Ref
from modelyard.operator.cache.objects import Key
from modelyard.operator.cache.ownership import ForeignObjects

KEY, SECRET = Key("demo", "digits"), Ref("Secret", "demo", "digits--store")
REFUSED = object_refused("write", SECRET, "exceeded quota: team")
TAKEN = Failure(NAME_TAKEN, "Secret demo/digits--store belongs to somebody else.")


def test_a_refusal_is_counted_and_stands_until_the_object_is_written() -> None:
    foreign = ForeignObjects()
    foreign.refuse(KEY, SECRET, REFUSED, 0)
    foreign.keep(KEY, SECRET, None, 5)
    foreign.refuse(KEY, SECRET, REFUSED, 10)

    known = foreign.of(KEY, 11)[SECRET]
    assert (known.refusal.reason, known.seen, known.times) == (OBJECT_REFUSED, 10, 2)
    foreign.written(KEY, SECRET)
    assert foreign.of(KEY, 12) == {}


def test_a_name_that_turns_out_to_be_somebody_elses_is_that() -> None:
    foreign = ForeignObjects()
    foreign.refuse(KEY, SECRET, REFUSED, 0)
    foreign.keep(KEY, SECRET, TAKEN, 10)
    assert foreign.of(KEY, 11)[SECRET].refusal == TAKEN
    foreign.refuse(KEY, SECRET, REFUSED, 20)
    assert foreign.of(KEY, 21)[SECRET].times == 1
    foreign.keep(KEY, SECRET, TAKEN, 30)
    foreign.keep(KEY, SECRET, None, 31)
    assert foreign.of(KEY, 32) == {}


def test_what_nobody_tries_any_more_is_forgotten() -> None:
    foreign = ForeignObjects()
    foreign.refuse(KEY, SECRET, REFUSED, 0)

    assert SECRET in foreign.of(KEY, 29)
    assert foreign.of(KEY, 30) == {}

"""Which differences of two versions clients would notice: the table of `contract_changes`, and what follows of it."""

from typing import Any, get_args
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.api.entry import Datatype, Tensor
from modelyard.api.lifecycle.contract import CategoryFeature, Contract
from modelyard.core.artifacts.contract_changes import contract_changes


def tensor(name: str, shape: tuple[int, ...] = (-1, 4), datatype: Any = "FP32") -> Tensor:
    return Tensor(name=name, datatype=datatype, shape=shape, description="")


def job(*frequent: str, rare: tuple[str, ...] = ()) -> CategoryFeature:
    return CategoryFeature(name="job", frequent=frequent, seen=frozenset(crc32(n.encode()) for n in (*frequent, *rare)))


def a_contract(**more: Any) -> Contract:
    return Contract(**{"inputs": (tensor("x"),), "outputs": (tensor("y", (-1, 2)),), **more})


SERVING = a_contract(labels=("no", "yes"), categories=(job("clerk", "cook"),))


@pytest.mark.parametrize(
    ("change", "breaks", "message"),
    [
        ({"inputs": ()}, True, "input x is gone"),
        ({"inputs": (tensor("x"), tensor("z"))}, True, "input z is new"),
        ({"inputs": (tensor("x", datatype="FP64"),)}, True, "input x was FP32 and is FP64"),
        ({"inputs": (tensor("x", (-1, -1)),)}, False, "input x had the shape [-1, 4] and has [-1, -1]"),
        ({"inputs": (tensor("x", (1, 4)),)}, True, "input x had the shape [-1, 4] and has [1, 4]"),
        ({"inputs": (tensor("x", (-1, 5)),)}, True, "input x had the shape [-1, 4] and has [-1, 5]"),
        ({"inputs": (tensor("x", (-1, 4, 1)),)}, True, "input x had the shape [-1, 4] and has [-1, 4, 1]"),
        ({"outputs": ()}, True, "output y is gone"),
        ({"outputs": (tensor("y", (-1, 2)), tensor("z"))}, False, "output z is new"),
        ({"outputs": (tensor("y", (-1, 2), "FP16"),)}, True, "output y was FP32 and is FP16"),
        ({"outputs": (tensor("y", (1, 2)),)}, False, "output y had the shape [-1, 2] and has [1, 2]"),
        ({"outputs": (tensor("y", (-1, -1)),)}, True, "output y had the shape [-1, 2] and has [-1, -1]"),
        ({"outputs": (tensor("y", (-1, 3)),)}, True, "output y had the shape [-1, 2] and has [-1, 3]"),
        ({"labels": ("yes", "no")}, True, "the classes were no, yes and are yes, no"),
        ({"labels": ("no", "yes", "maybe")}, True, "the classes were no, yes and are no, yes, maybe"),
        ({"labels": ()}, True, "classes have no names any more; they were no, yes"),
        ({"categories": (job("cook"),)}, True, "input job knows clerk no more"),
        ({"categories": (job("cook", "nurse", rare=("clerk",)),)}, False, "input job has other rare categories"),
    ],
)
def test_the_table(change: dict[str, Any], breaks: bool, message: str) -> None:
    (found,) = contract_changes(SERVING, SERVING.model_copy(update=change))

    assert (found.breaks, found.message) == (breaks, message)


def test_names_where_there_were_none_and_references_on_one_side_break_nothing() -> None:
    plain = a_contract()

    assert [change.breaks for change in contract_changes(plain, SERVING)] == [False]
    assert contract_changes(SERVING, SERVING.model_copy(update={"categories": ()})) == ()


def test_what_breaks_comes_first_and_long_lists_are_cut() -> None:
    many = tuple(f"class {number}" for number in range(9))

    changes = contract_changes(a_contract(labels=many), a_contract(inputs=(tensor("x", (-1, -1)),)))

    assert [change.breaks for change in changes] == [True, False]
    assert changes[0].message.endswith("class 0, class 1, class 2, class 3 and 5 more")


_SHAPES = st.lists(st.sampled_from([-1, 1, 2, 3]), max_size=3).map(tuple)
_TENSORS = st.dictionaries(
    st.sampled_from("abc"), st.tuples(_SHAPES, st.sampled_from(get_args(Datatype)[:2])), max_size=3
).map(lambda named: tuple(tensor(name, shape, kind) for name, (shape, kind) in named.items()))
_LABELS = st.sampled_from([(), ("no", "yes"), ("yes", "no")])
CONTRACTS = st.builds(lambda i, o, n: Contract(inputs=i, outputs=o, labels=n), _TENSORS, _TENSORS, _LABELS)


def breaks(serving: Contract, new: Contract) -> bool:
    return any(change.breaks for change in contract_changes(serving, new))


@settings(max_examples=60, deadline=None)
@given(CONTRACTS)
def test_nothing_differs_from_itself_in_whatever_order(one: Contract) -> None:
    turned = one.model_copy(update={"inputs": one.inputs[::-1], "outputs": one.outputs[::-1]})

    assert contract_changes(one, one) == contract_changes(one, turned) == ()


@settings(max_examples=200, deadline=None)
@given(CONTRACTS, CONTRACTS, CONTRACTS)
def test_what_may_take_a_place_may_take_the_place_before_that(a: Contract, b: Contract, c: Contract) -> None:
    if not breaks(a, b) and not breaks(b, c):
        assert not breaks(a, c)


def accepts(contract: Contract, request: dict[str, tuple[tuple[int, ...], str]]) -> bool:
    """Whether a server takes tensors of these shapes and types: each input once, and no other."""
    known = {tensor.name: tensor for tensor in contract.inputs}
    return known.keys() == request.keys() and all(
        kind == known[name].datatype
        and len(shape) == len(known[name].shape)
        and all(most in (-1, size) for size, most in zip(shape, known[name].shape, strict=True))
        for name, (shape, kind) in request.items()
    )


@settings(max_examples=200, deadline=None)
@given(CONTRACTS, CONTRACTS, st.data())
def test_a_request_that_was_answered_is_answered_by_what_breaks_nothing(
    serving: Contract, new: Contract, data: st.DataObject
) -> None:
    sizes = st.integers(1, 4)
    request = {
        tensor.name: (tuple(data.draw(sizes) if size == -1 else size for size in tensor.shape), tensor.datatype)
        for tensor in serving.inputs
    }

    assert accepts(serving, request)
    if not breaks(serving, new):
        assert accepts(new, request)

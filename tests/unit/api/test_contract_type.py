"""What clients rely on, as read from a build's report and its reference."""

from modelyard.api.entry import Tensor
from modelyard.api.lifecycle.contract import CategoryFeature, Contract, ReportedContract
from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile

AGE = {"name": "age", "datatype": "FP32", "shape": [-1, 1]}
COMMON = {"rows": 4, "missing": 0}
FEATURES = (
    FeatureProfile(
        name="job",
        column="job",
        role="input",
        kind="category",
        categories=("nurse",),
        seen=(7, 9),
        bins=(3, 1),
        **COMMON,
    ),
    FeatureProfile(name="age", column="age", role="input", kind="number", bins=(4,), **COMMON),
    FeatureProfile(
        name="class",
        column="class",
        role="output",
        kind="category",
        categories=("a",),
        seen=(1,),
        bins=(4, 0),
        **COMMON,
    ),
)


def test_a_report_tells_the_contract_whatever_else_is_in_it() -> None:
    report = {"source": {"digest": "sha256:1", "kind": "entry"}, "inputs": [AGE], "outputs": [], "timings": {}}
    contract = ReportedContract.model_validate(report).contract()

    assert contract == Contract(entry="sha256:1", inputs=(Tensor.model_validate(AGE),), outputs=())
    assert ReportedContract.model_validate({"inputs": [], "outputs": []}).contract().entry == ""


def test_categories_of_inputs_come_from_the_reference() -> None:
    contract = Contract(inputs=(), outputs=())
    profile = ReferenceProfile(source="eval.npz of loans:1", rows=4, features=FEATURES)

    assert contract.with_profile(None).categories == ()
    assert contract.with_profile(profile).categories == (
        CategoryFeature(name="job", frequent=("nurse",), seen=frozenset({7, 9})),
    )

"""What the builder says of a build when it signs it."""

from modelyard.signing.build_provenance import PROVENANCE_KIND, BuildSigner
from modelyard.signing.entry_signature import Signer
from modelyard.signing.envelope import opened
from modelyard.signing.keys import SigningKey
from tests.support.signing.signed import BUILD, FILES, a_report

BUILDER, ALICE = SigningKey.new(), SigningKey.new()


def test_the_provenance_names_image_entry_options_and_commit() -> None:
    signer = BuildSigner(BUILDER, "docker.io/modelyard/builder:9", [Signer(ALICE.public, "abc123", "now")])

    made = opened(signer.provenance(a_report(FILES), {"signed": True}), [BUILDER.public], PROVENANCE_KIND, "it")

    assert sorted(made.files) == sorted(FILES)
    said = made.statement["predicate"]
    assert said["runDetails"]["builder"]["id"] == "docker.io/modelyard/builder:9"
    asked = said["buildDefinition"]["externalParameters"]
    assert (asked["build"], asked["entry"], asked["options"]) == (BUILD, "digits:1", {"signed": True})
    (entry,) = said["buildDefinition"]["resolvedDependencies"]
    assert entry["digest"] == {"sha256": "e" * 64}
    assert entry["annotations"] == {"signedBy": [ALICE.public.id], "commits": ["abc123"]}


def test_without_an_image_the_command_is_the_builder() -> None:
    made = opened(BuildSigner(BUILDER).provenance(a_report(FILES), {}), [BUILDER.public], PROVENANCE_KIND, "it")

    assert made.statement["predicate"]["runDetails"]["builder"]["id"] == "modelyard build"

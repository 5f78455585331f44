"""What the builder signs: every file of a build's repository, and how it was made, as SLSA provenance.

    buildDefinition.externalParameters    the entry, the Model's name, the hardware, the options, the build's digest
    buildDefinition.resolvedDependencies  the entry by its digest, with the commit that its signer named
    runDetails.builder                    the image of the builder and its version of Modelyard

The digest of the build is in it because files that the builder has signed once could be put in the place of others: a
pod knows which build it is to serve, and takes no other (`verified_start.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelyard import __version__
from modelyard.api.report import Report
from modelyard.core.names import bare

from .entry_signature import Signer
from .envelope import sealed
from .keys import SigningKey

PROVENANCE_KIND = "https://slsa.dev/provenance/v1"
_BUILD = "https://modelyard.dev/build/v1"


@dataclass(frozen=True)
class BuildSigner:
    """The builder's key, the image it runs from, and who was seen to have signed the entry."""

    key: SigningKey
    image: str = ""
    signers: Sequence[Signer] = ()

    def provenance(self, report: Report, options: Mapping[str, Any]) -> bytes:
        """The signed statement about the build of that report, made with these options."""
        entry, source = report.source.digest, f"{report.source.name}:{report.source.version}"
        commits = dict.fromkeys(signer.commit for signer in self.signers if signer.commit)
        made_of = {
            "name": source,
            "digest": {"sha256": bare(entry)},
            "annotations": {"signedBy": [signer.key.id for signer in self.signers], "commits": list(commits)},
        }
        asked = {
            "build": report.digest,
            "entry": source,
            "model": report.model,
            "target": report.target,
            "options": dict(options),
        }
        predicate = {
            "buildDefinition": {
                "buildType": _BUILD,
                "externalParameters": asked,
                "resolvedDependencies": [made_of],
            },
            "runDetails": {
                "builder": {"id": self.image or "modelyard build", "version": {"modelyard": __version__}},
                "metadata": {"finishedOn": report.created},
            },
        }
        return sealed(PROVENANCE_KIND, {file.path: file.sha256 for file in report.files}, predicate, self.key)

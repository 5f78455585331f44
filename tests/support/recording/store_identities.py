"""A real store with the identities that the chart gives it, as an admin and as one of the platform's processes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelyard.clients.store import S3Store
from tests.support.repository.charts import PLATFORM, objects, one, template
from tests.support.servers.store import running_store


@contextmanager
def stores_of(folder: Path, identity: str) -> Iterator[tuple[S3Store, S3Store]]:
    """The bucket as an admin and as `identity` reach it, of a platform with a recorder."""
    rendered = objects(template(PLATFORM, {"recorder": {"replicas": 1}}))
    known = json.loads(one(rendered, "Secret", "modelyard-store-identities")["stringData"]["s3.json"])
    keys = {who["name"]: who["credentials"][0] for who in known["identities"]}
    with running_store(folder, known) as server:
        admin, process = (
            S3Store(server.settings("modelyard", keys[who]["accessKey"], keys[who]["secretKey"]))
            for who in ("admin", identity)
        )
        admin._client.create_bucket(Bucket="modelyard")
        yield admin, process

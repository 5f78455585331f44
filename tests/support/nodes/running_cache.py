"""A node's cache in a thread of this process, builds to put into its store, and downloads as KServe makes them."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.config import Config

from modelyard.api.report import Report
from modelyard.clients.store import S3Store
from modelyard.core.storage.keys import build_report, build_repository
from modelyard.node_cache.process import NodeCache, NodeCachePorts
from modelyard.settings import StoreSettings
from tests.support.objects.reports import WRITTEN

ROOMY = 1 << 30
_LOCAL = "127.0.0.1"


@dataclass
class RunningCache:
    """A cache, where it listens, its folder and that of its keys."""

    cache: NodeCache
    folder: Path
    keys: Path
    settings: StoreSettings = field(repr=False)

    @property
    def endpoint(self) -> str:
        return f"http://{_LOCAL}:{self.cache.ports.objects}"

    def counts(self) -> dict[str, float]:
        """What it tells Prometheus, by name and labels, without the prefix that all names have."""
        text = httpx.get(f"http://{_LOCAL}:{self.cache.ports.status}/metrics", trust_env=False).text
        lines = (line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("modelyard_node_cache_"))
        return {name.removeprefix("modelyard_node_cache_"): float(number) for name, number in lines}

    def client(self, who: str = "", secret: str = "") -> Any:
        """A client of S3 that asks the cache, with the keys of `settings` unless others are given."""
        known = self.settings.secret_access_key.get_secret_value()
        return s3_client(self.endpoint, who or self.settings.access_key_id, secret or known)

    def kept(self) -> list[str]:
        """Names of the files that it keeps."""
        return sorted(path.name for path in self.folder.iterdir())


@contextmanager
def running_cache(settings: StoreSettings, scratch: Path, size: int = ROOMY) -> Iterator[RunningCache]:
    """A cache of the store of `settings`, with its keys, in SCRATCH/cache; ended afterwards."""
    folder, keys = scratch / "cache", scratch / "keys"
    keys.mkdir(exist_ok=True)
    write_keys(keys, settings.access_key_id, settings.secret_access_key.get_secret_value())
    loop, made = asyncio.new_event_loop(), list[NodeCache]()

    async def start() -> None:
        made.append(NodeCache(settings, keys, folder, size, _LOCAL))
        await made[0].start(NodeCachePorts(0, 0))

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(start(), loop).result(30)
        yield RunningCache(made[0], folder, keys, settings)
        asyncio.run_coroutine_threadsafe(made[0].finish(), loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


def write_keys(folder: Path, who: str, secret: str) -> None:
    """The keys as the kubelet mounts a Secret's: each file in the place of the one before."""
    for name, value in (("accessKeyId", who), ("secretAccessKey", secret)):
        beside = folder / f"{name}.new"
        beside.write_text(value)
        beside.replace(folder / name)


@cache
def _session() -> Any:
    """Making one takes a tenth of a second."""
    return boto3.session.Session()


def s3_client(endpoint: str, who: str, secret: str, attempts: int = 5) -> Any:
    """A client as KServe's storage initializer makes it: nothing but an address and keys."""
    return _session().client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=who,
        aws_secret_access_key=secret,
        config=Config(connect_timeout=15, read_timeout=30, retries={"total_max_attempts": attempts}),
    )


def put_build(store: S3Store, files: Mapping[str, bytes], digest: str = "a" * 64) -> str:
    """Puts a build with these files, by their path below its repository, into the store; its digest."""
    named = f"sha256:{digest}"
    for path, content in files.items():
        store.put(build_repository(named) + path, content)
    rows = [
        {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for path, content in files.items()
    ]
    report = Report.model_validate_json(json.dumps({**WRITTEN, "digest": named, "files": rows}))
    store.put(build_report(named), report.model_dump_json(by_alias=True, exclude_none=True).encode())
    return named


def downloaded(client: Any, bucket: str, digest: str, folder: Path) -> dict[str, bytes]:
    """The files of a build below its repository: listed and downloaded in the calls that KServe makes."""
    prefix, found = build_repository(digest), dict[str, bytes]()
    folder.mkdir(parents=True, exist_ok=True)
    client.head_bucket(Bucket=bucket)
    for item in client.list_objects(Bucket=bucket, Prefix=prefix)["Contents"]:
        target = folder / item["Key"].removeprefix(prefix).replace("/", "_")
        client.download_file(bucket, item["Key"], str(target))
        found[item["Key"].removeprefix(prefix)] = target.read_bytes()
    return found

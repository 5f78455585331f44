"""Put an entry with an unreadable model into the store, past the checks of `modelyard push`.

    python -m tests.support.artifacts.broken_entry NAME VERSION

It stands for an entry that some other tool wrote, or one from before a check existed.
"""

import sys
import tempfile
from pathlib import Path

import yaml

from modelyard.clients.store import S3Store
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import Settings


def push_torn(name: str, version: str) -> None:
    """An entry whose model.onnx ends in the middle."""
    whole = Path("model-repo/digits/1/model.onnx").read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        described = {"name": name, "version": version, "framework": "onnx", "task": "classification"}
        Path(folder, "modelyard.yaml").write_text(yaml.safe_dump(described))
        Path(folder, "MODEL_CARD.md").write_text(f"# {name}\nA file that ends in the middle, for tests.\n")
        Path(folder, "model.onnx").write_bytes(whole[: len(whole) // 2])
        BucketRegistry(S3Store(Settings.read().store)).push(Path(folder))


if __name__ == "__main__":
    push_torn(*sys.argv[1:])

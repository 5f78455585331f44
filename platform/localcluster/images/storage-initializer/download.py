"""Copy models into a pod: `download.py URI FOLDER [URI FOLDER ...]`, with KServe's storage library.

Exits 2 when called wrongly and 1 with one sentence when a copy fails: KServe shows the end of this log.
"""

import sys
from pathlib import Path

from kserve_storage import Storage  # pyright: ignore[reportMissingImports] - only in the image


def download(pairs: list[tuple[str, str]]) -> None:
    """Copy the contents of every URI into its folder."""
    for uri, folder in pairs:
        Path(folder).mkdir(parents=True, exist_ok=True)
        Storage.download(uri, folder)


def main(words: list[str]) -> int:
    """Exit code for the words of the command line."""
    if not words or len(words) % 2:
        print("usage: download.py URI FOLDER [URI FOLDER ...]", file=sys.stderr)
        return 2
    pairs = list(zip(words[::2], words[1::2], strict=True))
    try:
        download(pairs)
    except Exception as problem:  # noqa: BLE001 - the library raises whatever the store's client does
        print(f"The model could not be copied from {', '.join(uri for uri, _ in pairs)}: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

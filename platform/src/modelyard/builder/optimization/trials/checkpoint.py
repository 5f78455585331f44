"""What an optimization found so far, in the store: the Job that follows an evicted one goes on from there.

    studies/<digest>/state.json      seconds of the budget that were spent; the recipe under way, and how often it was
    studies/<digest>/study.journal   every draw of the search
    studies/<digest>/<key>.json      a finished trial, <key> being a hash of its steps; written after its files
    studies/<digest>/<key>/<file>    the model it made
    studies/<digest>/trained-<name>.zip  all that the recipe of that name trained

A trial counts on the same kind of machine with the same libraries only, because both decide what a variant answers.
Whatever is damaged, or from elsewhere, is as if it were not there. A study is a convenience: a store that fails while
it is written does not end the run.
"""

import shutil
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from modelyard import __version__
from modelyard.api.entry import EntryFile
from modelyard.api.optimization import Runtime
from modelyard.builder.artifacts.source import described
from modelyard.builder.inference.hardware import libraries, telling_flags, this_machine
from modelyard.builder.optimization.optimizer import OptimizationRequest
from modelyard.builder.optimization.pass_api import Recipe
from modelyard.builder.optimization.search.optuna_search import JOURNAL, readable
from modelyard.core.names import sha256_hex
from modelyard.core.storage import keys
from modelyard.core.storage.object_store import Store
from modelyard.errors import OutsideError

from .memory import Checkpoint
from .trial import Trial

STATE = "state.json"
_MOST_TIMES = 2
"""Begun so often without an end, a recipe is what ends the Job."""


class _Written(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class _State(_Written):
    spent: float = 0.0
    trying: str = ""
    times: int = 0


class _Kept(_Written):
    """A finished trial; `model` is the file to open, empty when there is none."""

    surroundings: str
    model: str
    files: tuple[EntryFile, ...]
    passes: tuple[str, ...]
    precision: str
    runtime: Runtime
    size: int | None
    memory: int
    seconds: float
    quality: float | None
    loss: float | None
    refused: str | None


class StoredCheckpoint(Checkpoint):
    """The checkpoint of one optimized build, `digest`, in the store; writes that fail are passed over.

    One that does not recall only writes: what lies in the store is not trusted, come who may.
    """

    def __init__(self, store: Store, digest: str, request: OptimizationRequest, *, recalls: bool = True) -> None:
        self._store, self._digest, self._journal = store, digest, request.out / JOURNAL
        self._surroundings = surroundings(request)
        self._began: float | None = None
        self._lock = threading.Lock()
        self._recalls = recalls
        self._known = {stored.key for stored in store.list(keys.build_study(digest, ""))} if recalls else set[str]()
        self._state = self._read_state()
        self.spent = self._state.spent
        self._journal_size = self._fetch_journal()

    @property
    def seconds(self) -> float:
        """Seconds of the budget that were spent so far, by all processes; training is no part of it."""
        return self.spent + (time.monotonic() - self._began if self._began is not None else 0.0)

    def start(self) -> None:
        self._began = time.monotonic()

    def recall(self, recipe: Recipe, folder: Path) -> Trial | None:
        kept = self._kept(_key(recipe)) if self._recalls else None
        if kept is None:
            return None
        for file in kept.files:
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            there = self._store.download(self._place(f"{_key(recipe)}/{file.path}"), target)
            if not there or described(target, file.path) != file:
                return None
        facts = kept.model_dump(exclude={"surroundings", "model", "files"})
        path = folder / kept.model if kept.model else None
        return Trial(recipe, path=path, files=tuple(file.path for file in kept.files), **facts)

    def begin(self, recipe: Recipe) -> str | None:
        key = _key(recipe)
        with self._lock:
            times = 1 + (self._state.times if self._state.trying == key else 0)
            if times <= _MOST_TIMES:
                self._put_state(key, times)
                return None
        return (
            f"not tried again: the builder was stopped {_MOST_TIMES} times while it was under way; it may need "
            "more memory than the builder has."
        )

    def keep(self, trial: Trial) -> None:
        key, folder = _key(trial.recipe), trial.path.parent if trial.path else Path()
        files = tuple(described(folder / name, name) for name in trial.files) if trial.path else ()
        kept = _Kept(
            surroundings=self._surroundings,
            model=trial.path.name if trial.path else "",
            files=files,
            passes=trial.passes,
            precision=trial.precision,
            runtime=trial.runtime,
            size=trial.size,
            memory=trial.memory,
            seconds=trial.seconds,
            quality=trial.quality,
            loss=trial.loss,
            refused=trial.refused,
        )
        with _if_it_can():
            if self._place(f"{key}.json") not in self._known:
                for file in files:
                    self._store.upload(folder / file.path, self._place(f"{key}/{file.path}"))
                self._store.put(self._place(f"{key}.json"), kept.model_dump_json(by_alias=True).encode())
                self._known.add(self._place(f"{key}.json"))
        with self._lock:
            self._put_state("", 0)

    def recall_trained(self, folder: Path) -> None:
        place = self._place(f"trained-{folder.name}.zip")
        if not self._recalls or place not in self._known or folder.exists():
            return
        folder.mkdir(parents=True)
        archive = folder / "trained.zip"
        try:
            self._store.download(place, archive)
            with zipfile.ZipFile(archive) as kept:
                kept.extractall(folder)
        except zipfile.BadZipFile:
            shutil.rmtree(folder)  # as if it were not there
        archive.unlink(missing_ok=True)

    def keep_trained(self, folder: Path) -> None:
        place = self._place(f"trained-{folder.name}.zip")
        if place in self._known:
            return
        with tempfile.TemporaryDirectory(prefix="modelyard-trained-") as scratch, _if_it_can():
            archive = shutil.make_archive(str(Path(scratch, "trained")), "zip", folder)
            self._store.upload(Path(archive), place)
            self._known.add(place)

    def save(self) -> None:
        size = self._journal.stat().st_size if self._journal.is_file() else 0
        if size != self._journal_size:
            with _if_it_can():
                self._store.put(self._place(JOURNAL), self._journal.read_bytes())
                self._journal_size = size
        self.tick()

    def tick(self) -> None:
        """Notes how much of the budget is spent by now; called by other threads too."""
        with self._lock:
            self._put_state(self._state.trying, self._state.times)

    def forget(self) -> None:
        """Removes everything: the build is there."""
        with _if_it_can():
            for stored in list(self._store.list(keys.build_study(self._digest, ""))):
                self._store.delete(stored.key)

    def _place(self, path: str) -> str:
        return keys.build_study(self._digest, path)

    def _kept(self, key: str) -> _Kept | None:
        place = self._place(f"{key}.json")
        content = self._store.get(place) if place in self._known else None
        try:
            kept = _Kept.model_validate_json(content) if content is not None else None
        except ValidationError:
            kept = None
        if kept is None or kept.surroundings != self._surroundings:
            self._known.discard(place)
            return None
        safe = all(keys.is_safe_path(file.path) for file in kept.files)
        whole = kept.model == "" or kept.model in {file.path for file in kept.files}
        return kept if safe and whole else None

    def _read_state(self) -> _State:
        content = self._store.get(self._place(STATE)) if self._place(STATE) in self._known else None
        try:
            return _State.model_validate_json(content) if content is not None else _State()
        except ValidationError:
            return _State()

    def _put_state(self, trying: str, times: int) -> None:
        """Writes the state; the caller holds the lock, so that what it read is what it replaces."""
        with _if_it_can():
            self._state = _State(spent=self.seconds, trying=trying, times=times)
            self._store.put(self._place(STATE), self._state.model_dump_json(by_alias=True).encode())

    def _fetch_journal(self) -> int:
        """Size of the journal that was there, in bytes; 0 when there is none that can be read."""
        if self._place(JOURNAL) not in self._known:
            return 0
        content = self._store.get(self._place(JOURNAL)) or b""
        whole = content[: content.rfind(b"\n") + 1]  # optuna would write on in the middle of a line that was cut
        self._journal.parent.mkdir(parents=True, exist_ok=True)
        self._journal.write_bytes(whole)
        if not whole or not readable(self._journal):
            self._journal.unlink(missing_ok=True)
            return 0
        return self._journal.stat().st_size


def surroundings(request: OptimizationRequest) -> str:
    """16 hex digits of all that decides what a recipe gives besides the entry: versions, machine, seed, bound."""
    hardware = request.hardware or this_machine()
    facts = [__version__, libraries(), telling_flags(hardware.flags), hardware.cores, hardware.gpu]
    return sha256_hex([*facts, request.seed, request.bound])[:16]


def _key(recipe: Recipe) -> str:
    steps = [[name, {key: repr(value) for key, value in params.items()}] for name, params in recipe.steps]
    return sha256_hex([recipe.start, steps])[:16]


@contextmanager
def _if_it_can() -> Iterator[None]:
    """Passes over an OutsideError: the checkpoint is a convenience."""
    try:
        yield
    except OutsideError:
        return

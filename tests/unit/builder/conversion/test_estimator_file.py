"""Whatever is wrong with a pickled model is a sentence that says what to do."""

import pickle
import sys
import types
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn.base
from sklearn.linear_model import LinearRegression

from modelyard.builder.conversion.estimator_file import read_estimator, read_saved
from modelyard.builder.conversion.sklearn import convert_joblib
from modelyard.errors import HostFailure, InvalidEntry, UnsupportedModel

FITTED = LinearRegression().fit(np.eye(3), [1.0, 2.0, 3.0])


@pytest.mark.parametrize("name", ["m.joblib", "m.pkl", "m.pickle"])
def test_a_pickle_is_read_whoever_wrote_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(pickle.dumps(FITTED))

    assert read_estimator(tmp_path / name).n_features_in_ == 3


def dumped_of(module: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pickle that names a class of a module which is gone when it is read."""
    absent = types.ModuleType(module)
    kind = type("Booster", (), {"__module__": module, "__qualname__": "Booster"})
    absent.Booster = kind  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module, absent)
    joblib.dump(kind(), path)
    monkeypatch.delitem(sys.modules, module)
    return path


def test_a_library_that_is_not_here_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = dumped_of("absent_boosting", tmp_path / "m.joblib", monkeypatch)

    with pytest.raises(
        UnsupportedModel, match="needs the package absent_boosting, which is not installed here; install it"
    ):
        read_estimator(path)


def test_a_module_that_this_version_lacks_is_another_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = dumped_of("sklearn.gone", tmp_path / "m.joblib", monkeypatch)

    with pytest.raises(
        UnsupportedModel, match=r"needs sklearn\.gone, which the sklearn that is installed here does not"
    ):
        read_estimator(path)


def test_what_belongs_to_the_program_that_saved_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def own() -> None:
        """Stands for a function of a script."""

    own.__module__, own.__qualname__ = "__main__", "own_words"
    monkeypatch.setattr(sys.modules["__main__"], "own_words", own, raising=False)
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(own))
    monkeypatch.delattr(sys.modules["__main__"], "own_words")

    with pytest.raises(InvalidEntry, match=r"something of the program that saved it.*own_words.*put it into a module"):
        read_estimator(tmp_path / "m.pkl")


@pytest.mark.parametrize("compress", [0, 3], ids=["plain", "compressed"])
@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9])
def test_a_file_cut_short_is_to_be_copied_again(tmp_path: Path, part: float, compress: int) -> None:
    joblib.dump(LinearRegression().fit(np.eye(99), np.eye(99)), tmp_path / "m.joblib", compress=compress)
    content = (tmp_path / "m.joblib").read_bytes()
    (tmp_path / "m.joblib").write_bytes(content[: int(len(content) * part)])

    with pytest.raises(InvalidEntry, match="it is damaged, cut short or another format; copy or save it again"):
        read_estimator(tmp_path / "m.joblib")


def test_text_is_no_pickle(tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_text("<html>not found</html>")

    with pytest.raises(InvalidEntry, match=r"m\.pkl cannot be read as a joblib file or a pickle: it is damaged"):
        read_estimator(tmp_path / "m.pkl")


def test_a_pointer_of_git_lfs_is_known(tmp_path: Path) -> None:
    (tmp_path / "m.joblib").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1234\n")

    with pytest.raises(InvalidEntry, match=r"m\.joblib is a Git LFS pointer, not the model itself; run git lfs pull"):
        read_estimator(tmp_path / "m.joblib")


def test_a_model_of_another_scikit_learn_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    joblib.dump(FITTED, tmp_path / "now.joblib")
    monkeypatch.setattr(sklearn.base, "__version__", "1.2.2")
    joblib.dump(FITTED, tmp_path / "then.joblib")
    monkeypatch.undo()

    np.savez(tmp_path / "rows.npz", input=np.eye(3))

    assert [read_saved(tmp_path / name)[1] for name in ("now.joblib", "then.joblib")] == ["", "1.2.2"]
    proof = convert_joblib(tmp_path / "then.joblib", tmp_path / "m.onnx", sample=tmp_path / "rows.npz")
    assert "scikit-learn 1.2.2 wrote it, and what this version makes of it may answer otherwise" in str(proof)


class Devours:
    """Needs more memory than there is when it is read."""

    def __reduce__(self) -> Any:
        return bytearray, (1 << 62,)


def test_a_class_is_no_fitted_model(tmp_path: Path) -> None:
    joblib.dump(type(FITTED), tmp_path / "m.joblib")

    with pytest.raises(UnsupportedModel, match=r"holds a class \(.*\), not a fitted scikit-learn model"):
        read_estimator(tmp_path / "m.joblib")


def test_want_of_memory_is_not_the_files_fault(tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(Devours()))

    with pytest.raises(HostFailure):
        read_estimator(tmp_path / "m.pkl")

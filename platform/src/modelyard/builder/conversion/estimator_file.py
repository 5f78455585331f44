"""A scikit-learn model in a file, read: whatever can be wrong with the file is a sentence that says what to do.

Pickles are read when they are trusted. A .skops names what it holds, and is read without trust as long as all of it is
known to do nothing but hold a model.
"""

import lzma
import struct
import warnings
import zlib
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import BadZipFile

from modelyard.builder.inspection.onnx_graph import refuse_pointer
from modelyard.core.failure_causes import blamed, cause_of_exception
from modelyard.errors import InvalidEntry, UnsupportedModel

SKOPS = ".skops"
_DAMAGE = (EOFError, UnpicklingError, zlib.error, struct.error, lzma.LZMAError, BadZipFile)
_OF_SKLEARN = ("sklearn", "numpy", "scipy", "joblib")
_OWN_FILES = {
    "lightgbm": 'booster_.save_model("model.txt")',
    "xgboost": 'save_model("model.ubj")',
    "catboost": 'save_model("model.cbm")',
}
"""How models of these packages are written without pickle, in a file that `conversion.frameworks` reads."""


def read_estimator(path: Path, trusted: bool = True) -> Any:
    """The fitted model in a pickle, which has to be `trusted`, or in a .skops.

    Raises InvalidEntry when it cannot be read or holds what has to be trusted and is not, UnsupportedModel when it
    needs what is not here or is no fitted model with predict().
    """
    try:
        estimator = _loaded(path, trusted)
    except InvalidEntry:
        raise
    except ModuleNotFoundError as missing:
        raise UnsupportedModel(_missing(path.name, str(missing.name))) from missing
    except Exception as bad:
        if cause_of_exception(bad) is not None:
            raise blamed(bad, str(bad)) from bad
        refuse_pointer(path)
        raise InvalidEntry(_unreadable(path, bad)) from bad
    _require_convertible(estimator, path.name)
    _require_fitted(estimator, path.name)
    return estimator


def read_saved(path: Path, trusted: bool = True) -> tuple[Any, str]:
    """What `read_estimator` gives, and which other version of scikit-learn wrote it; that is empty for this one's.

    scikit-learn warns of such models, for some of them answer otherwise.
    """
    from sklearn.exceptions import InconsistentVersionWarning

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", InconsistentVersionWarning)
        estimator = read_estimator(path, trusted)
    told = [warning.message for warning in heard if isinstance(warning.message, InconsistentVersionWarning)]
    return estimator, str(told[0].original_sklearn_version) if told else ""


def _loaded(path: Path, trusted: bool) -> Any:
    if path.suffix != SKOPS:
        import joblib

        return joblib.load(path)
    from skops import io

    strange = io.get_untrusted_types(file=path)
    if strange and not trusted:
        raise InvalidEntry(
            f"{path.name} holds {', '.join(strange[:3])}, which may run code when it is read; add --trust-pickle if it "
            "comes from you or from somebody you trust."
        )
    return io.load(path, trusted=strange)


def _missing(file: str, module: str) -> str:
    package = module.split(".")[0]
    if package in _OF_SKLEARN:
        return (
            f"{file} needs {module}, which the {package} that is installed here does not have; install the version it "
            "was saved with, or save it again with this one."
        )
    way = f", write it there with {_OWN_FILES[package]} and name that file" if package in _OWN_FILES else ""
    return (
        f"{file} needs the package {package}, which is not installed here; install it into this environment{way}, or "
        "export the model to ONNX where it is."
    )


def _unreadable(path: Path, bad: Exception) -> str:
    file = path.name
    if isinstance(bad, AttributeError) and "__main__" in str(bad):
        return (
            f"{file} holds something of the program that saved it ({bad}), and pickles keep only its name; put it into "
            "a module that is installed here too, or export the model to ONNX there."
        )
    kind = "skops" if path.suffix == SKOPS else "a joblib file or a pickle"
    if _is_damage(bad):
        return f"{file} cannot be read as {kind}: it is damaged, cut short or another format; copy or save it again."
    return (
        f"{file} cannot be read as {kind} ({type(bad).__name__}: {bad}); save it again with the scikit-learn version "
        "that is installed here."
    )


def _is_damage(bad: Exception) -> bool:
    """Whether `bad` tells that bytes are missing or others; a KeyError has the operation that pickle does not know."""
    unknown = isinstance(bad, KeyError) and bool(bad.args) and isinstance(bad.args[0], int)
    return unknown or isinstance(bad, _DAMAGE) or "EOF: reading" in str(bad)


def _require_convertible(estimator: Any, file: str) -> None:
    """Raises UnsupportedModel for what is converted from a file of its own library, and not from a pickle."""
    package, kind = type(estimator).__module__.split(".")[0], type(estimator).__name__
    if package == "catboost" or (package in _OWN_FILES and kind == "Booster"):
        written = _OWN_FILES[package].removeprefix("booster_.")
        raise UnsupportedModel(f"{file} holds a {kind} of {package}; write it with {written} and name that file.")


def _require_fitted(estimator: Any, file: str) -> None:
    from sklearn.base import BaseEstimator
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    kind = f"class ({estimator.__name__})" if isinstance(estimator, type) else type(estimator).__name__
    if isinstance(estimator, BaseEstimator) and not hasattr(estimator, "predict"):
        way = "put a model behind it (make_pipeline) and save that" if hasattr(estimator, "transform") else (
            "it only describes the rows it was fitted on: train a classifier on what it found, and save that"
        )  # fmt: skip
        raise UnsupportedModel(f"{file} holds a {kind}, which has no predict(); {way}.")
    if isinstance(estimator, type) or not hasattr(estimator, "predict"):
        raise UnsupportedModel(
            f"{file} holds a {kind}, not a fitted scikit-learn model with predict(); save the fitted model itself."
        )
    if isinstance(estimator, BaseEstimator):
        try:
            check_is_fitted(estimator)
        except NotFittedError as bad:
            raise UnsupportedModel(f"{file} holds a {kind} that is not fitted; call fit() and save it again.") from bad

"""A trusted pickle that would end the program which works with it is refused with a sentence, whenever it does so."""

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from modelyard.builder.conversion.sklearn import convert_joblib
from modelyard.errors import InvalidEntry
from tests.support.machine.command_line import modelyard_here


class ExitsWhenRead:
    def __reduce__(self) -> tuple[Any, ...]:
        return sys.exit, (0,)


class ExitsWhenAsked(LinearRegression):
    def predict(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's name
        sys.exit("enough")


PICKLES = {
    "when it is read": (ExitsWhenRead(), "exit(0)"),
    "when it is asked": (ExitsWhenAsked().fit(np.eye(3), [1.0, 2.0, 3.0]), "exit('enough')"),
}


@pytest.mark.parametrize("when", PICKLES)
def test_the_end_is_a_sentence(when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelyard.builder.conversion.sklearn._converted", lambda *_, **__: None)
    estimator, call = PICKLES[when]
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(estimator))
    np.savez(tmp_path / "rows.npz", input=np.eye(3))

    with pytest.raises(InvalidEntry, match=r"^model\.pkl ends the program .* save the fitted model without") as refused:
        convert_joblib(tmp_path / "model.pkl", tmp_path / "model.onnx", sample=tmp_path / "rows.npz")

    assert call in str(refused.value)
    assert not (tmp_path / "model.onnx").exists()


def test_the_program_says_so_and_its_exit_code_is_not_0(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(ExitsWhenRead()))

    ran = modelyard_here("build", "model.pkl", "--trust-pickle", cwd=tmp_path)

    assert ran.code != 0
    assert "ends the program that works with it (it calls exit(0))" in " ".join(ran.err.split())

"""The Python model on the page of what people bring is one."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from modelyard.api.entry import EntryMetadata

PAGE = Path(__file__).resolve().parents[4] / "platform" / "docs" / "what-people-bring.md"


def block(language: str, beginning: str) -> str:
    """The code block of the page that begins so."""
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    [found] = [text for text in blocks if text.startswith(beginning)]
    return found


def test_the_model_on_the_page_answers_as_its_metadata_says(tmp_path: Path) -> None:
    metadata = EntryMetadata.model_validate(yaml.safe_load(block("yaml", "# modelyard.yaml")))
    code: dict[str, Any] = {}
    exec(block("python", "# model.py"), code)
    (tmp_path / "mark.txt").write_text("!")

    model = code["Model"](tmp_path)
    answer = model.predict({"name": np.array([["Ada"], ["Bob"]], dtype=object)})

    assert metadata.framework == "python"
    assert set(answer) == {tensor.name for tensor in metadata.outputs}
    assert answer["greeting"] == [["Hello, Ada!"], ["Hello, Bob!"]]
    with pytest.raises(code["BadRequest"]):
        model.predict({"name": np.array([[""]], dtype=object)})

"""YAML that becomes what its author reads in it, or is refused."""

import pytest

from modelyard.core.storage.yaml_text import require_as_written
from modelyard.errors import InvalidEntry


@pytest.mark.parametrize("text", ["version: 10", "version: 0", "version: '010'", "version: 1.2.3", "other: 010", "{}"])
def test_what_yaml_keeps_is_accepted(text: str) -> None:
    require_as_written(text.encode(), "it", number="version")


@pytest.mark.parametrize("number", ["010", "007", "1_000", "0x1F", "0b11", "12:30", "+5"])
def test_a_number_that_yaml_changes_belongs_in_quotes(number: str) -> None:
    with pytest.raises(InvalidEntry, match="is another number in YAML; put it in quotes") as refused:
        require_as_written(f"version: {number}".encode(), "it", number="version")

    mended = "version: " + str(refused.value).partition("quotes: ")[2].removesuffix(".")
    require_as_written(mended.encode(), "it", number="version")


def test_a_key_that_is_there_twice_is_refused() -> None:
    with pytest.raises(InvalidEntry, match="it has 'name' twice; keep one of them"):
        require_as_written(b"name: a\nversion: 1\nname: b\n", "it", number="version")

"""The text of `modelyard.yaml`, parsed; every mistake becomes a sentence with the field's name."""

import yaml
from pydantic import ValidationError

from modelyard.api.entry import EntryMetadata
from modelyard.errors import InvalidEntry

METADATA = "modelyard.yaml"
_LARGEST = 1 << 20


def parse_metadata(content: bytes, where: str) -> EntryMetadata:
    """The metadata in a file's content; `where` names the file in the InvalidEntry this raises."""
    if len(content) > _LARGEST:
        raise InvalidEntry(f"{where} is larger than 1 MiB; it describes a model, it does not hold one.")
    try:
        values = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError) as bad:
        raise InvalidEntry(f"{where} is not YAML: {_one_line(bad)}; correct it.") from bad
    if not isinstance(values, dict):
        raise InvalidEntry(f"{where} must be a mapping with name, version, framework and task.")
    try:
        return EntryMetadata.model_validate(values)
    except ValidationError as bad:
        first = bad.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        said = first["msg"].removeprefix("Value error, ")
        raise InvalidEntry(f"{where}: {field} is not usable: {said}; correct it.") from bad


def _one_line(bad: Exception) -> str:
    return " ".join(str(bad).split()) or type(bad).__name__

"""The text of `modelyard.yaml`, parsed; every mistake becomes a sentence with the field's name."""

from pydantic import ValidationError

from modelyard.api.entry import EntryMetadata
from modelyard.errors import InvalidEntry

from .yaml_text import parse_yaml

METADATA = "modelyard.yaml"
_LARGEST = 1 << 20


def parse_metadata(content: bytes, where: str) -> EntryMetadata:
    """The metadata in the content of a `modelyard.yaml`; `where` names the file in errors.

    Raises InvalidEntry when it is larger than 1 MiB, no YAML, no mapping, or has a field that is not usable.
    """
    if len(content) > _LARGEST:
        raise InvalidEntry(f"{where} is larger than 1 MiB; it describes a model, it does not hold one.")
    values = parse_yaml(content, where)
    if not isinstance(values, dict):
        raise InvalidEntry(f"{where} must be a mapping with name, version, framework and task.")
    try:
        return EntryMetadata.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(key) for key in first["loc"]) or "the file"
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidEntry(f"{where}: {field} is not usable: {message}; correct it.") from error

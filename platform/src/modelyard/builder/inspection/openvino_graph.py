"""What a file of OpenVINO's IR says about itself, read without trusting it: model.xml, with the weights in a .bin.

    layers/layer[@type=Parameter]/output/port   an input: @names, @precision, dim ...
    layers/layer[@type=Result]/input/port       an output; its name is the layer's @output_names
    layers/layer/data[@offset, @size]           where a constant lies in the .bin

The file is read as a stream; entities, which could make a small file large, are refused.
"""

from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from modelyard.api.entry import Datatype
from modelyard.errors import InvalidEntry, UnsupportedModel

from .graph import LARGEST, Dim, Graph, Port

_DATATYPES: dict[str, Datatype] = {
    "FP32": "FP32", "FP16": "FP16", "FP64": "FP64", "BOOL": "BOOL", "I8": "INT8", "I16": "INT16", "I32": "INT32",
    "I64": "INT64", "U8": "UINT8", "U16": "UINT16", "U32": "UINT32", "U64": "UINT64",
}  # fmt: skip


def inspect_ir(path: Path) -> Graph:
    """Inputs, outputs and the weights file (.bin) of the IR at `path` (.xml).

    Raises InvalidEntry when one of the files is damaged or missing, UnsupportedModel when a name is not printable or a
    type cannot be served.
    """
    if path.stat().st_size >= LARGEST:
        raise InvalidEntry(f"{path.name} is larger than 2 GiB; weights belong into the .bin beside it.")
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = reader.text, _refuse_doctype
    try:
        with path.open("rb") as stream:
            parser.ParseFile(stream)
    except (expat.ExpatError, ValueError, KeyError) as bad:
        raise InvalidEntry(f"{path.name} cannot be read as OpenVINO's IR ({bad}); convert the model again.") from bad
    if not reader.inputs or not reader.outputs:
        raise InvalidEntry(f"{path.name} holds no model of OpenVINO's with inputs and outputs; convert it again.")
    weights = path.with_suffix(".bin")
    if weights.is_symlink() or not weights.is_file():
        raise InvalidEntry(f"{path.name} needs the weights file {weights.name!r} beside it; add it.")
    if weights.stat().st_size < reader.weights:
        raise InvalidEntry(f"the weights file {weights.name!r} is cut short; copy it again.")
    return Graph(tuple(reader.inputs), tuple(reader.outputs), reader.version, (weights.name,))


def _refuse_doctype(*_: object) -> None:
    raise ValueError("it declares a document type")


@dataclass
class _Reader:
    """Collects ports while the file goes by; `weights` is how long the .bin must be at least."""

    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    version: int = 0
    weights: int = 0
    _layer: dict[str, str] = field(default_factory=dict)
    _port: dict[str, str] = field(default_factory=dict)
    _dims: list[Dim] = field(default_factory=list)
    _text: str | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "net":
            self.version = int(attributes.get("version", 0))
        elif tag == "layer":
            self._layer = attributes
        elif tag == "data" and "offset" in attributes:
            self.weights = max(self.weights, int(attributes["offset"]) + int(attributes["size"]))
        elif tag == "port":
            self._port, self._dims = attributes, []
        elif tag == "dim":
            self._text = ""

    def text(self, text: str) -> None:
        if self._text is not None:
            self._text += text

    def end(self, tag: str) -> None:
        if tag == "dim" and self._text is not None:
            size = int(self._text)
            self._dims.append(size if size >= 0 else None)
            self._text = None
        elif tag == "port" and self._layer.get("type") == "Parameter":
            self.inputs.append(self._read("input", self._port.get("names", "")))
        elif tag == "port" and self._layer.get("type") == "Result":
            self.outputs.append(self._read("output", self._layer.get("output_names", "")))

    def _read(self, kind: str, names: str) -> Port:
        name = names.split(",")[0]
        if not name or any(ord(letter) < 32 for letter in name):
            raise UnsupportedModel(f"an {kind} of the IR has no printable name; convert the model again with names.")
        datatype = _DATATYPES.get(self._port.get("precision", ""))
        if datatype is None:
            precision = self._port.get("precision", "nothing")
            raise UnsupportedModel(
                f"{kind} {name!r} is of type {precision}, which cannot be served; cast it in the graph."
            )
        return Port(name, datatype, tuple(self._dims))

"""The README of an export: what it is, and a check that anybody can run without Modelyard."""

from .archive import ArchiveManifest

_PROGRAMS = {
    "onnx": (
        "onnxruntime",
        """\
import onnxruntime

session = onnxruntime.InferenceSession("model/model.onnx", providers=["CPUExecutionProvider"])
names = [output.name for output in session.get_outputs()]
answers = dict(zip(names, session.run(names, given)))""",
    ),
    "openvino": (
        "openvino",
        """\
import openvino

compiled = openvino.Core().compile_model("model/model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
found = compiled(given)
answers = {name: found[port] for port in compiled.outputs for name in port.names}""",
    ),
    "tflite": (
        "ai-edge-litert",
        """\
from ai_edge_litert.interpreter import Interpreter

model = Interpreter("model/model.tflite")
for tensor in model.get_input_details():
    model.resize_tensor_input(tensor["index"], given[tensor["name"]].shape)
model.allocate_tensors()
for tensor in model.get_input_details():
    model.set_tensor(tensor["index"], given[tensor["name"]])
model.invoke()
answers = {tensor["name"]: model.get_tensor(tensor["index"]) for tensor in model.get_output_details()}""",
    ),
}
_PAGE = """\
# {title}

A model in the format {format}, with inputs and the outputs they must give.

| | |
|---|---|
{facts}

`config.json` names inputs and outputs with their datatypes and shapes; -1 is a dynamic dimension. `golden.npz` holds
{rows}; a good answer is within {relative:g} of each number, relatively, or within {absolute:g}.

## Check it

    modelyard export --check FILE.zip

compares every file with its SHA-256 in `manifest.json`, asks the model the golden inputs and compares the answers.
The manifest lies beside what it describes: to know that nobody exchanged both, compare the SHA-256 of the whole
archive with the one that was printed when it was exported.

Without Modelyard, in the unpacked folder, with numpy and {package}:

```python
import hashlib, json

for file in json.load(open("manifest.json"))["files"]:
    assert hashlib.sha256(open(file["path"], "rb").read()).hexdigest() == file["sha256"], file["path"]
```

```python
import numpy

golden = numpy.load("golden.npz")
given = {{name[6:]: golden[name] for name in golden.files if name.startswith("input:")}}
{asking}
for name in (name for name in golden.files if name.startswith("output:")):
    expected, answer = golden[name], answers[name[7:]]
    if expected.dtype.kind == "f":
        numpy.testing.assert_allclose(answer, expected, rtol={relative:g}, atol={absolute:g})
    else:
        numpy.testing.assert_array_equal(answer, expected)
print("answers as exported")
```
"""


_ORIGIN = {
    "evaluation": "of the entry's own evaluation set",
    "judged": "of the entry's own evaluation set, with the model's own answers",
    "generated": "of made-up input",
}


def readme(manifest: ArchiveManifest) -> str:
    """The text of README.md for an archive with this manifest."""
    source, golden = manifest.source, manifest.golden
    package, program = _PROGRAMS[manifest.format]
    title = f"{source.name}:{source.version}" if source.version else source.name
    data = manifest.training_data.reference if manifest.training_data else ""
    facts = {
        "source": f"{title}, `{source.digest}`",
        "licence": manifest.licence or "none named: ask whoever made the model",
        "framework": manifest.framework,
        "task": manifest.task,
        "training data": data,
        "made by": ", ".join(filter(None, (manifest.producer, manifest.converter))),
    }
    return _PAGE.format(
        title=_cell(title),
        format=manifest.format,
        facts="\n".join(f"| {name} | {_cell(value)} |" for name, value in facts.items() if value),
        rows=f"{golden.rows} row{'s' if golden.rows != 1 else ''} {_ORIGIN[golden.origin]}",
        relative=golden.relative,
        absolute=golden.absolute,
        package=package,
        asking=program,
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")

"""What onnxruntime says when it refuses a model, as a person can use it.

Its messages carry where in its own source they come from, with whole C++ signatures, and that stood where the numbers
should; for a file from a newer exporter they name no remedy either.
"""

import re
from pathlib import Path

_MOST = 300
_PLACE = re.compile(r"[\w./-]*\w\.(?:cc|cpp|h|hpp|cu|cuh):\d+ ")
_IR = re.compile(r"Unsupported model IR version: (\d+), max supported IR version: (\d+)")
_KERNEL = re.compile(r"Could not find an implementation for (\w+)\((\d+)\)")
_LOCALE = re.compile(r"Failed to construct locale with name: ?([\w.@-]+?):")
_OPSET = re.compile(r"Opset (\d+) is under development .* for domain (\S+) is till opset (\d+)")
_OPERATOR = re.compile(r"([\w.]+:\w+)\(-?\d+\) is not a registered function/op")
_INVALID = re.compile(
    r"invalid model|INVALID_GRAPH|Type Error: |Missing opset in|Missing model IR|does not exist in the graph",
    re.IGNORECASE,
)
_CHECK = "; its graph is not valid: check it with onnx.checker.check_model and export it again"


def onnxruntime_message(error: Exception) -> str:
    """An exception of onnxruntime in one line of at most 300 characters, without paths of this machine or its source.

    What an exporter can do about it is said: an IR version or opset that is too new, or too old for its operators.
    """
    text = " ".join(str(error).split())
    patterns = (_IR, _OPSET, _KERNEL, _LOCALE, _OPERATOR)
    ir, opset, kernel, locale, operator = (pattern.search(text) for pattern in patterns)
    if ir:
        return (
            f"its ONNX IR version is {ir[1]}, and onnxruntime here reads up to {ir[2]}; export it with an older onnx "
            f"package, or set model.ir_version = {ir[2]} and save it again"
        )
    if opset:
        return (
            f"it asks for opset {opset[1]} of {opset[2]}, and onnxruntime here knows up to {opset[3]}; export it with "
            f"opset {opset[3]} or an older one"
        )
    if kernel:
        known = f"{kernel[1]} (as of opset {kernel[2]})"
        return f"it has no {known} for these types; export it with a newer opset, or in float32"
    if locale:
        return f"texts change their case in {locale[1]}, which is not on this machine; export it with locale='C.UTF-8'"
    if operator:
        return (
            f"it uses the operator {operator[1]}, which onnxruntime does not have; export it with operators of ONNX "
            "alone, or with that one as a function in the file"
        )
    advice = _CHECK if _INVALID.search(text) else ""
    text = text.split(" : ", 2)[-1] if text.startswith("[ONNXRuntimeError]") else text
    words = [Path(word).name if word.startswith("/") else word for word in _without_places(text).split(" ")]
    return " ".join(words)[: _MOST - len(advice)] + advice


def _without_places(text: str) -> str:
    """The text without "file.cc:12 " and the C++ signature that may follow it."""
    while (place := _PLACE.search(text)) is not None:
        text = text[: place.start()].rstrip() + " " + _after_signature(text[place.end() :])
    return text.strip()


def _after_signature(text: str) -> str:
    """What follows `void a::b(const c&, ...) const `; the text itself when it begins with no signature."""
    opening = text.find("(")
    if opening < 0 or "::" not in text[:opening]:
        return text
    depth = 0
    for index in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if depth == 0:
            return text[index + 1 :].removeprefix(" const").lstrip()
    return text[opening:]

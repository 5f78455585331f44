"""Whether everything is there that optimizing for a GPU needs, and of versions that fit each other.

Runs while the image is built, where the driver is all that may be missing; on a node with a GPU it says whether that
is given too: `docker run --gpus all --entrypoint python IMAGE /opt/modelyard/check.py`.
"""

import ctypes
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

DRIVER = "libcuda.so.1"
PROVIDERS = ("CUDAExecutionProvider", "TensorrtExecutionProvider")


def missing(library: Path | str) -> list[str]:
    """Libraries that the loader does not find for one, the driver's own aside."""
    lines = subprocess.run(["ldd", library], capture_output=True, text=True, check=True).stdout.splitlines()
    names = [line.split()[0] for line in lines if line.endswith("not found")]
    return [name for name in names if name != DRIVER]


def problems() -> list[str]:
    """What is wrong, each as a sentence."""
    import onnxruntime
    import tensorrt

    found = []
    if not set(PROVIDERS) <= set(onnxruntime.get_available_providers()):
        found.append(f"onnxruntime offers {onnxruntime.get_available_providers()}")
    if [d for d in distributions() if d.name == "onnxruntime"]:
        found.append("onnxruntime is installed beside onnxruntime-gpu")
    for name in ("cuda", "tensorrt"):
        library = Path(onnxruntime.__file__).parent / "capi" / f"libonnxruntime_providers_{name}.so"
        found += [f"{library.name} needs {needed}" for needed in missing(library)]
    number = ctypes.CDLL("libnvinfer.so.10").getInferLibVersion()
    version = f"{number // 10000}.{number // 100 % 100}.{number % 100}"
    if not tensorrt.__version__.startswith(f"{version}."):
        found.append(f"TensorRT's libraries are {version} and its bindings {tensorrt.__version__}")
    ctypes.CDLL("libnvonnxparser.so.10")
    ctypes.CDLL("libcudart.so.13")
    return found


def driver() -> bool:
    """Whether a node has lent its driver."""
    try:
        ctypes.CDLL(DRIVER)
    except OSError:
        return False
    return True


def main() -> int:
    """0 when all is well; what is not goes to standard error."""
    found = problems()
    for sentence in found:
        print(sentence, file=sys.stderr)
    if not found:
        print("complete; the driver is here" if driver() else "complete; the driver comes from the node")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

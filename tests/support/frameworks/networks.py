"""`networks.py SITE torch|tensorflow FOLDER`: small networks as their frameworks save them, rows and answers."""

import sys
from pathlib import Path
from typing import Any

ROWS = 20


def main(site: str, framework: str, where: str) -> None:
    sys.path[:0] = filter(None, [site])
    import numpy as np

    random = np.random.default_rng(3)
    x, z = random.normal(size=(ROWS, 4)).astype(np.float32), random.normal(size=(ROWS, 4)).astype(np.float32)
    {"torch": torch, "tensorflow": tensorflow}[framework](Path(where), x, z)


def torch(folder: Path, x: Any, z: Any) -> None:
    import numpy as np
    import torch as library

    class One(library.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = library.nn.Sequential(
                library.nn.Linear(4, 8), library.nn.ReLU(), library.nn.Linear(8, 2), library.nn.Softmax(dim=1)
            )

        def forward(self, x: Any) -> Any:
            return self.layers(x)

    class Several(library.nn.Module):
        def forward(self, x: Any, z: Any) -> dict[str, Any]:
            return {"total": (x + z).sum(dim=1), "product": x * z}

    library.manual_seed(0)
    batch = library.export.Dim("batch", min=2, max=4096)
    one, several = One().eval(), Several().eval()
    given, other = library.from_numpy(x), library.from_numpy(z)
    programs = {
        "one": library.export.export(one, (given[:3],), dynamic_shapes=({0: batch},)),
        "fixed": library.export.export(one, (given[:3],)),
        "several": library.export.export(several, (given[:3], other[:3]), dynamic_shapes=({0: batch}, {0: batch})),
    }
    for name, program in programs.items():
        library.export.save(program, str(folder / f"{name}.pt2"))
    with library.no_grad():
        np.savez(folder / "one-answers.npz", output=one(given).numpy())
        np.savez(folder / "several-answers.npz", **{k: v.numpy() for k, v in several(given, other).items()})
    np.savez(folder / "one.npz", x=x)
    np.savez(folder / "several.npz", x=x, z=z)


def tensorflow(folder: Path, x: Any, z: Any) -> None:
    import os

    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    import keras  # type: ignore[import-not-found]
    import numpy as np
    import tensorflow as library

    keras.utils.set_random_seed(0)
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    inner = keras.layers.Dense(8, activation="relu")(a)
    one = keras.Model(a, keras.layers.Dense(2, activation="softmax")(inner))
    several = keras.Model([a, b], [keras.layers.Add()([a, b]), keras.layers.Dense(3)(keras.layers.Multiply()([a, b]))])
    one.save(folder / "one.keras")
    several.save(folder / "several.keras")
    np.savez(folder / "one.npz", a=x)
    np.savez(folder / "one-answers.npz", y=np.asarray(one(x)))
    np.savez(folder / "several.npz", a=x, b=z)
    np.savez(folder / "several-answers.npz", *map(np.asarray, several([x, z])))

    class Saved(library.Module):
        @library.function(input_signature=[library.TensorSpec((None, 4), library.float32, name="a")])
        def serve(self, a: Any) -> dict[str, Any]:
            return {"doubled": 2 * a, "total": library.reduce_sum(a, axis=1)}

    saved = Saved()
    library.saved_model.save(saved, str(folder / "saved"), signatures={"serving_default": saved.serve})
    np.savez(folder / "saved.npz", a=x)
    np.savez(folder / "saved-answers.npz", doubled=2 * x, total=x.sum(axis=1))


if __name__ == "__main__":
    main(*sys.argv[1:])

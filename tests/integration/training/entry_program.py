"""Runs where torch is: trains the tiny network and leaves weights and model.onnx, as an entry's author would.

python -I entry_program.py PROGRAMS ENTRY
"""

import sys
from pathlib import Path


def main(programs: Path, entry: Path) -> None:
    sys.path.append(str(programs))
    import torch
    from programs import fit
    from programs.authored import Authored
    from programs.export import export
    from safetensors.torch import save_file

    torch.set_num_threads(1)
    said = {"module": "module.py:Network", "data": "data.py:load", "architecture": {"width": 64, "depth": 3}, "seed": 5}
    authored = Authored(entry / "training", said)
    network, rows = authored.network({}), authored.train
    plan = fit.TrainingPlan(4, 32, 1e-2, 5, hard=1.0, soft=0.0)
    fit.fit(network, torch.zeros(len(rows), 3), rows, plan, lambda *_: None)
    save_file(network.state_dict(), str(entry / "training" / "weights.safetensors"))
    export(network, tuple(array[:2] for array in rows.inputs), ["picture"], ["logits"], entry / "model.onnx")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:3]))

"""Runs where torch is, and writes down what each technique did to the tiny network: facts.npz, facts.json, .onnx.

    python -I torch_facts.py PROGRAMS TINY OUT

What these facts must be is for the tests to say; they have numpy and onnxruntime and no torch.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

SEED, NEEDED = 5, {"architecture": {}, "weights": "weights.safetensors", "teacher": "self", "seed": 5}


def main(programs: Path, tiny: Path, out: Path) -> None:
    sys.path.append(str(programs))
    import torch
    from programs import fit, prune_sparse, prune_structured, qat
    from programs.authored import Authored
    from programs.export import export
    from safetensors.torch import save_file

    torch.set_num_threads(1)
    arrays: dict[str, np.ndarray] = {}
    facts: dict[str, Any] = {"refused": {}}
    recipe = {**NEEDED, "module": "module.py:Network", "data": "data.py:load"}
    authored = Authored(tiny, recipe)
    rows, calibration = authored.train, authored.calibration

    teacher = authored.network({"width": 16})
    plan = fit.TrainingPlan(6, 32, 1e-2, SEED, hard=1.0, soft=0.0)
    fit.fit(teacher, torch.zeros(len(rows), 3), rows, plan, lambda *_: None)
    taught = fit.answered(teacher, rows.inputs)
    facts["teacher"] = fit.score(teacher, calibration)
    save_file(teacher.state_dict(), str(out / "weights.safetensors"))
    sample = tuple(array[:4] for array in calibration.inputs)
    arrays["sample"] = sample[0].numpy()

    def copied() -> Any:
        network = authored.network({"width": 16})
        network.load_state_dict(teacher.state_dict())
        return network

    def kept(name: str, network: Any) -> None:
        for parameter, value in network.named_parameters():
            arrays[f"{name}:{parameter}"] = value.detach().numpy().copy()

    def written(name: str, network: Any) -> None:
        export(network, sample, ["picture"], ["logits"], out / f"{name}.onnx")
        arrays[f"{name}:answers"] = fit.answered(network, sample).numpy()

    kept("teacher", teacher)
    written("teacher", teacher)

    halved = prune_structured.prune(copied(), sample, 0.5)
    kept("halved", halved)
    facts["parameters"] = [prune_structured.parameters(network) for network in (teacher, halved)]
    facts["halved"] = [fit.score(halved, calibration)]
    learnt = fit.TrainingPlan(6, 32, 1e-2, SEED, soft=1.0, hard=0.0)
    facts["distilled losses"] = fit.fit(halved, taught, rows, learnt, lambda *_: None)
    facts["halved"].append(fit.score(halved, calibration))

    sparse = copied()
    masks = prune_sparse.unstructured(sparse, 0.7)
    keep = prune_sparse.keeper(sparse, masks)
    keep()
    kept("sparse", sparse)
    fit.fit(sparse, taught, rows, fit.TrainingPlan(2, 32, 1e-2, SEED), lambda *_: None, keep)
    kept("sparse trained", sparse)

    twos = copied()
    keep = prune_sparse.keeper(twos, prune_sparse.two_of_four(twos))
    keep()
    fit.fit(twos, taught, rows, fit.TrainingPlan(2, 32, 1e-2, SEED), lambda *_: None, keep)
    kept("twos", twos)
    facts["zeros"] = prune_sparse.zeros(twos)

    rounding = qat.prepared(copied())
    fit.fit(rounding, taught, rows, fit.TrainingPlan(2, 32, 1e-4, SEED), lambda *_: None)
    facts["qat"] = fit.score(rounding, calibration)
    rounding = qat.fixed(rounding)
    written("qat", rounding)

    again = [authored.network({}) for _ in range(2)]
    for network in again:
        fit.fit(network, taught, rows, fit.TrainingPlan(1, 32, 1e-2, SEED), lambda *_: None)
    facts["repeatable"] = all(torch.equal(a, b) for a, b in zip(*(n.parameters() for n in again), strict=True))

    given, wanted = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 3.0]]), torch.tensor([[1.0, 1.0, 0.0], [0.0, 2.0, 2.0]])
    arrays |= {"given": given.numpy(), "wanted": wanted.numpy()}
    weighed = fit.TrainingPlan(1, 1, 1.0, 1, temperature=3.0, hard=0.25, soft=0.75)
    facts["loss of classes"] = fit.loss_of(given, wanted, torch.tensor([0, 2]), weighed).item()
    facts["loss of numbers"] = fit.loss_of(given, wanted, torch.ones(2, 3), weighed).item()

    def refused(name: str, work: Any) -> None:
        try:
            work()
            facts["refused"][name] = ""
        except ValueError as bad:
            facts["refused"][name] = str(bad)

    def other(**changes: Any) -> Authored:
        return Authored(tiny, {**recipe, **changes})

    (tiny / "weights.safetensors").write_bytes((out / "weights.safetensors").read_bytes())
    refused("weights", authored.original)
    refused("no module", lambda: other(module="module.py:no_module").network({}))
    refused("no name", lambda: other(module="module.py:Missing").network({}))
    refused("rows", lambda: other(data="data.py:of_unequal_length").train)
    refused("fx", lambda: qat.prepared(other(module="module.py:Unfollowable").network({})))
    refused("2:4", lambda: prune_sparse.two_of_four(authored.network({"width": 3})))
    refused("nothing", lambda: prune_structured.prune(torch.nn.Flatten(), sample, 0.5))
    np.savez(out / "facts.npz", **arrays)
    (out / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))

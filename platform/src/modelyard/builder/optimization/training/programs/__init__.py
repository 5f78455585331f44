"""What runs in the torch environment: it has torch, numpy, safetensors, onnxscript, torch-pruning and maybe a tracker.

Nothing here imports the rest of Modelyard, nor does that import anything from here: jobs and results are JSON files.

    sidecar_server    jobs for a builder in another container
    job               what is asked for, from the command line to the result
    authored          the author's module, weights and data
    fit               one training loop for distillation and quantization-aware training
    prune_structured  channels that go (torch-pruning)
    prune_sparse      weights that become zero: the smallest, or two of every four
    qat               int8 simulated while training
    export            to ONNX, with names, datatypes and dynamic batch as in the entry
    train             a recipe from the first to the last of these
    candidate         one architecture of a search: exported untrained, or trained and scored
    reference         the network in torch itself, eager or compiled, timed as variants are
    retraining        a new version by the author's own function, which needs no torch
    tracking          where it is written down while it goes on: MLflow, W&B, TensorBoard
"""

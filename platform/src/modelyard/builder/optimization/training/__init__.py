"""Training-time passes: for entries that bring a torch module, its data and a `training/recipe.yaml`.

    recipe               what the file may say: module, data, teacher, student or pruning, distillation, QAT, search
    environment          the Python that has torch: named by MODELYARD_TORCH_PYTHON, or made by `make entries`
    training_run         one run of it: what was trained, kept in OUT/trained, not trained again while nothing changed
    torch_baseline       the network in torch itself, timed to compare with
    tracking             with which tracker it is written down: MLflow, W&B, TensorBoard or none
    starting_points      how `modelyard optimize --train` begins: the starting points and recipes for the optimizer
    architecture_search  architectures timed untrained, fastest first; trained until one is good enough
    sidecar_client       jobs for a trainer in another container of the same pod
    programs/            what runs there, one technique a file; it knows nothing of the rest of Modelyard

Running a recipe runs its author's code, so people ask for it by name (`--train --trust-code`), and no cluster does.
What comes out are further models to start from: every chain of passes goes on from them, and the entry's own
evaluation set judges the result as it judges any other.
"""

"""Optimization: variants of a model that are measured, judged on its own evaluation set and only then proposed.

    material    what passes take and give: a model on disk, the hardware, the evaluation set
    passes/     one rewrite a file (fusion, fp16, int8 ...), each of which may say why it does not apply
    recipes     which chains of passes are tried for which precisions
    engine      runs the recipes within a budget; a variant that fails keeps its reason and the run goes on
    workshop    the other end of the engine: one recipe, in a process with limits on memory and time
    choose      the choice, pure: best for the goal among those that keep the quality
    quality     metrics on plain arrays: accuracy, F1, AUC, MAE, cosine
    page, plots the report for people; api.optimization is the report for programs

Measuring is the neighbour's (`build.measure`): all variants in turn, on a quiet machine. Whatever touches a model
file happens in a subprocess with a memory and a time limit, and nothing is claimed that was not measured.
"""

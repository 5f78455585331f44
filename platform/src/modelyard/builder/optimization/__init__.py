"""Optimization: variants of a model that are measured, judged on its own evaluation set and only then proposed.

    pass_api           what passes take and give: a model on disk, the hardware, the evaluation set
    passes/            one rewrite a file (fusion, fp16, int8 ...), each of which may say why it does not apply
    baseline           the original model, read and checked in a process with limits
    optimizer          all steps in order, within a budget
    options            what `--optimize JSON` and `spec.optimize` may ask for
    progress_reporter  how far a run is, written at every step and as a sign of life in between

    trials/            trial: one recipe, made (by pass_runner), asked, judged; a failure is a reason, not an end
                       timing: which trials are timed together, within time and memory
                       memory, checkpoint: what an interrupted run found, so that the next one goes on from there
    search/            recipes: which chains of passes are tried for which precisions
                       space, optuna_search: other parameters for the same passes, drawn by optuna
                       selection: the choice, pure: best for the goal among those that keep the quality
                       incumbent: the best trial so far, by a few short rounds of timing
    training/          what is trained first when asked for; its results are further models to begin with
    report/            report.json (api.optimization), the page for people (page, svg, plots) and what they show
    results/           the chosen variant as an entry (entry), as an artifact (artifact), as a build (publish)

Measuring is done by `inference.benchmark`: all variants in turn, on a quiet machine. Whatever touches a model
file happens in a subprocess with a memory and a time limit, and nothing is claimed that was not measured.
"""

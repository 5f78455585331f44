"""Optimization: variants of a model that are measured, judged on its own evaluation set and only then proposed.

    material          what passes take and give: a model on disk, the hardware, the evaluation set
    passes/           one rewrite a file (fusion, fp16, int8 ...), each of which may say why it does not apply
    recipes           which chains of passes are tried for which precisions
    intake, hardware  what there is: the original, checked in a process with limits, and the machine
    engine            all steps in order, within a budget
    trial             one recipe: made (by workshop), asked, judged; a failure is a reason and the run goes on
    quality           metrics on plain arrays: accuracy, F1, AUC, MAE, cosine
    training/         what is trained first when asked for; its results are further models to begin with
    space, search     other parameters for the same passes, drawn by optuna
    timing            who is timed with whom, within time and memory
    choose            the choice, pure: best for the goal among those that keep the quality
    report            report.json (api.optimization) and the sentences that judge its figures
    page, plots       the report for people; tradeoff says what is drawn, drawing and labels how
    entry, judgement  the chosen variant as an entry again, held to the metric that chose it

    wish, publish     builds that serve the best variant, here and in the store; artifact lays it out and proves it
    memory, study     what an interrupted run found, so that the next one goes on from there
    heartbeat, leader how far it is, and who is best so far by a quick look

Measuring is the neighbour's (`build.measure`): all variants in turn, on a quiet machine. Whatever touches a model
file happens in a subprocess with a memory and a time limit, and nothing is claimed that was not measured.
"""

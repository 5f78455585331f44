"""The sync with MLflow: what is registered there becomes entries in the bucket, which stays the truth of serving.

    followed    which names Models mention, from a watch of the Models
    round       MLflow's list -> versions that are not here yet -> entries; then aliases; then what it left undone
    flavors     what MLflow keeps of a model -> which file is taken
    intake      one version's files -> an entry folder, converted where it is not ONNX yet
    ...         `input_example` and `lightgbm_text`, two forms of MLflow's that are read as data
    write_back  what became of a version, as tags in MLflow
    process     a round every so many seconds, and at once when a webhook says so

A version is brought in once and never changed. An alias in the bucket moves only to a version that is complete there,
so MLflow may be away, lose a version or move an alias in the middle of anything: who serves does not notice.
"""

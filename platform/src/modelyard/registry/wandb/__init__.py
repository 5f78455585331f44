"""Artifacts of an offline run of Weights & Biases, read from its folder without W&B's package and without its server.

    transaction_log   run-<id>.wandb: frames -> records
    messages          a record's bytes -> fields, as protobuf writes them
    artifacts         which artifacts were logged, and their staged files, each held to its digest

An offline run uploads nothing: what `log_artifact` was given lies in the staging folder of the machine that trained,
or where it was logged from, and the log in the run's folder says where.
"""

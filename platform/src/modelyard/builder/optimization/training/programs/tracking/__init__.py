"""Where a training is written down: one interface, and who is behind it.

| MODELYARD_TRACK, or `track` of a job | what it needs | where it goes |
|---|---|---|
| mlflow | the package mlflow or mlflow-skinny | the server that MLFLOW_TRACKING_URI names |
| wandb | the package wandb | its server with WANDB_API_KEY, else the folder ./wandb (WANDB_MODE, WANDB_DIR) |
| tensorboard | nothing | event files below ./runs (TENSORBOARD_LOGDIR) |
| none | | nowhere |

Left out, it is mlflow where MLFLOW_TRACKING_URI is set, and else none. A word that is none of these ends a training
before it begins; a tracker that is missing, away or full costs a sentence, and the training goes on.
"""

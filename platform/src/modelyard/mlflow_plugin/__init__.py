"""`mlflow deployments ... -t modelyard`: Models, as MLflow's own command and `get_deploy_client` know deployments.

    model_spec    what MLflow says of a deployment -> fields of a Model's spec
    deployments   Models of one namespace: created, changed, deleted, listed, waited for, asked
    client        MLflow's class around it; the only module that imports mlflow, and MLflow alone imports it

It runs in the Python of whoever uses MLflow, with that person's kubeconfig; `pip install 'modelyard[cli]'` brings it.
"""

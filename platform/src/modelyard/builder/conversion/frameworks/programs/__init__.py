"""What runs in the environment of a framework: it has that, numpy and onnx, and nothing of Modelyard.

    start             the command line: a model converted or asked, the result a JSON file
    trees             trees of gradient boosting as nodes of ONNX, and what follows them
    chunks            rows asked a few at a time
    lightgbm_trees    what LightGBM's dump of a model says
    xgboost_trees     what XGBoost's JSON of a model says
    graphs            a whole ONNX model of them
    lightgbm_model, xgboost_model, catboost_model, torch_model, tensorflow_model

Each `*_model` has `convert(path, folder)` and `answer(path, rows by input name)`. The `*_trees` are also used for
models in pickles, in the environment of the person who trusts them.
"""

"""The models of each framework, trained once."""

import pytest

from tests.support.frameworks.trained import Trained, trained


@pytest.fixture(scope="session")
def lightgbm(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained("lightgbm", tmp_path_factory.mktemp("lightgbm"))


@pytest.fixture(scope="session")
def xgboost(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained("xgboost", tmp_path_factory.mktemp("xgboost"))


@pytest.fixture(scope="session")
def catboost(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained("catboost", tmp_path_factory.mktemp("catboost"))

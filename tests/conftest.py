"""Fixtures that several rooms of tests share."""

pytest_plugins = ["tests.support.real_apiserver"]

"""`spec.source.verify`: where keys are, written so that nothing else is read."""

from typing import Any

import pytest
from pydantic import ValidationError

from modelyard.api.signing.spec import Verify


def test_a_source_is_a_config_map_or_a_secret() -> None:
    verify = Verify.model_validate(
        {"keys": [{"configMap": {"name": "model-keys"}}, {"secret": {"name": "more", "key": "bob.pub"}}]}
    )

    assert [(kind, file.name, file.key) for kind, file in (source.place for source in verify.keys)] == [
        ("ConfigMap", "model-keys", None),
        ("Secret", "more", "bob.pub"),
    ]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ([], "at least 1 item"),
        ([{}], "either configMap or secret"),
        ([{"configMap": {"name": "a"}, "secret": {"name": "b"}}], "either configMap or secret"),
        ([{"secret": {"name": "../secrets/other"}}], "name of a ConfigMap or Secret"),
        ([{"secret": {"name": "a", "key": "b/c"}}], "name of one of its fields"),
        ([{"configMap": {"name": "a"}}] * 9, "at most 8 items"),
    ],
)
def test_anything_else_is_refused_with_what_to_write(keys: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Verify.model_validate({"keys": keys})

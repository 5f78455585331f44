"""The reference pages say what the code says."""

from modelyard.cli import main
from modelyard.cli.docs.reference import commands_page, model_page


def test_every_verb_has_its_page_section():
    page = commands_page()

    for verb in main.VERBS:
        assert f"## `modelyard {verb}" in page


def test_arguments_and_options_carry_their_help():
    assert "| `--watch, -w` | Go on until Ctrl-C. |" in commands_page()
    assert "    modelyard predict NAME [options]" in commands_page()


def test_fields_show_whether_they_are_required_what_they_default_to_and_what_they_may_be():
    rows = model_page().splitlines()

    assert any(row.startswith("| `source.name` | string | required |") for row in rows)
    assert any(row.startswith("| `scaling.minReplicas` | integer | `1` |") for row in rows)
    assert any(row.startswith('| `serving.runtime` | auto \\| cpu \\| gpu | `"auto"` |') for row in rows)


def test_the_sentences_of_the_api_server_are_listed_once():
    sentence = '* write either version: "2" or alias: champion, and only one of them'

    assert model_page().splitlines().count(sentence) == 1

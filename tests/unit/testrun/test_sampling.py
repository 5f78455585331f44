"""Of a story's many stops a commit tries a part, and the commits together try them all."""

import pytest

from tests.support.repository.proof import PROOF, commit, drawn, sampled


def test_the_commits_together_draw_every_first_case() -> None:
    commits = [f"{number:040x}" for number in range(30)]

    assert {drawn(commit, 3) for commit in commits} == {0, 1, 2}
    assert {drawn(commit, 5) for commit in commits} == {0, 1, 2, 3, 4}


def test_a_tree_without_a_commit_begins_with_the_first_case() -> None:
    assert drawn("", 3) == 0


@pytest.mark.parametrize("every", [3, 5])
def test_every_nth_case_is_tried_with_its_own_number_and_all_in_a_proof(every: int) -> None:
    numbers = [number for number, case in sampled("abcdefghijklmno", every) if "abcdefghijklmno"[number] == case]

    assert numbers == (list(range(15)) if PROOF else list(range(drawn(commit(), every), 15, every)))

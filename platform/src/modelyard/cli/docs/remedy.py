"""A row of the page troubleshooting.md: a reason, what it means, what helps, and the test that provokes it."""

from enum import StrEnum
from typing import NamedTuple


class Section(StrEnum):
    """Where a reason is met; the page has a part for each."""

    STUCK = "A Model is not Ready and needs somebody"
    PLATFORM = "A Model is not Ready and the cluster is to be mended"
    HELD = "A rollout is held"
    ENDED = "A rollout has ended"
    DATA = "A Model is Ready, and what it is asked with is not as it should be"
    MACHINE = "A program failed for what its machine did, and is tried again by itself"
    MODEL = "A program refuses the model"
    COMMAND = "A command or a Job ends with a sentence"
    STATE = "Nothing is wrong: the work is under way, or done"


class Remedy(NamedTuple):
    """One reason: the word, its section, the cause, what to do, and `file::test` below tests/ that provokes it."""

    reason: str
    section: Section
    cause: str
    remedy: str
    test: str

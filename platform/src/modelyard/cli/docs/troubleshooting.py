"""The page troubleshooting.md: every reason word of the source with its cause, its remedy and a test.

A reason without a row, and a row without a reason, are errors: the page never says less or more than the code does.
"""

from .reason_words import reason_words
from .remedies import Remedy, Section, remedies

_HEAD = """\
# Troubleshooting

Every reason that a condition, an Event, a rollout or a command can name, with its cause, what helps and the test that
provokes it (below [tests](../../tests)). Begin with `modelyard explain NAME`: it walks the path of a Model and names
the first step that is wrong; `modelyard doctor` does the same for the platform. Made from the code (`make generate`).
"""


class UndocumentedReason(Exception):
    """The source gives a reason that no row explains, or a row explains one that nothing gives."""


def page() -> str:
    """The page as Markdown. Raises UndocumentedReason where rows and source differ."""
    rows = checked(remedies(), reason_words())
    parts = [_HEAD]
    for section in Section:
        own = sorted(row for row in rows if row.section is section)
        parts.append(f"\n## {section.value}\n\n| reason | cause | what helps | test |\n|---|---|---|---|\n")
        parts.extend(f"| {row.reason} | {row.cause} | {row.remedy} | `{row.test}` |\n" for row in own)
    return "".join(parts)


def checked(rows: tuple[Remedy, ...], words: frozenset[str]) -> tuple[Remedy, ...]:
    """The rows, once each of `words` has one and each has one of `words`; else raises UndocumentedReason."""
    explained = {row.reason for row in rows}
    missing, idle = sorted(words - explained), sorted(explained - words)
    if missing or idle:
        raise UndocumentedReason(
            f"reasons without a row in cli/docs/remedies.py: {', '.join(missing) or 'none'}; "
            f"rows that no code gives: {', '.join(idle) or 'none'}."
        )
    return rows

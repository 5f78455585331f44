"""What the story came to: when what happened, how right the answers were, and who was told."""

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from .story import Story


def close(console: Console, story: Story) -> None:
    """Prints it."""
    console.print(story.stages.shares())
    happened = Table("min", "since other people ask", box=None, pad_edge=False)
    for seconds, what in story.moments:
        happened.add_row(f"{seconds / 60:.1f}", escape(what))
    right = Table("right answers", "", box=None, pad_edge=False)
    for of, share in story.shares:
        right.add_row(f"{100 * share:.0f} %", f"{_bar(share)} {of}")
    colour = "red" if story.failures else "green"
    for table in (happened, right):
        console.print()
        console.print(table, highlight=False)
    console.print(f"\n{story.requests} requests, [bold {colour}]{story.failures} failed[/]", highlight=False)
    mails = [f"{message.by:5}  {escape(message.title)}" for message in story.messages]
    lines = [*mails, "", "[bold]Read on[/]", "  platform/docs/monitoring.md, drift.md, feedback.md, retraining.md"]
    if console.is_terminal:
        console.print(Panel("\n".join(lines), title="Who was told", expand=False, border_style="green"))
    else:
        console.print("\n".join(lines), highlight=False, soft_wrap=True)


def _bar(share: float) -> str:
    full = round(20 * share)
    return "█" * full + "░" * (20 - full)

"""`python -m demo.monitoring`: exit code 0 when the whole story came true and no request failed, 1 otherwise."""

import sys

from rich.console import Console
from rich.markup import escape

from demo.stage import DemoFailed
from modelyard.errors import ModelyardError

from .story import Story
from .summary import close


def main() -> int:
    """Run the story; a failure ends in one sentence."""
    console = Console(highlight=False)
    story = Story(console)
    try:
        story.run()
    except (DemoFailed, ModelyardError) as bad:
        console.print(f"[bold red]The demo stopped:[/] {escape(str(bad))}", soft_wrap=True)
        return 1
    close(console, story)
    return 1 if story.failures else 0


if __name__ == "__main__":
    sys.exit(main())

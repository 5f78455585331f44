"""`python -m modelyard.cli.docs.generate [--check]`: writes every generated file of the repository.

One list says which file comes from which generator. With `--check` nothing is written and the exit code is 1
when a file differs; `make generate` and `make verify` are these two.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from modelyard.api import crd
from modelyard.core.prometheus_rules import rule_file

from . import reference, rollout_states, troubleshooting

GENERATED: dict[str, Callable[[], str]] = {
    "charts/modelyard/files/rules.yaml": rule_file.text,
    "charts/modelyard/templates/crd-models.yaml": crd.template,
    "platform/docs/reference/commands.md": reference.commands_page,
    "platform/docs/reference/model.md": reference.model_page,
    "platform/docs/rollout-states.md": rollout_states.page,
    "platform/docs/troubleshooting.md": troubleshooting.page,
}
ROOT = Path(__file__).resolve().parents[5]


def differing(root: Path) -> list[str]:
    """Paths under `root` whose content is not what their generator makes now."""
    return list(_different(root))


def write(root: Path) -> list[str]:
    """Writes what differs and returns those paths."""
    changed = _different(root)
    for name, text in changed.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return list(changed)


def _different(root: Path) -> dict[str, str]:
    """What the files should hold that hold something else or are not there."""
    made = {name: make() for name, make in GENERATED.items()}
    return {name: text for name, text in made.items() if not _has(root / name, text)}


def _has(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 when all is as generated, 1 when `--check` found a difference."""
    if "--check" not in arguments:
        for name in write(ROOT):
            print(f"wrote {name}")
        return 0
    stale = differing(ROOT)
    for name in stale:
        print(f"{name} is not what its generator makes: run `make generate` and commit the result.")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

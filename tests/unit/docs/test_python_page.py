"""The examples of the page about the Python client, run as they stand there."""

import doctest
import re
from pathlib import Path

from modelyard import errors
from tests.support.servers.inference_server import running

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "platform" / "docs" / "python.md").read_text()


def test_the_examples_give_what_the_page_says() -> None:
    examples = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))

    with running(largest=2) as served:
        text = examples.replace("http://gateway.example.com", served.http)
        ran = doctest.DocTestRunner().run(doctest.DocTestParser().get_doctest(text, {}, "python.md", "python.md", 0))

    assert ran.attempted > 15
    assert ran.failed == 0


def test_the_reasons_are_those_that_there_are() -> None:
    table = re.search(r"^\| reason \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert table is not None
    reasons = re.findall(r"^\| `(\w+)`", table[1], re.MULTILINE)

    assert len(reasons) == 6
    assert [reason for reason in reasons if not issubclass(getattr(errors, reason), errors.ModelyardError)] == []

"""Where alerts arrive: a mail server and a Slack webhook, those of the demo, that keep what they get."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from demo.monitoring.sink_program import MailServer, slack_webhook
from tests.support.monitoring.live import serving

_ANYWHERE = ("127.0.0.1", 0)


@dataclass(frozen=True)
class MailSink:
    """`mails` are those that came; `address` is `host:port`."""

    address: str
    mails: list[EmailMessage]


@dataclass(frozen=True)
class SlackSink:
    """`posts` are the messages that came."""

    url: str
    posts: list[dict[str, Any]]


@contextmanager
def sinks() -> Iterator[tuple[MailSink, SlackSink]]:
    """Both, until the end of the block."""
    mails, posts = list[EmailMessage](), list[dict[str, Any]]()
    slack = slack_webhook(_ANYWHERE, posts.append)
    with MailServer(_ANYWHERE, mails.append) as mail, serving(slack):
        thread = threading.Thread(target=mail.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield (
                MailSink(f"127.0.0.1:{mail.server_address[1]}", mails),
                SlackSink(f"http://127.0.0.1:{slack.server_address[1]}/services/T0/B0/X0", posts),
            )
        finally:
            mail.shutdown()
            thread.join()

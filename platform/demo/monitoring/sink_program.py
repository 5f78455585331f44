"""A mail server and a Slack webhook that take everything; as a program: `sink_program.py MAIL_PORT SLACK_PORT`.

It prints each message as a line of JSON: by (mail or slack), title, text. Needs the standard library alone.
"""

import contextlib
import json
import socketserver
import sys
import threading
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Address = tuple[str, int]


class MailServer(socketserver.ThreadingTCPServer):
    """Takes every mail (RFC 5321, no extensions) and hands it to `take`."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self, address: Address, take: Callable[[EmailMessage], None]) -> None:
        super().__init__(address, _Session)
        self.take = take


class _Session(socketserver.StreamRequestHandler):
    """One client."""

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # a probe hangs up at once
            self._converse()

    def _converse(self) -> None:
        assert isinstance(self.server, MailServer)
        self._say("220 sink ESMTP")
        while line := self.rfile.readline():
            match line[:4].upper().strip():
                case b"DATA":
                    self._say("354 go on")
                    lines = iter(self.rfile.readline, b".\r\n")
                    content = b"".join(line[1:] if line.startswith(b"..") else line for line in lines)
                    mail = message_from_bytes(content, policy=policy.default)
                    assert isinstance(mail, EmailMessage)
                    self.server.take(mail)
                    self._say("250 kept")
                case b"QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 sink")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


def slack_webhook(address: Address, take: Callable[[dict[str, Any]], None]) -> ThreadingHTTPServer:
    """Answers as Slack's incoming webhooks do, and hands each message to `take`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    return ThreadingHTTPServer(address, Handler)


def _mailed(mail: EmailMessage) -> None:
    body = mail.get_body(("plain",))
    text = "\n".join(body.get_content().strip().splitlines()) if body is not None else ""
    _print(by="mail", title=str(mail["subject"]), text=text)


def _posted(post: dict[str, Any]) -> None:
    for part in post["attachments"]:
        _print(by="slack", title=part["title"], text=part["text"])


def _print(**message: str) -> None:
    print(json.dumps(message), flush=True)


def main(mail_port: int, slack_port: int) -> None:
    """Both, until the end of the process."""
    slack = slack_webhook(("", slack_port), _posted)
    threading.Thread(target=slack.serve_forever, daemon=True).start()
    with MailServer(("", mail_port), _mailed) as mail:
        mail.serve_forever()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))

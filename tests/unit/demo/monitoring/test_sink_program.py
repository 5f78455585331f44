"""The receivers of the demo as they run in their pod: a program of its own that prints what arrives."""

import json
import smtplib
import subprocess
import sys
import time
from email.message import EmailMessage

import httpx

from demo.monitoring.receivers import PROGRAM
from tests.support.servers.store import free_ports


def mail(port: int) -> None:
    """A mail of two parts' worth of lines, sent once somebody listens."""
    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = "[FIRING] it", "a@example.com", "b@example.com"
    letter.set_content("What is.\n.hidden dot\nNext: do it\n")
    for _ in range(200):
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=30) as server:
                server.send_message(letter)
        except ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nobody listens")


def test_mail_and_slack_messages_are_printed_a_line_each() -> None:
    mail_port, slack_port = free_ports(2)
    command = [sys.executable, "-I", str(PROGRAM), str(mail_port), str(slack_port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            mail(mail_port)
            attachment = {"title": "[FIRING] it", "text": "What is."}
            posted = httpx.post(f"http://127.0.0.1:{slack_port}/services/x", json={"attachments": [attachment]})
            assert process.stdout is not None
            first, second = (json.loads(process.stdout.readline()) for _ in range(2))
        finally:
            process.terminate()

    assert (posted.status_code, posted.text) == (200, "ok")
    assert first == {"by": "mail", "title": "[FIRING] it", "text": "What is.\n.hidden dot\nNext: do it"}
    assert second == {"by": "slack", **attachment}

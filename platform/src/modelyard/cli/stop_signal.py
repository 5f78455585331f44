"""When a process that serves is asked to end: Kubernetes sends SIGTERM, a person Ctrl-C."""

import asyncio
import signal


def stop_signal() -> asyncio.Event:
    """An event of the running loop that is set by the first SIGTERM or SIGINT, and by nothing before."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop

"""onnxruntime without any server: `in_process_program.py FILE INPUTS.npz CLIENTS SECONDS`, a line of JSON.

So many threads of one process ask one session again and again, as a program would that has the model in itself; the
line tells requests per CPU second of the process and requests per second.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime


def main(file: str, inputs: str, clients: int, seconds: float) -> None:
    """Prints what was counted."""
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    feed = dict(np.load(inputs))
    session.run(None, feed)

    def one(_: int) -> int:
        count = 0
        while time.monotonic() < end:
            session.run(None, feed)
            count += 1
        return count

    used, end = time.process_time(), time.monotonic() + seconds
    with ThreadPoolExecutor(clients) as pool:
        count = sum(pool.map(one, range(clients)))
    used = time.process_time() - used
    print(json.dumps({"perCpuSecond": count / used, "perSecond": count / seconds}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))

"""Ends the parts of the hub when the process that started them is gone, however it went.

`hub.supervisor` runs this file and keeps its standard input open, one process group a line. The input ends when the
supervisor does, even by SIGKILL, and on every system that has pipes.
"""

import contextlib
import os
import signal
import sys
import time

PATIENCE_SECONDS = 5


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def end(groups: list[int]) -> None:
    """SIGTERM to every group, and SIGKILL to what is left of them after PATIENCE_SECONDS."""
    signal_groups(groups, signal.SIGTERM)
    patience = time.monotonic() + PATIENCE_SECONDS
    while any(alive(group) for group in groups) and time.monotonic() < patience:
        time.sleep(0.1)
    signal_groups(groups, signal.SIGKILL)


def signal_groups(groups: list[int], number: int) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)


if __name__ == "__main__":
    end([int(line) for line in sys.stdin])

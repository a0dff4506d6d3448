"""The broker for one machine: messages are files in a folder, whole or not there at all."""

import fcntl
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from time import time_ns
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    """Kombu's folder of messages, without its gaps.

    There a reader may meet a message, or the list of an exchange's queues, that is still being written, which ends the
    worker; and it reads messages in the folder for temporary files of the whole machine.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for folder in (self.data_folder_in, self.data_folder_out, self.control_folder):
            Path(folder).mkdir(parents=True, exist_ok=True)

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # kombu disagrees with itself
        path = Path(self.data_folder_out) / f"{time_ns()}_{uuid.uuid4()}.{queue}.msg"
        partial = path.with_suffix(".partial")
        partial.write_text(dumps(payload))
        partial.rename(path)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for path in sorted(Path(self.data_folder_in).glob("*.msg")):
            if path.name.partition(".")[2] != f"{queue}.msg":
                continue
            claimed = path.with_suffix(".claimed")
            try:
                path.rename(claimed)
            except FileNotFoundError:  # another worker was faster
                continue
            payload = claimed.read_text()
            claimed.unlink()
            return loads(payload)
        raise Empty

    def get_table(self, exchange: str) -> Any:
        with self._tables_to_ourselves():
            return super().get_table(exchange)

    def queue_bind(self, *args: Any, **kwargs: Any) -> None:
        """Another thread that asks meanwhile waits until the binding is written: its messages would go nowhere."""
        with self._tables_to_ourselves():
            super().queue_bind(*args, **kwargs)

    @contextmanager
    def _tables_to_ourselves(self) -> Iterator[None]:
        with (self.control_folder / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class Transport(filesystem.Transport):
    Channel = Channel
    polling_interval = 0.25

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:  # type: ignore[override]  # so too
        """Never waits for long: a worker that is asked to stop comes back from here twice before it does."""
        super().drain_events(connection, timeout=min(timeout or 0.5, 0.5))

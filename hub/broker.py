"""The broker for one machine: messages are files in a folder, whole or not there at all."""

import uuid
from pathlib import Path
from queue import Empty
from time import time_ns
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    """Kombu's folder of messages, without its two gaps.

    There a reader may see a message that is still being written, which ends the worker; and it reads messages in the
    folder for temporary files of the whole machine. Here both happen under another name in the queue's own folder.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for folder in (self.data_folder_in, self.data_folder_out, self.control_folder):
            Path(folder).mkdir(parents=True, exist_ok=True)

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:
        path = Path(self.data_folder_out) / f"{time_ns()}_{uuid.uuid4()}.{queue}.msg"
        partial = path.with_suffix(".partial")
        partial.write_text(dumps(payload))
        partial.rename(path)

    def _get(self, queue: str) -> Any:
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


class Transport(filesystem.Transport):
    Channel = Channel

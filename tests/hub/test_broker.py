from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty
from threading import Event

import pytest
from kombu import Connection

from hub.celery import app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "queue"


@pytest.fixture
def broker(folder: Path) -> Iterator[Connection]:
    options = {
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(folder.parent / "control"),
    }
    with app.connection_for_write(transport_options=options) as connection:
        yield connection


def send(broker: Connection, name: str, numbers: range) -> None:
    with broker.clone() as mine, mine.SimpleQueue(name) as queue:
        for number in numbers:
            queue.put(number)


def receive(broker: Connection, name: str, sent: Event) -> list[int]:
    """Takes messages until all are sent and none is left."""
    received: list[int] = []
    with broker.clone() as mine, mine.SimpleQueue(name) as queue:
        while True:
            last = sent.is_set()
            try:
                message = queue.get(timeout=0.5)
            except Empty:
                if last:
                    return received
            else:
                received.append(message.payload)
                message.ack()


def test_each_message_arrives_whole_and_once_however_many_write_and_read(broker: Connection, folder: Path) -> None:
    sent = Event()
    with ThreadPoolExecutor(5) as pool:
        readers = [pool.submit(receive, broker, "many", sent) for _ in range(2)]
        writers = [pool.submit(send, broker, "many", range(start, start + 200)) for start in (0, 200, 400)]
        for writer in writers:
            writer.result()
        sent.set()
        received = [number for reader in readers for number in reader.result()]
    assert sorted(received) == list(range(600))
    assert list(folder.iterdir()) == []


def test_a_queue_gives_its_own_messages_in_their_order(broker: Connection) -> None:
    send(broker, "other.bells", range(1))
    send(broker, "bells", range(1, 4))
    sent = Event()
    sent.set()
    assert receive(broker, "bells", sent) == [1, 2, 3]

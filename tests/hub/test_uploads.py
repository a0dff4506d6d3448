"""A table that somebody looked at and did not bring in does not stay for ever."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django.fixtures import Settings

from hub.celery import app

TASK = "hub.tasks.forget_uploads"


@pytest.fixture
def names(settings: Settings, tmp_path: Path) -> list[str]:
    settings.MEDIA_ROOT = str(tmp_path)
    kept = ("tables/one.csv", "tables/two.xlsx", "django-import-export/three", "appeals/four.txt")
    return [default_storage.save(name, ContentFile(b"a")) for name in kept]


def forget(after: timedelta) -> None:
    assert TASK in [one["task"] for one in app.conf.beat_schedule.values()]
    with time_machine.travel(datetime.now(UTC) + after, tick=False):
        app.tasks[TASK].apply().get()


def test_what_was_never_brought_in_is_forgotten_after_a_day(names: list[str]) -> None:
    forget(timedelta(hours=23))
    assert all(map(default_storage.exists, names))
    forget(timedelta(hours=25))
    assert [name for name in names if default_storage.exists(name)] == ["appeals/four.txt"]


def test_a_file_that_cannot_be_deleted_holds_up_no_other(names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    delete = default_storage.delete

    def stuck(name: str) -> None:
        if name == names[0]:
            raise PermissionError(13, "Permission denied", name)
        delete(name)

    monkeypatch.setattr(default_storage, "delete", stuck)
    forget(timedelta(hours=25))
    assert [name for name in names if default_storage.exists(name)] == [names[0], names[3]]


def test_where_nobody_sent_a_table_there_is_nothing_to_forget(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "none")
    forget(timedelta(days=2))
    assert not (tmp_path / "none").exists()

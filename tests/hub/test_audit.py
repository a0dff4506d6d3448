"""The audit of the libraries: a hole stops it, and an answer that nobody gave is none."""

import json
import runpy
import subprocess
from typing import Any

import pytest

from hub.settings import BASE_DIR

AUDIT = str(BASE_DIR / ".ci" / "audit.py")
HOLE = {"id": "PYSEC-2026-1", "fix_versions": ["2.0"]}
SOUND = {"name": "sound", "version": "1", "vulns": []}
BROKEN = {"name": "broken", "version": "1", "vulns": [HOLE]}
UNKNOWN = {"name": "unknown", "version": "1", "skip_reason": "not found"}


def run(monkeypatch: pytest.MonkeyPatch, answers: list[Any], *options: str) -> int:
    """The exit code, when the services answer so one after the other; None is no answer."""
    left = list(answers)

    def service(command: list[str], **kwargs: Any) -> subprocess.CompletedProcess[str]:
        answer = left.pop(0)
        return subprocess.CompletedProcess(command, 0, "" if answer is None else json.dumps({"dependencies": answer}))

    monkeypatch.setattr(subprocess, "run", service)
    monkeypatch.setattr("sys.argv", ["audit.py", *options])
    try:
        runpy.run_path(AUDIT, run_name="__main__")
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize(
    ("answers", "options", "code"),
    [
        ([[SOUND]], [], 0),
        ([[SOUND, BROKEN]], ["--if-online"], 1),
        ([[SOUND, UNKNOWN], [SOUND]], [], 0),
        ([[UNKNOWN], [BROKEN]], ["--if-online"], 1),
        ([[UNKNOWN], None], [], 3),
        ([None, None], [], 3),
        ([None, None], ["--if-online"], 0),
    ],
)
def test_only_an_answer_about_every_library_is_well(
    monkeypatch: pytest.MonkeyPatch, answers: list[Any], options: list[str], code: int
) -> None:
    assert run(monkeypatch, answers, *options) == code


def test_nobody_asked_is_said_out_loud(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run(monkeypatch, [None, [UNKNOWN]], "--if-online")
    assert "!!!! NOT AUDITED" in capsys.readouterr().out

"""Every text that people see has its Russian translation, and the compiled catalogue is made of that source."""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import polib

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = Path("hub/locale/ru/LC_MESSAGES/django.po")


def main() -> None:
    faults = [*untranslated(), *badly_formed(), *stale()]
    sys.exit("\n".join(faults) or None)


def untranslated() -> list[str]:
    """What makemessages finds in the code and the templates, and the catalogue does not translate."""
    with TemporaryDirectory() as folder:
        copy = Path(folder)
        for path in run("git", "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
            if (ROOT / path).is_file():
                (copy / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / path, copy / path)
        options = ["--locale", "ru", "--ignore", "tests/*", "--add-location", "file"]
        run(sys.executable, "manage.py", "makemessages", *options, folder=copy)
        entries = [entry for entry in polib.pofile(copy / CATALOGUE) if not entry.obsolete]
    return [
        f"{', '.join(path for path, _ in entry.occurrences)}: no Russian for {entry.msgid!r}"
        for entry in entries
        if not entry.translated()
    ]


def badly_formed() -> list[str]:
    """What msgfmt refuses, such as a placeholder that the translation lost."""
    checked = subprocess.run(  # noqa: S603
        ["msgfmt", "--check", "--output-file=/dev/null", ROOT / CATALOGUE],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return checked.stderr.splitlines() if checked.returncode else []


def stale() -> list[str]:
    source, compiled = ROOT / CATALOGUE, (ROOT / CATALOGUE).with_suffix(".mo")
    if compiled.exists() and texts(polib.mofile(compiled)) == texts(polib.pofile(source).translated_entries()):
        return []
    return [f"{compiled.relative_to(ROOT)} is not made of {CATALOGUE}: run manage.py compilemessages"]


def texts(entries: list[polib.POEntry]) -> set[tuple[str, str, str, str]]:
    return {(entry.msgctxt or "", entry.msgid, entry.msgstr, str(entry.msgstr_plural or "")) for entry in entries}


def run(*command: str, folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()

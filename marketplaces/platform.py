"""What a platform app may declare, and how the hub finds the platform apps."""

from pathlib import Path
from typing import ClassVar

from django.apps import AppConfig, apps


class Platform(AppConfig):
    """The AppConfig of one marketplace. Its folder is all that the hub needs to know of it.

    An `apps.py` imports this module, not this class (`from marketplaces import platform`): a second AppConfig class
    in an `apps.py` makes Django take neither.
    """

    slug: ClassVar[str]
    directory_file: ClassVar[str] = "directory.toml"

    @property
    def directory_path(self) -> Path:
        """The file of this marketplace's channels, hours, targets and escalation steps."""
        return Path(self.path) / self.directory_file

    @property
    def letters_path(self) -> Path:
        """The folder of this marketplace's own templates of letters; it need not be there."""
        return Path(self.path) / "letters"


def discover(folder: Path) -> list[str]:
    """Dotted names of the platform apps: the folders of `folder` that have an `apps.py` and a directory file."""
    return [
        f"{folder.name}.{path.parent.name}"
        for path in sorted(folder.glob("*/apps.py"))
        if (path.parent / Platform.directory_file).exists()
    ]


def installed() -> list[Platform]:
    """The platform apps of this installation, by slug."""
    return sorted((app for app in apps.get_app_configs() if isinstance(app, Platform)), key=lambda app: app.slug)

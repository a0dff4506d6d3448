"""The directory in the workplace."""

from marketplaces.admin import channels, directory

__all__ = ["channels", "directory"]

"""Everything that cannot be made again, the rows of the database and the files of the appeals, in one file.

The file is a plain tar: `manifest.json` first, the rows as gzipped lines of JSON, the files as they are, and
`SHA256SUMS` and `end.json` last. `tar xf` and `sha256sum --check SHA256SUMS` open and check it without the hub.
"""

from hub.backup.archive import BackupError, Summary
from hub.backup.dump import dump
from hub.backup.load import check, load

__all__ = ["BackupError", "Summary", "check", "dump", "load"]

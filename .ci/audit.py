"""Known holes in the libraries of requirements.lock, as the Python Packaging Advisory Database knows them.

pip-audit calls a library that its service cannot tell of "skipped", and ends as if all were well. Here that is no
answer: exit code 1 for a hole, 3 when nobody could be asked, 0 with `--if-online` in that case, out loud.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ("pypi", "osv")
HOLES, UNKNOWN = 1, 3


def main() -> None:
    optional = "--if-online" in sys.argv[1:]
    for service in SERVICES:
        libraries = ask(service)
        unasked = [one["name"] for one in libraries if "skip_reason" in one]
        holes = [one for one in libraries if one.get("vulns")]
        if holes:
            sys.exit(tell(holes))
        if libraries and not unasked:
            sys.stdout.write(f"{len(libraries)} libraries, no known hole ({service}).\n")
            return
        sys.stdout.write(
            f"{service}: no answer about {len(unasked) or 'any'} of {len(libraries) or 'the'} libraries.\n"
        )
    sys.stdout.write("!!!! NOT AUDITED: nobody could be asked for known holes in the libraries. !!!!\n")
    sys.exit(0 if optional else UNKNOWN)


def ask(service: str) -> list[dict[str, Any]]:
    """What the service says of each library; nothing when it does not answer."""
    options = ["--disable-pip", "--require-hashes", "-r", str(ROOT / "requirements.lock")]
    form = ["--format", "json", "--progress-spinner", "off", "--timeout", "15", "--vulnerability-service", service]
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pip_audit", *options, *form], capture_output=True, text=True, check=False, cwd=ROOT
    )
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return []
    return found


def tell(holes: list[dict[str, Any]]) -> int:
    for one in holes:
        for hole in one["vulns"]:
            mended = ", ".join(hole["fix_versions"]) or "no version yet"
            sys.stdout.write(f"{one['name']} {one['version']}: {hole['id']}, mended in {mended}\n")
    return HOLES


if __name__ == "__main__":
    main()

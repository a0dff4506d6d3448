"""Where in a TOML text a value stands: tomllib reads values and forgets their lines, an error message needs them."""

import tomllib
from collections import Counter

Place = tuple[str | int, ...]


def lines_of(text: str) -> dict[Place, int]:
    """The first line of every table and key of a valid TOML document, counted from 1.

    A key is named by its path, an element of an array of tables by its number: ("channels", 2, "kind").
    """
    found: dict[Place, int] = {}
    counts: Counter[Place] = Counter()
    table: Place = ()
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        statement, length = _statement(lines, number)
        path = _path(statement)
        if path and statement.lstrip().startswith("["):
            table = _table(path, statement, counts)
            found.setdefault(table, number + 1)
        elif path:
            for depth in range(1, len(path) + 1):
                found.setdefault((*table, *path[:depth]), number + 1)
        number += length
    return found


def line_of(place: Place, lines: dict[Place, int]) -> int:
    """The line of `place`, or of the nearest table around it; 1 if there is none."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _statement(lines: list[str], start: int) -> tuple[str, int]:
    """The statement that begins in line `start`, and how many lines it takes: the fewest that parse alone."""
    for end in range(start + 1, len(lines) + 1):
        statement = "\n".join(lines[start:end])
        try:
            tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        return statement, end - start
    return lines[start], 1


def _path(statement: str) -> tuple[str, ...]:
    """The keys that a header or a `key = value` names; empty for a comment."""
    path: list[str] = []
    value: object = tomllib.loads(statement.split("=", 1)[0] + "= 0" if _assigns(statement) else statement)
    while isinstance(value, dict | list) and value:
        if isinstance(value, list):
            value = value[0]
            continue
        key, value = next(iter(value.items()))
        path.append(key)
    return tuple(path)


def _assigns(statement: str) -> bool:
    return "=" in statement and not statement.lstrip().startswith(("[", "#"))


def _table(path: tuple[str, ...], header: str, counts: Counter[Place]) -> Place:
    """The place of a header, with the number of the current element after each array of tables on the way."""
    place: Place = ()
    for key in path[:-1]:
        place = (*place, key)
        if counts[place]:
            place = (*place, counts[place] - 1)
    place = (*place, path[-1])
    if header.lstrip().startswith("[["):
        counts[place] += 1
        return (*place, counts[place] - 1)
    return place

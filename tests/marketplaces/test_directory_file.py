"""A directory file that is wrong is refused with the file, the line, the key and the mend; nothing is loaded of it."""

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from marketplaces import directory, directory_schema, platform
from marketplaces.directory_file import DirectoryFileError, read_all, read_directory, read_shared
from marketplaces.models import Channel, EscalationStep, Grade, ResponseTarget, State, Topic
from marketplaces.models.directory_row import Audience
from marketplaces.toml_lines import lines_of
from marketplaces.working_time import Unit
from tests.marketplaces.directory_files import Folder, channel, everything, platform_text


def problems(folder: Folder, text: str) -> list[str]:
    """What the reader says of the text, each without the path."""
    folder.write(text)
    with pytest.raises(DirectoryFileError) as refused:
        read_directory(folder.platform, read_shared(folder.shared))
    lines = str(refused.value).splitlines()
    assert all(line.startswith(f"{folder.platform}:") for line in lines)
    return [line.removeprefix(f"{folder.platform}:") for line in lines]


def line_number(text: str, fragment: str) -> int:
    return text[: text.index(fragment)].count("\n") + 1


def test_a_sound_file_is_read_with_the_shared_steps_in_their_places(folder: Folder) -> None:
    content = read_directory(folder.platform, read_shared(folder.shared))

    assert [step.key for step in content.steps] == ["repeat", "claim"]
    claim = content.steps[1]
    assert (claim.name, claim.channel, claim.requires, claim.term_amount) == ("Претензия", "post", ["repeat"], 30)


@pytest.mark.parametrize(
    ("sound", "broken", "message"),
    [
        ('kind = "chat"', 'kind = "chatt"', r"channels\[chat\]\.kind: .*“chatt”.*'chat', 'ticket_form'"),
        ('opening_hours = "24/7"', 'opening_hours = "24/7\\u0000"', r"channels\[chat\]\.opening_hours: .*NUL"),
        ("needs_login = true", "need_login = true", r"need_login: .*Did you mean “needs_login”"),
        ("needs_login = true", 'needs_login = "yes"', r"needs_login: Needed: true or false. Here is 'yes'"),
        ('opening_hours = "24/7"', 'opening_hours = "Mo-Fr 9-18h"', r"opening_hours: "),
        ('opening_hours = "24/7"', 'opening_hours = "off"', r"opening_hours: "),
        ('time_zone = "Europe/Moscow"', 'time_zone = "Europe/Moskva"', r"marketplace\.time_zone: .*Europe/Moskva"),
        ('country = "RU"', 'country = "ZZ"', r"marketplace\.country: "),
        ('address = "https://bazaar.example/chat"', 'address = "javascript:alert(1)"', r"address: .*no address"),
        ('address = "https://bazaar.example/chat"', 'address = "http:/bazaar"', r"address: .*no address"),
        ('address = "https://bazaar.example/chat"', 'address = ""', r"address: .*working channel needs an address"),
        ('url = "https://bazaar.example/help"', 'url = "bazaar.example"', r"sources\.B1\.url: .*no web address"),
        ('state = "working"', 'state = "disputed"', r"channels\[chat\]\.state_reason: .*needs a reason"),
        ('source = "B1"', 'source = "B2"', r"source: .*\[sources\.B2\]"),
        ('source_grade = "A"', 'source_grade = "B"', r"source_grade: .*has grade B"),
        ('topic = "finance"', 'topic = "fin"', r"response_targets\[answer\]\.topic: .*bazaar-stalls, finance"),
        ('channel = "chat"', 'channel = "chap"', r"channel: .*chat, post"),
        ('use = "claim"', 'use = "clame"', r"escalation_steps\[clame\]\.use: .*claim"),
        ('requires = ["repeat"]', 'requires = ["claim"]', r"requires: .*No step “claim” stands before"),
        ('unit = "working_days"', 'unit = "days"', r"unit: .*'working_days'"),
        ("amount = 2", "amount = 0", r"response_targets\[answer\]\.amount: The number is less than 1"),
        ("amount = 2", "amount = 100001", r"amount: The number is more than 100000"),
        ("amount = 2", 'amount = "2"', r"amount: Needed: a whole number"),
        ('country = "RU"', "country = 7", r"country: Needed: a text in quotation marks"),
        ('slug = "bazaar"', f'slug = "{"a" * 41}"', r"marketplace\.slug: The text is longer than 40"),
        ('requires = ["repeat"]', 'requires = "repeat"', r"requires: Needed: a list"),
        ("term_amount = 5\n", "", r"rules\[pay-rent\]\.term_amount: .*amount and a unit"),
        ('name_en = "Stalls"', 'name_en = ""', r"topics\[bazaar-stalls\]\.name_en: .*empty"),
        ('examples_en = ["The stall is taken"]', "examples_en = []", r"examples_en: .*one language"),
        ('examples_en = ["The stall is taken"]', 'examples_en = ["a", "b"]', r"examples_en: .*different number"),
        ('slug = "bazaar-stalls"', 'slug = "stalls"', r"slug: .*begins with “bazaar-”"),
        ('slug = "bazaar-stalls"', 'slug = "Прилавки"', r"slug: .*does not fit"),
        ("[marketplace.provenance.legal_entity]", "[marketplace.provenance.legal]", r"legal: .*no such fact"),
        ("[sources.B1]", "[sources.law]", r"sources\.law: .*shared file"),
        ("schema = 1", "schema = 2", r"schema: .*“2”"),
        ("verified_on = 2026-11-01", "verified_on = 2026-11-31", r"-: .*not TOML"),
        ("verified_on = 2026-11-01", 'verified_on = "2026-11-01"', r"verified_on: Needed: a date, as 2026-10-05"),
    ],
)
def test_a_mistake_is_named_with_its_line_its_key_and_the_mend(
    folder: Folder, sound: str, broken: str, message: str
) -> None:
    text = platform_text(channel("chat"), channel("post"))
    assert sound in text
    found = problems(folder, text.replace(sound, broken, 1))

    assert any(re.search(message, line) for line in found), found
    mistaken = [line for line in found if re.search(message, line)]
    near = line_number(text, sound)
    assert any(abs(int(line.split(":")[0]) - near) <= 10 for line in mistaken)
    if broken and "[" not in sound and "needs a reason" not in message:
        assert any(line.startswith(f"{near}:") for line in mistaken), found


def test_lists_in_lists_without_end_are_no_toml(folder: Folder) -> None:
    text = platform_text(channel("chat"), channel("post")) + f"x = {'[' * 3000}"
    assert any("not TOML" in line for line in problems(folder, text))
    text = platform_text(channel("chat"), channel("post")) + "x ="
    assert not any("Invalid" in line for line in problems(folder, text))


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(folder: Folder) -> None:
    text = platform_text(channel("chat", kind='"x"'), channel("post", state='"y"')).replace(
        "amount = 2", "amount = -1"
    )

    found = problems(folder, text)

    assert [line.split(": ")[1] for line in found] == [
        "channels[chat].kind",
        "channels[post].state",
        "response_targets[answer].amount",
    ]


def test_two_rows_of_one_name_are_refused(folder: Folder) -> None:
    found = problems(folder, platform_text(channel("chat"), channel("post"), channel("chat")))

    assert [line.split(": ", 1)[1] for line in found] == ["channels[chat]: “chat” stands here twice. Rename one."]


TARGET = '[[response_targets]]\nkey = "{key}"\nkind = "first_reply"\n{named}\namount = 1\nunit = "hours"\n'
SOURCED = 'source = "B1"\nsource_grade = "A"\nverified_on = 2026-11-01\n'


def with_targets(**named: str) -> str:
    targets = "".join(TARGET.format(key=key, named=text) + SOURCED for key, text in named.items())
    return platform_text(channel("chat"), channel("post")) + targets


def test_targets_that_could_both_fit_one_appeal_are_refused(folder: Folder) -> None:
    found = problems(folder, with_targets(money='topic = "finance"', complex="is_complex = true"))

    assert len(found) == 1
    assert "response_targets[complex]: “money” and “complex” could both fit one appeal" in found[0]


def test_a_more_specific_target_settles_a_tie(folder: Folder) -> None:
    both = 'topic = "finance"\nis_complex = true'
    folder.write(with_targets(money='topic = "finance"', complex="is_complex = true", both=both))

    assert len(read_directory(folder.platform, read_shared(folder.shared)).response_targets) == 4


def test_targets_for_different_values_do_not_tie(folder: Folder) -> None:
    folder.write(with_targets(normal='priority = "normal"', urgent='priority = "urgent"'))

    assert len(read_directory(folder.platform, read_shared(folder.shared)).response_targets) == 3


def test_a_second_platform_may_not_claim_the_names_of_the_first(folder: Folder, tmp_path: Path) -> None:
    copy = tmp_path / "copy.toml"
    copy.write_text(folder.platform.read_text())

    with pytest.raises(DirectoryFileError) as refused:
        read_all(folder.shared, [folder.platform, copy])

    keys = {problem.key for problem in refused.value.problems}
    assert keys == {"marketplace.slug", "sources.B1", "topics[bazaar-stalls].slug"}
    assert {problem.path for problem in refused.value.problems} == {str(copy)}


@pytest.mark.parametrize(
    ("data", "place"),
    [(None, "1: -: "), (b"schema = 1\nname = \xff\n", "2: -: "), (b"", "1: schema: "), (b'a = "', "1: -: ")],
    ids=["absent", "not UTF-8", "empty", "cut off"],
)
def test_a_file_that_cannot_even_be_parsed_is_refused_with_a_place(
    folder: Folder, data: bytes | None, place: str
) -> None:
    folder.platform.unlink()
    if data is not None:
        folder.platform.write_bytes(data)

    with pytest.raises(DirectoryFileError, match=re.escape(f"{folder.platform}:{place}")):
        read_directory(folder.platform, read_shared(folder.shared))


def test_the_shared_file_is_checked_as_well(folder: Folder) -> None:
    folder.shared.write_text(folder.shared.read_text().replace('source = "law"', 'source = "lore"', 1))

    with pytest.raises(DirectoryFileError, match=r"shared\.toml:\d+: topics\[finance\]\.source: .*lore"):
        read_shared(folder.shared)


def test_a_step_that_is_changed_in_its_use_needs_a_reason(folder: Folder) -> None:
    text = folder.platform.read_text().replace('use = "claim"', 'use = "claim"\nstate = "unconfirmed"')

    assert "escalation_steps[claim].state_reason" in problems(folder, text)[0]


def test_lines_are_found_in_every_form_that_toml_allows() -> None:
    text = '\n# [[no]]\n[a."b c"]\nx.y = 1\n[[l]]\n[[l]]\nt = """\nk = 1\n"""\nm = [\n 1,\n]\n[l.n]\nz = {q = 1}'

    assert lines_of(text) == {
        ("a", "b c"): 3,
        ("a", "b c", "x"): 4,
        ("a", "b c", "x", "y"): 4,
        ("l", 0): 5,
        ("l", 1): 6,
        ("l", 1, "t"): 7,
        ("l", 1, "m"): 10,
        ("l", 1, "n"): 13,
        ("l", 1, "n", "z"): 14,
    }


@pytest.mark.parametrize(
    ("allowed", "choices"),
    [
        (directory_schema.ChannelKind, Channel.Kind),
        (directory_schema.State, State),
        (directory_schema.Grade, Grade),
        (directory_schema.Audience, Audience),
        (directory_schema.Unit, Unit),
        (directory_schema.Required, Topic.Required),
        (directory_schema.TargetFact.model_fields["kind"].annotation, ResponseTarget.Kind),
        (directory_schema.StepFact.model_fields["takes_place"].annotation, EscalationStep.Place),
    ],
)
def test_the_files_and_the_database_allow_the_same_values(allowed: Any, choices: Any) -> None:
    assert set(get_args(allowed)) == set(choices.values)


# One hundred broken files: a shipped file with one thing spoilt. Each way of spoiling takes the lines of the file and
# gives them back with the number of the line to blame, or 0 where only some line can be asked for.

Lines = list[str]
Spoiler = Callable[[Lines, random.Random], int]
SIMPLE = r"[a-z_]+ = "


def one_of(lines: Lines, chance: random.Random, pattern: str) -> int:
    """The index of some line that fits. Every shipped file has one."""
    return chance.choice([number for number, line in enumerate(lines) if re.match(pattern, line)])


def value(pattern: str, text: str) -> Spoiler:
    """Gives some key of that name another value."""

    def spoil(lines: Lines, chance: random.Random) -> int:
        number = one_of(lines, chance, rf"({pattern}) = [^\[\"]|({pattern}) = \"(?!\"\")|({pattern}) = \[.*\]$")
        lines[number] = lines[number].split(" = ")[0] + f" = {text}"
        return number + 1

    return spoil


def misspell(lines: Lines, chance: random.Random) -> int:
    number = one_of(lines, chance, SIMPLE)
    lines[number] = "x" + lines[number]
    return number + 1


def leave_out(lines: Lines, chance: random.Random) -> int:
    del lines[one_of(lines, chance, "(name|key|kind|source|source_grade|verified_on) = ")]
    return 0


def unclose(lines: Lines, chance: random.Random) -> int:
    number = one_of(lines, chance, SIMPLE + r'"[^"]+"$')
    lines[number] = lines[number][:-1]
    return number + 1


def repeat_line(lines: Lines, chance: random.Random) -> int:
    number = one_of(lines, chance, SIMPLE + r'"[^"]+"$')
    lines.insert(number, lines[number])
    return number + 2


def repeat_table(lines: Lines, chance: random.Random) -> int:
    start = one_of(lines, chance, r"\[\[(channels|topics|rules)\]\]")
    end = next((n for n in range(start + 1, len(lines)) if lines[n].startswith("[")), len(lines))
    lines[start:start] = lines[start:end]
    return end + 1


def conflict(lines: Lines, chance: random.Random) -> int:
    number = one_of(lines, chance, r"\[")
    lines.insert(number, "<<<<<<< HEAD")
    return number + 1


def cut(lines: Lines, chance: random.Random) -> int:
    number = one_of(lines, chance, SIMPLE + r'"[^"]+"$')
    del lines[number + 1 :]
    lines[number] = lines[number][:-2]
    return number + 1


SPOILERS: list[Spoiler] = [
    misspell,
    leave_out,
    unclose,
    repeat_line,
    repeat_table,
    conflict,
    cut,
    value("[a-z_]+", "1.5"),
    value("kind|state|source_grade|grade|audience|takes_place|term_unit", '"nonsense"'),
    value("source|use|channel|topic", '"no-such-thing"'),
    value("name_en|title_en|state_reason_en|remarks_en|published", '""'),
    value("verified_on", "2026-02-30"),
    value("verified_on", '"2026-11-22"'),
    value("opening_hours", '"Mo-Fr nine to six"'),
    value("time_zone", '"Moscow time"'),
    value("needs_login|works_without_account", '"no"'),
    value("key|slug", '"Не ключ"'),
    value("url|seller_portal", '"seller ozon ru"'),
    value("country", '"Russia"'),
    value("required|topics|examples|requires", "[7]"),
]


@pytest.mark.django_db
def test_a_hundred_broken_files_are_refused_with_a_place_and_change_nothing(tmp_path: Path) -> None:
    directory.load(now=datetime(2026, 11, 20, tzinfo=UTC))
    before = everything()
    sound = [app.directory_path for app in platform.installed()]
    broken = tmp_path / "directory.toml"
    for number in range(100):
        chance = random.Random(number)  # noqa: S311  repeatable, not secret
        lines = sound[number % len(sound)].read_text().splitlines()
        spoil = SPOILERS[number // len(sound) % len(SPOILERS)]
        blamed = spoil(lines, chance)
        broken.write_text("\n".join(lines))

        with pytest.raises(DirectoryFileError) as refused:
            directory.load(now=datetime(2026, 11, 22, tzinfo=UTC), files=[broken])

        found = refused.value.problems
        assert all(problem.path == str(broken) and 1 <= problem.line <= len(lines) for problem in found)
        assert all(problem.key and problem.message for problem in found)
        assert not blamed or blamed in {problem.line for problem in found}, (number, blamed, str(refused.value))
    assert everything() == before

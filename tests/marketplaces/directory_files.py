"""A small directory of an invented marketplace, written to a folder by tests that need to change it."""

from pathlib import Path
from typing import Any

from marketplaces.directory_rows import KINDS
from marketplaces.models import Channel, DirectoryChange, EscalationStep, ShippedFact

SHARED = """
schema = 1

[sources.law]
title = "Закон о базарах"
title_en = "The law on bazaars"
published = "2020"
grade = "B"

[[topics]]
slug = "finance"
name = "Финансы"
name_en = "Finance"
examples = ["Нет выплаты"]
examples_en = ["No payout"]
required = ["dates"]
good_appeal = "Назовите отчёт."
good_appeal_en = "Name the report."
source = "law"
source_grade = "B"
verified_on = 2026-11-01

[[legal_steps]]
key = "claim"
audience = "sellers"
name = "Претензия"
name_en = "Claim"
takes_place = "other"
when_to_take = "Перед судом."
when_to_take_en = "Before court."
term_amount = 30
term_unit = "calendar_days"
letter = "claim"
state = "working"
source = "law"
source_grade = "B"
verified_on = 2026-11-01
"""

HEAD = """
schema = 1

[sources.B1]
title = "Справка Базара"
title_en = "Bazaar's help"
url = "https://bazaar.example/help"
published = "2026-01-01"
grade = "A"

[marketplace]
slug = "bazaar"
name = "Базар"
name_en = "Bazaar"
country = "RU"
time_zone = "Europe/Moscow"
legal_entity = "ООО «Базар»"

[marketplace.provenance.time_zone]
source = "B1"
source_grade = "A"
verified_on = 2026-11-01

[marketplace.provenance.legal_entity]
source = "B1"
source_grade = "A"
verified_on = 2026-11-01
"""

TAIL = """
[[topics]]
slug = "bazaar-stalls"
name = "Прилавки"
name_en = "Stalls"
examples = ["Прилавок занят"]
examples_en = ["The stall is taken"]
required = []
good_appeal = "Назовите ряд."
good_appeal_en = "Name the row."
source = "B1"
source_grade = "A"
verified_on = 2026-11-01

[[response_targets]]
key = "answer"
kind = "answer"
topic = "finance"
channel = "chat"
amount = 2
unit = "working_days"
source = "B1"
source_grade = "A"
verified_on = 2026-11-01

[[rules]]
key = "pay-rent"
name = "Платить за прилавок"
name_en = "Pay for the stall"
term_amount = 5
term_unit = "working_days"
consequence = "Прилавок займут."
consequence_en = "The stall is lost."
state = "working"
source = "B1"
source_grade = "A"
verified_on = 2026-11-01

[[escalation_steps]]
key = "repeat"
audience = "sellers"
name = "Повтор"
name_en = "Repeat"
takes_place = "platform"
when_to_take = "Нет ответа."
when_to_take_en = "No answer."
channel = "chat"
state = "working"
source = "B1"
source_grade = "A"
verified_on = 2026-11-01

[[escalation_steps]]
use = "claim"
channel = "post"
requires = ["repeat"]
"""


def channel(key: str, **values: str) -> str:
    """One [[channels]] table; `values` are TOML values that replace or join the usual ones."""
    lines = {
        "kind": '"chat"',
        "name": f'"Канал {key}"',
        "name_en": f'"Channel {key}"',
        "address": '"https://bazaar.example/chat"',
        "audience": '"sellers"',
        "opening_hours": '"24/7"',
        "needs_login": "true",
        "works_without_account": "false",
        "state": '"working"',
        "source": '"B1"',
        "source_grade": '"A"',
        "verified_on": "2026-11-01",
    } | values
    return f'\n[[channels]]\nkey = "{key}"\n' + "".join(f"{name} = {value}\n" for name, value in lines.items())


def platform_text(*channels: str) -> str:
    return HEAD + "".join(channels) + TAIL


class Folder:
    """The shared file and the one of Bazaar."""

    def __init__(self, path: Path) -> None:
        self.shared, self.platform = path / "shared.toml", path / "bazaar.toml"
        self.shared.write_text(SHARED)
        self.write(platform_text(channel("chat"), channel("post")))

    def write(self, text: str) -> None:
        self.platform.write_text(text)


def everything() -> list[Any]:
    """All rows of the directory, their history and the record of what was shipped."""
    models: list[Any] = [
        *(kind.model for kind in KINDS),
        ShippedFact,
        DirectoryChange,
        Channel.topics.through,
        EscalationStep.requires.through,
    ]
    return [list(model._default_manager.order_by("pk").values()) for model in models]

"""The date of a source is said in the reader's language."""

import pytest
from django.utils import translation

from marketplaces.published import published_text


@pytest.mark.parametrize(
    ("kept", "russian"),
    [
        ("", ""),
        ("2026", "2026"),
        ("2024?", "2024?"),
        ("2025-10", "10.2025"),
        ("2026-08-10", "10.08.2026"),
        ("2026-03-12; 2026-01-09", "12.03.2026; 09.01.2026"),
        ("2022-2023", "2022–2023"),
        ("2026-13-40", "2026-13-40"),
        ("undated; 2023", "без даты; 2023"),
        ("about 2017", "около 2017"),
        ("after 2023-04", "после 04.2023"),
        ("2023 or later", "2023 или позже"),
        ("2026 and older", "2026 и раньше"),
        ("old product", "прежний продукт"),
    ],
)
def test_it_is_said_in_russian(kept: str, russian: str) -> None:
    with translation.override("ru"):
        assert published_text(kept) == russian


def test_english_keeps_its_words() -> None:
    with translation.override("en"):
        assert published_text("about 2017") == "about 2017"

"""Every list of the admin, asked with what nobody can mean: it is refused with words, and never fails."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import models, transaction
from django.template import engines
from django.test import Client, RequestFactory
from django.urls import reverse

from hub.models import User

HUGE = str(2**70)
ODD = ("%00", HUGE, "%ED%A0%80", "a" * 5000, "9" * 5000, "-1.5e999")
OWN = ("p", "o", "e", "all", "_facets", "_popup", "_to_field", "_changelist_filters", "nonsense")

both = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])


@pytest.fixture
def root(db: None) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("root@example.com"))
    return client


def questions(model: type[models.Model], user: User) -> Iterator[tuple[str, str]]:
    """What the address of a list may be asked oddly: its own words, its filters', and the columns of its rows."""
    request = RequestFactory().get("/")
    request.user = user
    listed = admin.site._registry[model].get_changelist_instance(request)
    filters = {name for one in listed.filter_specs for name in one.expected_parameters() if name}
    yield from (("q", value) for value in ODD)
    yield from ((name, ODD[(place + len(filters)) % len(ODD)]) for place, name in enumerate(OWN))
    yield from ((name, value) for name in sorted(filters) for value in ("%00", HUGE))
    for field in model._meta.fields:
        if field.is_relation:
            yield f"{field.name}__id__exact", HUGE
        elif isinstance(field, models.IntegerField):
            yield f"{field.name}__in", HUGE
        else:
            yield field.name, "%00"
        if isinstance(field, models.TextField | models.CharField | models.JSONField):
            yield f"{field.name}__contains", "%00"


@both
def test_no_list_fails_of_an_odd_address(database: str, root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lists are drawn without their frame: it asks nothing of the address."""
    user, failed = User.objects.get(), []
    light = engines["django"].from_string("{% for row in cl.result_list %}{{ row }}{% endfor %}")
    for model, page in admin.site._registry.items():
        monkeypatch.setattr(type(page), "change_list_template", light)
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for name, value in questions(model, user):
            with transaction.atomic():
                answer = root.get(address, QUERY_STRING=f"{name}={value}")
                transaction.set_rollback(True)
            if answer.status_code >= 500:
                failed.append(f"{address}?{name}={value[:30]}: {why(answer)}")
    assert failed == []


def why(answer: Any) -> Any:
    return answer.exc_info[1]


@both
@pytest.mark.parametrize("chosen", ["1\x002", HUGE, "abc"])
def test_rows_that_nobody_can_choose_are_named(database: str, root: Client, chosen: str) -> None:
    answer = root.post(
        reverse("admin:marketplaces_channel_changelist"), {"action": "check_today", "_selected_action": chosen}
    )
    if (database, chosen) == ("postgresql", HUGE):  # it compares such a number, and finds no row
        assert answer.status_code == 302
        return
    assert answer.status_code == 400
    assert "_selected_action" in answer.content.decode()

"""What tests of the workplace do with the pages of a row of the directory."""

from typing import Any

from django.test import Client
from django.urls import reverse


def filled(client: Client, row: Any) -> dict[str, Any]:
    """What a browser would send back for the row's page as it is now."""
    page = client.get(change(row))
    form = page.context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def save(client: Client, row: Any, values: dict[str, Any]) -> None:
    answer = client.post(change(row), values)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    row.refresh_from_db()


def change(row: Any) -> str:
    return reverse(f"admin:marketplaces_{row._meta.model_name}_change", args=[row.pk])


def listed(model: str, query: str = "") -> str:
    return reverse(f"admin:marketplaces_{model}_changelist") + query

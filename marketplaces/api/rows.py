"""How a row of the directory is written: what may change, who stands behind it, and whom it is told to."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from marketplaces import history
from marketplaces.api.fields import RowSerializer, Text
from marketplaces.models import Grade
from marketplaces.models.directory_row import DirectoryRow
from marketplaces.signals import place_of, tell_of_promises


class DirectoryRowSerializer(RowSerializer):
    """Writes a row of the directory: its own checks first, then the row, with who stands behind it.

    A row keeps the marketplace and the identifier that it was made with: appeals refer to them.
    """

    source = Text(  # type: ignore[assignment]
        max_length=200, required=False, help_text="Where it is known from. Without one: who entered it."
    )
    source_grade = serializers.ChoiceField(choices=Grade.choices, required=False, help_text="How far to trust it.")

    made_with: tuple[str, ...] = ("marketplace",)
    lists: tuple[str, ...] = ()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in self.made_with if self.instance else ():
            if name in attrs and attrs[name] != getattr(self.instance, name):
                text = str(_("This cannot be changed. Make a new row and delete this one."))
                raise ValidationError({name: [ErrorDetail(text, code="fixed")]})
        return attrs

    def create(self, validated_data: dict[str, Any]) -> DirectoryRow:
        user = self.context["request"].user
        model: Any = self.Meta.model
        return self._save(model(verified_by=user), {"source": f"entered by {user.email}", **validated_data})

    def update(self, instance: DirectoryRow, validated_data: dict[str, Any]) -> DirectoryRow:
        if "verified_on" in validated_data:
            instance.verified_by = self.context["request"].user
        return self._save(instance, validated_data)

    @transaction.atomic
    def _save(self, row: DirectoryRow, values: dict[str, Any]) -> DirectoryRow:
        user, now = self.context["request"].user, timezone.now()
        before = history.values_of(row) if row.pk else None
        lists = {name: values.pop(name) for name in self.lists if name in values}
        for name, value in values.items():
            setattr(row, name, value)
        row.full_clean()
        row.save()
        for name, members in lists.items():
            getattr(row, name).set(members)
        if before is None:
            history.entered(row=row, now=now, actor=user)
        else:
            history.record(row=row, before=before, action=history.Action.CHANGED, now=now, actor=user)
        tell_of_promises(type(row), place_of(row), actor=user)
        return row

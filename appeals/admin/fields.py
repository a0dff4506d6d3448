"""Form fields for what people type: texts, numbers in any shape, and moments in their own time zone."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.forms.models import ModelChoiceIterator
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from appeals import wording
from marketplaces.calendars import covers

MAX_NUMBERS = 500
MAX_LENGTH = 100
Text = str | Any  # Any stands for what gettext_lazy gives


def explained(name: Text, explanation: Text) -> SafeString:
    """A choice and, below it, what it means."""
    return format_html('<span class="hub-choice"><b>{}</b> <span>{}</span></span>', name, explanation)


explained_lazy = lazy(explained, SafeString)


class NumbersField(forms.CharField):
    """A list of numbers or codes, typed or pasted in any shape; a number stands once. `spaces` may be part of one."""

    def __init__(self, *, spaces: bool = False, **kwargs: Any) -> None:
        self.separators = re.compile(r"[,;\n\t\r]+" if spaces else r"[,;\s]+")
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 2, "spellcheck": "false"})
        super().__init__(**{"required": False, "widget": widget} | kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        parts = (part.strip() for part in self.separators.split(value or ""))
        return list(dict.fromkeys(part for part in parts if part))

    def validate(self, value: Any) -> None:
        super().validate(value)
        if len(value) > MAX_NUMBERS:
            raise forms.ValidationError(_("At most %(limit)d numbers.") % {"limit": MAX_NUMBERS})
        for number in value:
            ProhibitNullCharactersValidator()(number)
            if len(number) > MAX_LENGTH:
                raise forms.ValidationError(
                    _("“%(number)s…” is too long for a number. Separate numbers with a comma or a new line.")
                    % {"number": number[:20]}
                )

    def run_validators(self, value: Any) -> None:
        """The validators of CharField are for one text, not for a list."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(list(initial or []) != self.to_python(data))


class MomentField(forms.DateTimeField):
    """A moment in the reader's zone, which the help text names; the browser's own picker, typed by keyboard too."""

    widget = forms.DateTimeInput(
        format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local", "class": " ".join([*INPUT_CLASSES, "max-w-xs"])}
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False} | kwargs)

    def clean(self, value: Any) -> datetime | None:
        """Refuses a year that no calendar covers."""
        at = super().clean(value) or None
        if at and not covers(at):
            raise forms.ValidationError(_("No calendar covers this year."))
        return at


def zone_text(help_text: str = "") -> str:
    """`help_text` with the zone in which the moment is meant."""
    now = timezone.now()
    named = _("Your time, %(zone)s.") % {"zone": wording.zone(now)}
    return f"{help_text} {named}".strip()


class GroupedIterator(ModelChoiceIterator):  # type: ignore[type-arg]
    """Choices under the name of their marketplace. The rows come ordered by marketplace."""

    def __iter__(self) -> Iterator[Any]:
        if self.field.empty_label is not None:
            yield ("", self.field.empty_label)
        for marketplace, rows in groupby(self.queryset, key=lambda row: row.marketplace):
            label = str(marketplace) if marketplace else _("All marketplaces")
            yield (label, [self.choice(row) for row in rows])


class GroupedChoiceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice of shop, topic or channel, grouped by marketplace: the script shows the groups that fit the shop."""

    iterator = GroupedIterator
    widget = UnfoldAdminSelectWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"empty_label": gettext_lazy("Choose")} | kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return obj.text("name") if hasattr(obj, "text") else str(obj)


class ChannelField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice among the channels of one marketplace, which need not be named with each."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.text("name"))


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files; the value is a list. An empty one is refused by the verb, which names it."""

    def __init__(self, **kwargs: Any) -> None:
        widget = FilesInput(attrs={"class": "hub-files"})
        kwargs = {"required": False, "allow_empty_file": True, "widget": widget, **kwargs}
        super().__init__(**kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:
        files = (data if isinstance(data, list | tuple) else [data]) or [None]
        return [kept for kept in (super(FilesField, self).clean(file, initial) for file in files) if kept]


def text_field(label: Text, *, rows: int = 6, required: bool = True, help_text: Text = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        help_text=help_text,
        max_length=100_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": rows}),
    )


def number_field() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("number at the marketplace"),
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
    )

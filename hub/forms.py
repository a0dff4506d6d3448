"""The forms of people, roles and the keys of programs."""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib.auth.forms import ReadOnlyPasswordHashWidget
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import UserChangeForm, UserCreationForm
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from hub.days_off import DaysOffField
from hub.models import ApiToken, User

GIVEN = {
    "hub": ["user", "apitoken"],
    "auth": ["group"],
    "marketplaces": ["marketplace", "channel", "topic", "responsetarget", "escalationstep", "rule", "source"],
    "appeals": ["shop", "membership", "appeal", "event", "deadline", "attachment", "reminder", "reminderrule"],
}


def permission_text(app: str, codename: str) -> str:
    """ "appeals: change"; empty for what is none of the four, or of no model that there is."""
    verbs = {"add": _("add"), "change": _("change"), "delete": _("delete"), "view": _("view")}
    action, _sign, name = codename.partition("_")
    try:
        return f"{gettext(str(apps.get_model(app, name)._meta.verbose_name_plural))}: {verbs[action]}"
    except LookupError:
        return ""


class RoleField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return gettext(obj.name)


class NewUserForm(UserCreationForm):
    class Meta:
        model = User
        fields = ["email"]
        field_classes: dict[str, Any] = {}


class PasswordWidget(ReadOnlyPasswordHashWidget):
    """How a password is stored says nothing to whom it concerns."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        if len(context["summary"]) > 1:
            context["summary"] = [{"label": gettext("There is a password.")}]
        return context


class UserForm(UserChangeForm):
    days_off = DaysOffField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "password" in self.fields:
            self.fields["password"].widget = PasswordWidget()

    class Meta:
        model = User
        fields = "__all__"
        field_classes: dict[str, Any] = {}
        help_texts = {
            "is_active": _("Off when somebody leaves: no log-in, no API, no reminders; their tokens are deleted."),
            "is_staff": _("Off for a program: it works through the API by its token and opens no pages."),
        }


def given(permissions: QuerySet[Permission]) -> QuerySet[Permission]:
    """Those that somebody gives a role by hand: of the pages of the hub and of its API."""
    models = Q()
    for app, names in GIVEN.items():
        models |= Q(content_type__app_label=app, content_type__model__in=names)
    return permissions.filter(models)


class PermissionField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Permission) -> str:
        return permission_text(obj.content_type.app_label, obj.codename) or obj.name


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new key: whose, what for, and for how long."""

    days = forms.IntegerField(
        label=capfirst(_("valid for, days")),
        required=False,
        min_value=1,
        max_value=3650,
        help_text=_("Empty: until it is revoked."),
        widget=UnfoldAdminIntegerFieldWidget,
    )

    class Meta:
        model = ApiToken
        fields = ["user", "name"]
        labels = {"user": capfirst(_("person"))}
        widgets = {"user": UnfoldAdminSelectWidget, "name": UnfoldAdminTextInputWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "name" in self.fields:  # not where a key that is there is read
            self.fields["name"].help_text = _(
                "Which program it is for: by this name you will know it in the list. The key itself is shown once,"
                " after you save."
            )

"""Roles in the workplace: what each may do. Their names are shown in the reader's language."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, gettext_noop, override
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from hub.forms import PermissionField, given
from hub.models import User

# The roles that a migration makes; their names are stored in English and shown in the reader's language
ROLES = [
    gettext_noop("viewer"),
    gettext_noop("agent"),
    gettext_noop("lead"),
    gettext_noop("directory editor"),
    gettext_noop("integration"),
    gettext_noop("administrator"),
]

admin.site.unregister(Group)


def is_of_hub(role: Group) -> bool:
    return role.name in ROLES or hasattr(role, "is_of_hub")


def _stays(role: Group) -> str:
    return gettext("The role “%(role)s” belongs to the hub and stays.") % {"role": gettext(role.name)}


class RoleFilter(admin.RelatedFieldListFilter):
    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        return [(pk, gettext(str(name))) for pk, name in super().field_choices(field, request, model_admin)]


def _names_of_hub() -> set[str]:
    """What the roles of the hub are called, in each language: a second one of that name could not be told from it."""
    names = set(ROLES)
    for language, _name in settings.LANGUAGES:
        with override(language):
            names |= {gettext(role) for role in ROLES}
    return {name.casefold() for name in names}


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A role keeps the rights that are not on offer here; a new one has none to keep."""

    class Meta:
        error_messages = {"name": {"unique": _("There is a role of this name already.")}}

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if name.casefold() in _names_of_hub():
            raise ValidationError(_("A role of the hub is called that. Choose another name."))
        return name

    def clean_permissions(self) -> QuerySet[Permission]:
        every, chosen = Permission.objects.all(), self.cleaned_data["permissions"]
        wanted = Q(pk__in=[one.pk for one in chosen])
        if self.instance.pk:
            hidden = every.exclude(pk__in=given(every).values("pk"))
            wanted |= Q(pk__in=hidden.filter(group=self.instance.pk).values("pk"))
        return every.filter(wanted)


@admin.register(Group)
class RoleAdmin(BaseGroupAdmin, ModelAdmin):
    form = RoleForm
    list_display = ["shown_name", "people"]
    ordering = ["id"]  # as the migration made them: by what they may do; their names are sorted in no language
    fields = ["name", "permissions"]
    filter_horizontal = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        roles: QuerySet[Group] = super().get_queryset(request)
        return roles.annotate(people=Count("user"))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Group | None:
        """Heads and histories call a role of the hub in the reader's language; nothing is saved when they are read."""
        role: Group | None = super().get_object(request, object_id, from_field)
        if role is not None and is_of_hub(role):
            role.is_of_hub = True  # type: ignore[attr-defined]
            role.name = role.name if request.method == "POST" else gettext(role.name)
        return role

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> list[str]:
        return ["name"] if obj is not None and is_of_hub(obj) else []

    def response_change(self, request: HttpRequest, obj: Group) -> HttpResponse:
        obj.name = gettext(obj.name)
        answer: HttpResponse = super().response_change(request, obj)
        return answer

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name != "permissions":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        return PermissionField(
            given(Permission.objects.select_related("content_type")).order_by("content_type", "id"),
            label=_("What they may do"),
            required=False,
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
        )

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """A role that a migration made stays: the hub and its words know it by name."""
        return (obj is None or not is_of_hub(obj)) and bool(super().has_delete_permission(request, obj))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        role = self.get_object(request, unquote(object_id))
        if role is not None and is_of_hub(role) and self.has_delete_permission(request):
            messages.error(request, _stays(role))
            return redirect("admin:auth_group_change", role.pk)
        answer: HttpResponse = super().delete_view(request, object_id, extra_context)
        return answer

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], dict[str, int], Any, Any]:
        """The roles and how many people lose them, instead of one line for each right."""
        _found, _counts, forbidden, protected = super().get_deleted_objects(objs, request)
        if staying := [_stays(role) for role in objs if is_of_hub(role)]:
            forbidden, protected = set(), [*protected, *staying]
        roles = [gettext(role.name) for role in objs]
        losing = User.objects.filter(groups__in=[role.pk for role in objs]).distinct().count()
        counts = {str(self.opts.verbose_name_plural): len(roles), gettext("people who have them"): losing}
        return roles, counts, forbidden, protected

    @display(description=_("role"))
    def shown_name(self, obj: Group) -> str:
        return gettext(obj.name)

    @display(description=_("people"))
    def people(self, obj: Group) -> int:
        return int(obj.people)  # type: ignore[attr-defined]

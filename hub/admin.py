"""People, and the keys of programs."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
)

from hub import locks, people, twofactor
from hub.forms import NewUserForm, RoleField, TokenForm, UserForm
from hub.models import ApiToken, User
from hub.profile import say_unreadable
from hub.roles import RoleFilter
from hub.trail.listening import tell_of_person
from marketplaces.hours_text import describe
from marketplaces.models import ROUND_THE_CLOCK
from marketplaces.opening_hours import OpeningHoursError

END_LOCKS = gettext_noop("Let them try to log in again at once")

for kept_secret in (TOTPDevice, StaticDevice):  # keys and codes are for the page of their owner
    admin.site.unregister(kept_secret)
admin.site.index_title = _("What needs me now")


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    """Only administrators of the installation make administrators: nobody can raise their own rights."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    shows_moments = True
    list_display = ["email", "full_name", "roles", "is_active", "last_login"]
    list_filter = ["is_active", ("groups", RoleFilter)]
    search_fields = ["email__folded", "full_name__folded"]
    ordering = ["email"]
    filter_horizontal = []
    # What is shown instead of a field to those who may not change it
    READ = {"working_hours": "shown_hours", "groups": "roles"}
    readonly_fields = ["last_login", "date_joined", "open_appeals", "trail", *READ.values()]
    actions = ["turn_second_step_off", "end_locks"]
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["email", "password", "full_name"]}),
        (_("How they work"), {"fields": ["language", "time_zone", "working_hours", "days_off"]}),
        (_("What they may do"), {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        (_("Their work"), {"fields": ["open_appeals", "trail"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["email", "full_name", "usable_password", "password1", "password2", "groups"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related(Prefetch("groups", Group.objects.order_by("id")))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name != "groups":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        return RoleField(
            Group.objects.order_by("id"),
            label=_("Roles"),
            required=False,
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
        )

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        sets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return sets
        read = [[self.READ.get(str(one), one) for one in options["fields"]] for _name, options in sets]
        return [(name, {**options, "fields": fields}) for (name, options), fields in zip(sets, read, strict=True)]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        own = [] if request.user.is_superuser else ["is_superuser"]
        return [*super().get_readonly_fields(request, obj), *own]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if isinstance(obj, User) and obj.is_superuser and not request.user.is_superuser:
            return False
        return bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Who leaves is deactivated, and stays in the history of what they did. Only an unused account is deleted."""
        unused = isinstance(obj, User) and people.is_unused(obj) and self.has_change_permission(request, obj)
        return unused and bool(super().has_delete_permission(request, obj))

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data and not obj.is_active:
            people.deactivate(obj)
            messages.info(request, gettext("The account is closed: its tokens are gone, its sessions have ended."))

    @action(description=_("Turn the second step off: the phone is lost"))
    def turn_second_step_off(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in self._whom_they_may_change(request, queryset):
            twofactor.turn_off(user)
            messages.success(request, gettext("%(user)s logs in with the password alone.") % {"user": user})

    @action(description=_(END_LOCKS))
    def end_locks(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in self._whom_they_may_change(request, queryset):
            if count := locks.release(user):
                tell_of_person(user, END_LOCKS, count, 0)
            messages.success(request, gettext("%(user)s may try to log in again.") % {"user": user})

    def _whom_they_may_change(self, request: HttpRequest, queryset: QuerySet[User]) -> list[User]:
        return [user for user in queryset if self.has_change_permission(request, user)]

    @display(description=_("working hours"))
    def shown_hours(self, obj: User) -> str:
        try:
            return describe(obj.working_hours or ROUND_THE_CLOCK, obj.zone_name, get_language() or obj.language)
        except OpeningHoursError:
            return obj.working_hours

    @display(description=_("open appeals"))
    def open_appeals(self, obj: User) -> SafeString | str:
        """Those in the shops that the reader leads are handed over from here."""
        count = obj.assigned_appeals.filter(people.OPEN).count()
        if not count:
            return gettext("none")
        words = ngettext("%(count)d appeal: hand over", "%(count)d appeals: hand over", count) % {"count": count}
        return format_html('<a class="underline" href="{}">{}</a>', reverse("handover-person", args=[obj.pk]), words)

    @display(description=_("what they did"))
    def trail(self, obj: User) -> SafeString:
        return format_html('<a class="underline" href="{}?who={}">{}</a>', reverse("trail"), obj.pk, gettext("Trail"))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if isinstance(obj := kwargs.get("obj"), User):
            say_unreadable(request, obj)
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description=_("roles"))
    def roles(self, obj: User) -> str:
        names = [gettext(group.name) for group in obj.groups.all()]
        if obj.is_superuser:
            names.insert(0, gettext("administrator of the installation"))
        return ", ".join(names) or self.get_empty_value_display()


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    """A key is shown once, when it is made; afterwards only its first characters are known. To revoke is to delete."""

    form = TokenForm
    shows_moments = True
    list_display = ["name", "shown_key", "shown_user", "made", "ends", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["name__folded", "user__email", "token_key"]
    show_full_result_count = False
    empty_hint = _("A token lets a program work with the API in the name of a person.")
    fields = ["user", "name", "days"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        tokens: QuerySet[ApiToken] = super().get_queryset(request)
        return tokens if request.user.is_superuser else tokens.filter(user=request.user.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return twofactor.may_make_tokens(request) and bool(super().has_add_permission(request))

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> list[str]:
        return self.list_display if obj else ["user", "name", "days"]

    @display(description=_("begins with"), ordering="token_key")
    def shown_key(self, obj: ApiToken) -> str:
        return f"{obj.token_key}…"

    @display(description=_("person"), ordering="user")
    def shown_user(self, obj: ApiToken) -> str:
        return str(obj.user)

    @display(description=_("made"), ordering="created")
    def made(self, obj: ApiToken) -> datetime:
        moment: datetime = obj.created
        return moment

    @display(description=_("valid until"), ordering="expiry")
    def ends(self, obj: ApiToken) -> datetime | str:
        return obj.expiry or gettext("without end")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"user": request.user.pk, **super().get_changeform_initial_data(request)}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user" and not request.user.is_superuser:
            kwargs["queryset"] = User.objects.filter(pk=request.user.pk or 0)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """One button: what follows is the page that shows the key, whichever was pressed."""
        other = {"show_save_and_add_another": False, "show_save_and_continue": False}
        answer: HttpResponse = super().add_view(request, form_url, {**(extra_context or {}), **other})
        return answer

    def save_model(self, request: HttpRequest, obj: ApiToken, form: TokenForm, change: bool) -> None:
        days = form.cleaned_data["days"]
        made, secret = ApiToken.objects.create(
            user=obj.user, name=obj.name, expiry=timedelta(days=days) if days else None
        )
        obj.__dict__.update(made.__dict__)
        request.new_token = secret  # type: ignore[attr-defined]

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Back to the list: nobody may change a token, and Django leads those to the first page."""
        super().response_delete(request, obj_display, obj_id)
        return redirect("admin:hub_apitoken_changelist")

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: Any = None) -> HttpResponse:
        """The key itself, in this one answer: it is neither stored nor put into the session, nor cached."""
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("The new API token"),
            "token": request.new_token,  # type: ignore[attr-defined]
            "back": reverse("admin:hub_apitoken_changelist"),
        }
        return TemplateResponse(request, "admin/hub/apitoken/made.html", context)

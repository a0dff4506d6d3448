"""Shops and who works for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelChoiceField, ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminTextareaWidget

from appeals import shops
from appeals.admin.people import own_shops, reader
from appeals.models import Appeal, Membership, Shop
from marketplaces.admin.referring import CountsWhatRefers


class MembersFormSet(PaginationInlineFormSet):
    def clean(self) -> None:
        super().clean()
        kept = [form.cleaned_data for form in self.forms if form.is_valid() and not form.cleaned_data.get("DELETE")]
        led = any(member.get("is_lead") for member in kept if member.get("user"))
        if not led and self.instance.memberships.filter(is_lead=True).exists():
            raise ValidationError(_("Somebody who leads the shop must stay."))

    def get_unique_error_message(self, unique_check: Any) -> str:
        """The one pair that must be unique here is a shop and its member."""
        return gettext("This member is named twice.")


class MembershipInline(TabularInline):
    """Those who lead a shop, and administrators, choose its members."""

    model = Membership
    formset = MembersFormSet
    extra = 0
    hide_title = True
    verbose_name_plural = _("members")
    readonly_fields = ["person"]

    def get_fields(self, request: HttpRequest, obj: Shop | None = None) -> list[str]:
        """Where a member is only read, their name is a link: not for those whom the page of a person refuses."""
        may_open = any(request.user.has_perm(f"hub.{verb}_user") for verb in ("view", "change"))
        return ["user" if may_open or self._leads(request, obj) else "person", "is_lead"]

    @display(description=_("user"))
    def person(self, obj: Membership) -> str:
        return str(obj.user)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        members: QuerySet[Membership] = super().get_queryset(request)
        return members.select_related("user")

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["queryset"] = get_user_model().objects.filter(is_active=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """In a table the heading of a column labels no field by itself."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, ModelChoiceField) and db_field.name == "user":  # the shop of the row is a choice, too
            field.choices = self._people(request, field)
        if field is not None:
            widget = getattr(field.widget, "widget", field.widget)
            widget.attrs["aria-label"] = str(field.label)
        return field

    def has_add_permission(self, request: HttpRequest, obj: Shop | None = None) -> bool:
        return self._leads(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Shop | None = None) -> bool:
        return self._leads(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Shop | None = None) -> bool:
        return self._leads(request, obj)

    @staticmethod
    def _people(request: HttpRequest, field: ModelChoiceField[Any]) -> list[tuple[Any, Any]]:
        """Read once for all rows of the table."""
        if not hasattr(request, "hub_people"):
            request.hub_people = list(cast("Iterable[Any]", field.choices))  # type: ignore[attr-defined]
        people: list[tuple[Any, Any]] = request.hub_people  # type: ignore[attr-defined]
        return people

    def _leads(self, request: HttpRequest, shop: Shop | None) -> bool:
        if request.user.is_superuser or shop is None:
            return bool(request.user.is_superuser)
        return any(own.pk == shop.pk and own.is_led for own in own_shops(request))  # type: ignore[attr-defined]


@admin.register(Shop)
class ShopAdmin(CountsWhatRefers, ModelAdmin):
    list_display = ["name", "marketplace", "seller_id", "legal_name"]
    list_filter = ["marketplace"]
    list_select_related = ["marketplace"]
    search_fields = ["name__folded", "seller_id", "legal_name__folded", "inn"]
    show_full_result_count = False
    empty_hint = _(
        "A shop is your seller account on one marketplace. Appeals are logged for a shop, so add one first."
    )
    empty_for_readers = _("The shops stand here that you are a member of. Ask whoever leads a shop to add you.")
    formfield_overrides = {models.TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})}}
    fieldsets: list[tuple[Any, dict[str, Any]]] = [
        (None, {"fields": ["marketplace", "name", "seller_id"]}),
        (
            _("For letters and claims"),
            {
                "fields": ["legal_name", ("inn", "ogrn"), "postal_address"],
                "description": _("Needed for complaints and formal claims only; they can be added later."),
            },
        ),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Shop | None = None) -> Any:
        """A new shop has no table of members yet: it says where they are."""
        first, *others = self.fieldsets
        said = _("You lead the shop that you add. Its other members are chosen once it is saved.")
        return [first, *others] if obj else [(first[0], {**first[1], "description": said}), *others]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shop]:
        return Shop.objects.visible_to(request.user)

    def get_readonly_fields(self, request: HttpRequest, obj: Shop | None = None) -> list[str]:
        """A shop stays on its marketplace: topics and channels of its appeals are those of that one."""
        return ["marketplace"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: Shop | None) -> list[type[MembershipInline]]:
        return [MembershipInline] if obj else []

    def save_model(self, request: HttpRequest, obj: Shop, form: ModelForm[Shop], change: bool) -> None:
        if change:
            changed = {name: form.cleaned_data[name] for name in form.changed_data if name in form.cleaned_data}
            shops.edit(shop=obj, actor=reader(request), **changed)
        else:
            obj.pk = shops.create(actor=reader(request), **form.cleaned_data).pk

    def response_add(self, request: HttpRequest, obj: Shop, post_url_continue: str | None = None) -> HttpResponse:
        """Back to the first appeal: that is what the first shop is added for."""
        if (
            Appeal.objects.visible_to(reader(request)).exists()
            or "_popup" in request.POST
            or "_save" not in request.POST
        ):
            usual: HttpResponse = super().response_add(request, obj, post_url_continue)
            return usual
        messages.success(request, gettext("The shop is added. Now log the first appeal."))
        return HttpResponseRedirect(f"{reverse('admin:appeals_appeal_add')}?shop={obj.pk}")

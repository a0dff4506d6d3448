"""The pages on which the appeals of somebody who left, or is away, are handed over."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_list_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSelectWidget

from appeals.admin.people import colleagues, reader
from appeals.models import Appeal, Membership, Shop
from hub import people
from hub.models import User


class HandoverForm(forms.Form):
    to = forms.ModelChoiceField(
        User.objects.none(),
        label=gettext_lazy("who takes them over"),
        empty_label=gettext_lazy("Select value"),
        widget=UnfoldAdminSelectWidget,
    )
    appeals = forms.ModelMultipleChoiceField(
        Appeal.objects.none(),
        label=gettext_lazy("appeals"),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "hub-choices"}),
    )

    def __init__(self, *args: Any, person: User, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        open_appeals = people.left_open(person, reader=user)
        self.fields["to"].queryset = colleagues(user).exclude(pk=person.pk).order_by("email")  # type: ignore[attr-defined]
        self.fields["appeals"].queryset = open_appeals  # type: ignore[attr-defined]
        self.fields["appeals"].label_from_instance = lambda appeal: f"{appeal} — {appeal.shop}"  # type: ignore[attr-defined]
        self.fields["appeals"].initial = [appeal.pk for appeal in open_appeals]


def people_view(request: HttpRequest) -> HttpResponse:
    """Everybody who has open appeals in the reader's shops."""
    user = _lead(request)
    return _page(request, "admin/hub/handover_people.html", _("Handing over"), people=people.with_open_appeals(user))


def person_view(request: HttpRequest, pk: int) -> HttpResponse:
    user = _lead(request)
    person = people.with_open_appeals(user).filter(pk=pk).first()
    if person is None:
        get_list_or_404(Membership, user=pk, shop__in=Shop.objects.led_by(user))  # of others nothing is told
        messages.info(request, _("There is nothing left to hand over."))
        return redirect("handover")
    form = HandoverForm(request.POST or None, person=person, user=user)
    if request.method == "POST" and form.is_valid():
        done, refused = people.hand_over(
            appeals=form.cleaned_data["appeals"], to=form.cleaned_data["to"], actor=user, now=timezone.now()
        )
        _tell(request, len(done), str(form.cleaned_data["to"]))
        for appeal, why in refused:
            messages.error(request, f"{appeal}: {why}")
        return HttpResponseRedirect(request.path if refused else "../")
    return _page(request, "admin/hub/handover.html", _("Handing over"), person=person, form=form)


def _lead(request: HttpRequest) -> User:
    """Administrators lead every shop, before there is one too."""
    user = reader(request)
    leads = user.is_superuser or Shop.objects.led_by(user).exists()
    if not leads or not user.has_perm("appeals.change_appeal"):
        raise PermissionDenied
    return user


def _tell(request: HttpRequest, count: int, name: str) -> None:
    if count:
        words = ngettext("%(count)d appeal is now with %(name)s.", "%(count)d appeals are now with %(name)s.", count)
        messages.success(request, words % {"count": count, "name": name})


def _page(request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), "title": title, **context})

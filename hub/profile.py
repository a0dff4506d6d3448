"""What everybody may set for themselves."""

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from hub.days_off import DaysOffField
from hub.models import User


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    days_off = DaysOffField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))

    class Meta:
        model = User
        fields = ["full_name", "language", "time_zone", "working_hours", "days_off"]
        widgets = {
            "full_name": UnfoldAdminTextInputWidget,
            "language": UnfoldAdminSelectWidget,
            "time_zone": UnfoldAdminTextInputWidget(attrs={"list": "time-zones"}),
            "working_hours": UnfoldAdminTextInputWidget,
        }


def say_unreadable(request: HttpRequest, user: User) -> None:
    """On the page of a person whose hours or zone are kept in a form that can be read no more."""
    if request.method == "GET":
        for sentence in user.unreadable():
            messages.warning(request, sentence)


def profile(request: HttpRequest) -> HttpResponse:
    """What everybody may set for themselves: language, time zone, hours."""
    user = User.objects.get(pk=request.user.pk or 0)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, gettext("Saved."))
        return HttpResponseRedirect(reverse("profile"))
    say_unreadable(request, user)
    context = {**admin.site.each_context(request), "title": gettext("My settings"), "form": form}
    return TemplateResponse(request, "admin/hub/profile.html", context)

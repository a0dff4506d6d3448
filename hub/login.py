"""The doors of logging in: password, code, a forgotten password, and the set-up of the second step."""

from __future__ import annotations

import logging
from base64 import b32encode
from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import authenticate, login, views
from django.contrib.auth.forms import PasswordResetForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.safestring import mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from kombu.exceptions import OperationalError
from unfold.forms import AuthenticationForm
from unfold.widgets import BASE_INPUT_CLASSES, UnfoldAdminEmailInputWidget, UnfoldAdminPasswordWidget

from hub import locks, twofactor
from hub.models import User
from hub.tasks import mail_password_reset

logger = logging.getLogger(__name__)
BACKEND = "django.contrib.auth.backends.ModelBackend"
OPEN_WITHOUT_SECOND_STEP = {"second-step", "login", "login-code", "logout", "jsi18n"}


class TwoFactorMiddleware:
    """Leads administrators without a second step to its set-up, where HUB_REQUIRE_2FA asks for one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        if (match and match.url_name in OPEN_WITHOUT_SECOND_STEP) or not twofactor.is_missing(request):
            return None
        if not request.path.startswith("/api/"):
            return HttpResponseRedirect(reverse("second-step"))
        if request.headers.get("Authorization", "").lower().startswith("bearer "):
            return None  # a token or nobody: the session is not asked
        error = {"code": "second_step", "detail": _("Set up the second step of your log-in first."), "attr": None}
        return JsonResponse({"type": "client_error", "errors": [error]}, status=403)


class CodeForm(forms.Form):
    code = forms.CharField(
        label=capfirst(gettext_lazy("code")),
        max_length=20,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autofocus": True,
                "spellcheck": "false",
                "class": " ".join(BASE_INPUT_CLASSES),
            }
        ),
    )


class SetUpForm(CodeForm):
    password = forms.CharField(
        label=gettext_lazy("your password"),
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    field_order = ["password", "code"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["code"].widget.attrs["autofocus"]  # the password comes first


class ActForm(CodeForm):
    """One of two on a page: neither has the focus, so that nobody types into the wrong one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["code"].widget.attrs["autofocus"]
        self.fields["code"].help_text = _("Six digits from the app on your phone, or one of your backup codes.")


class SitePage:
    """What the pages of the workplace know, for somebody who is not in it yet."""

    request: HttpRequest
    page_title: Any = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        return {**admin.site.each_context(self.request), **context, "title": str(self.page_title), "subtitle": None}


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class LoginView(SitePage, views.LoginView):
    template_name = "admin/login.html"
    authentication_form = AuthenticationForm
    page_title = gettext_lazy("Log in")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if admin.site.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        return super().get(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        user = cast("User", form.get_user())
        if not twofactor.is_set_up(user):
            return super().form_valid(form)
        twofactor.remember(self.request, user, self.get_success_url())
        return HttpResponseRedirect(reverse("login-code"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(app_path=self.request.get_full_path(), **kwargs)


@sensitive_post_parameters()
@never_cache
def code_view(request: HttpRequest) -> HttpResponse:
    """The second step of somebody whose password was right."""
    waiting = twofactor.pending(request)
    if waiting is None:
        return HttpResponseRedirect(reverse("admin:login"))
    user, then = waiting
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            device = twofactor.check(request, user, form.cleaned_data["code"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            del request.session[twofactor.PENDING]
            user.otp_device = device  # type: ignore[attr-defined]
            login(request, user, backend=BACKEND)
            return HttpResponseRedirect(then)
    context = {**admin.site.each_context(request), "title": _("The code of your app"), "form": form}
    return TemplateResponse(request, "admin/login_code.html", context)


@sensitive_post_parameters()
@never_cache
def second_step_view(request: HttpRequest) -> HttpResponse:
    """Everybody's own second step: set up, new backup codes, off."""
    user = User.objects.get(pk=request.user.pk or 0)
    return _change_page(request, user) if twofactor.is_set_up(user) else _set_up_page(request, user)


def _set_up_page(request: HttpRequest, user: User) -> HttpResponse:
    form = SetUpForm(request.POST or None)
    if form.is_valid():
        try:
            return _set_up(request, user, form)
        except ValidationError as error:
            form.add_error(None, error)
    key = twofactor.new_key(request)
    drawn = mark_safe(twofactor.picture(user, key))  # noqa: S308 -- our drawing
    return _page(request, "admin/hub/second_step.html", form=form, picture=drawn, key=_typed(key))


def _change_page(request: HttpRequest, user: User) -> HttpResponse:
    """Each act is a form of its own: the Enter key in the field of a code does what stands above that field."""
    given = {act: request.POST if act in request.POST else None for act in ("_codes", "_off")}
    acts = {act: ActForm(data, auto_id=f"id{act}_%s") for act, data in given.items()}
    for act, form in acts.items():
        if form.is_valid():
            try:
                return _change(request, user, act, form)
            except ValidationError as error:
                form.add_error(None, error)
    left = twofactor.backup_codes_left(user)
    return _page(request, "admin/hub/second_step_on.html", left=left, codes=acts["_codes"], off=acts["_off"])


def _set_up(request: HttpRequest, user: User, form: forms.Form) -> HttpResponse:
    """The password is asked for again: whoever finds an open browser must not shut its owner out."""
    if authenticate(request, username=user.email, password=form.cleaned_data["password"]) is None:
        raise ValidationError({"password": _("The password is wrong.")})
    codes = twofactor.set_up(request, user, "".join(form.cleaned_data["code"].split()))
    return _page(request, "admin/hub/backup_codes.html", codes=codes, is_new=True)


def _change(request: HttpRequest, user: User, act: str, form: forms.Form) -> HttpResponse:
    twofactor.check(request, user, form.cleaned_data["code"])
    if act == "_codes":
        return _page(request, "admin/hub/backup_codes.html", codes=twofactor.new_backup_codes(user))
    twofactor.turn_off(user)
    login(request, user, backend=BACKEND)
    messages.success(request, _("The second step is off. All your other sessions have ended."))
    return HttpResponseRedirect(reverse("second-step"))


def _page(request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
    site = {**admin.site.each_context(request), "title": _("The second step of your log-in")}
    return TemplateResponse(request, template, site | context)


def _typed(key: str) -> str:
    """The key as apps take it when it is typed: base32, in groups of four."""
    text = b32encode(bytes.fromhex(key)).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


class ForgottenForm(PasswordResetForm):
    email = forms.EmailField(
        label=capfirst(gettext_lazy("e-mail")),
        max_length=254,
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "email", "autofocus": True}),
    )

    def save(self, **options: Any) -> None:  # type: ignore[override]
        """A task finds out whether there is such a person: the answer is the same for all, and as fast."""
        try:
            mail_password_reset.delay(self.cleaned_data["email"])
        except OperationalError:
            logger.exception("The broker does not answer: no mail with a link to a new password is sent.")


@method_decorator(never_cache, name="dispatch")
class ForgottenView(SitePage, views.PasswordResetView):
    template_name = "admin/password_forgotten.html"
    form_class = ForgottenForm
    success_url = reverse_lazy("password_reset_done")
    page_title = gettext_lazy("A new password")


class ForgottenDoneView(SitePage, views.PasswordResetDoneView):
    template_name = "admin/password_mailed.html"
    page_title = gettext_lazy("A new password")


class NewPasswordView(SitePage, views.PasswordResetConfirmView):
    """The link of the mail: good for an hour and for one new password."""

    template_name = "admin/password_new.html"
    success_url = reverse_lazy("admin:login")
    page_title = gettext_lazy("A new password")

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        for name in ("new_password1", "new_password2"):
            form.fields[name].widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
        return form

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        locks.release(cast("User", self.user))
        messages.success(self.request, _("The new password is set. Log in with it."))
        return answer

"""Dialogs of verbs: pages where there is no JavaScript, and what a verb refuses said at its field."""

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect


def go(request: HttpRequest, url: str) -> HttpResponse:
    """A redirect that leaves a dialog too."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def proposed(request: HttpRequest) -> dict[str, str]:
    """What a link in a mail, or of a letter, proposes for the fields of a verb."""
    return {name: request.GET[name] for name in ("until", "step") if name in request.GET}


def add_errors(form: BaseForm, error: ValidationError) -> None:
    """Errors of a verb at the fields of the form; `at` of the verb is `sent_at` of the form that logs."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for field, errors in error.error_dict.items():
        name = "sent_at" if field == "at" and "at" not in form.fields else field
        form.add_error(name if name in form.fields and name != NON_FIELD_ERRORS else None, errors)

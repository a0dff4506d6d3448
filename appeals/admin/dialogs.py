"""Dialogs of verbs: pages where there is no JavaScript, and what a verb refuses said at its field."""

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

_WHEN_LOGGING = {"at": "sent_at", "file": "attachments"}


def go(request: HttpRequest, url: str) -> HttpResponse:
    """A redirect that leaves a dialog too."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def proposed(request: HttpRequest) -> dict[str, str]:
    """What a link in a mail, or of a letter, proposes for the fields of a verb."""
    return {name: request.GET[name] for name in ("until", "step") if name in request.GET}


def files_again(form: BaseForm) -> None:
    """A browser sends files once: a form that comes back with an error says that they are to be chosen anew."""
    if form.files and form.errors:
        name = next(name for name in form.fields if form.fields[name].widget.needs_multipart_form)
        form.add_error(name, _("Choose the files again."))


def add_errors(form: BaseForm, error: ValidationError) -> None:
    """Errors of a verb at the fields of the form, some of which have another name on the form that logs."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for field, errors in error.error_dict.items():
        name = field if field in form.fields else _WHEN_LOGGING.get(field, field)
        form.add_error(name if name in form.fields and name != NON_FIELD_ERRORS else None, errors)

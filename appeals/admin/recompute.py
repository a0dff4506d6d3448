"""Running deadlines after an edit of the directory: the editor is told what would move, and moves it in one click."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from appeals import recompute
from appeals.models import Deadline
from appeals.tasks import recompute_deadlines
from marketplaces.models import Marketplace
from marketplaces.signals import promises_changed

if TYPE_CHECKING:
    from hub.models import User

COUNTED_AT_ONCE = 10_000
"""How many live deadlines are counted through while somebody waits for their page."""


@receiver(promises_changed)
def follow(*, marketplace_ids: set[int], actor: "User", request: HttpRequest | None, **kwargs: Any) -> None:
    """Asks the person who changed the directory; where nobody can be asked, the deadlines follow by themselves."""
    for place in Marketplace.objects.filter(pk__in=marketplace_ids):
        if request is None:
            recompute_deadlines.delay(place.pk, actor.pk)
        elif text := _what_would_move(place):
            address = reverse("recompute", args=[place.slug])
            link = '{} <a href="{}" style="text-decoration: underline">{}</a>'
            messages.warning(request, format_html(link, text, address, _("Look and recompute")))


@permission_required("marketplaces.change_channel", raise_exception=True)
@require_http_methods(["GET", "POST"])
def recompute_view(request: HttpRequest, slug: str) -> HttpResponse:
    """What a recomputation of one marketplace's running deadlines would do, and the button that queues it."""
    place = get_object_or_404(Marketplace, slug=slug)
    if request.method == "POST":
        recompute_deadlines.delay(place.pk, cast("User", request.user).pk)
        messages.success(request, _("The deadlines are being recomputed in the background."))
        return HttpResponseRedirect(reverse("admin:marketplaces_marketplace_change", args=[place.pk]))
    context = {
        **admin.site.each_context(request),
        "title": _("Running deadlines: %(marketplace)s") % {"marketplace": place},
        "place": place,
        "effect": _preview(place),
        "many": _many(place),
    }
    return TemplateResponse(request, "admin/appeals/recompute.html", context)


def _preview(place: Marketplace) -> recompute.Effect | None:
    """None where there are too many to wait for."""
    live = Deadline.objects.live().filter(appeal__shop__marketplace=place)
    if live[COUNTED_AT_ONCE:].exists():
        return None
    return recompute.preview(now=timezone.now(), marketplace_id=place.pk, size=COUNTED_AT_ONCE)


def _many(place: Marketplace) -> str:
    return _("There are many running deadlines on %(marketplace)s.") % {"marketplace": place}


def _what_would_move(place: Marketplace) -> str:
    effect = _preview(place)
    if effect is None:
        return _many(place)
    if not effect.moved:
        return ""
    moved = ngettext(
        "%(count)d running deadline on %(marketplace)s would move by this.",
        "%(count)d running deadlines on %(marketplace)s would move by this.",
        effect.moved,
    ) % {"count": effect.moved, "marketplace": place}
    if not effect.become_late:
        return moved
    late = ngettext("%(count)d would become late.", "%(count)d would become late.", effect.become_late)
    return f"{moved} {late % {'count': effect.become_late}}"

"""The addresses of the API. Each view is served through `wired`: what all calls have in common is put on here."""

from typing import Any

from csp.decorators import csp_replace
from django.urls import include, path, re_path
from django.utils import translation
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from appeals.api.appeals import AppealViewSet
from appeals.api.evidence import EvidenceViewSet
from appeals.api.letters import LetterViewSet
from appeals.api.promises import ContactViewSet, PromiseViewSet
from appeals.api.reminders import ReminderViewSet
from appeals.api.review import ReviewViewSet
from appeals.api.shops import ShopViewSet
from appeals.api.timeline import AttachmentViewSet, EventViewSet
from hub import csp
from hub.api.me import MeViewSet
from hub.api.protocol import wired
from marketplaces.api import views as directory

OF_APPEAL = rf"appeals/(?P<appeal_id>{directory.DIGITS})"
OF_MARKETPLACE = rf"marketplaces/(?P<slug>{directory.SLUG})"


@extend_schema(exclude=True)
class SchemaView(SpectacularAPIView):
    """The description is one text, whoever reads it: in English."""

    authentication_classes: list[Any] = []

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with translation.override("en"):
            answer: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
            return answer


class NoSuchAddress(APIView):
    """The API's own 404: a program that reads JSON gets JSON here too."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []
    throttle_classes: list[Any] = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        text = _("There is nothing at this address.")
        if not request.path.endswith("/"):
            text = f"{text} {_('Addresses of this API end with a slash.')}"
        raise NotFound(text)


def router() -> SimpleRouter:
    found = SimpleRouter(trailing_slash=True)
    views: dict[str, type[GenericViewSet[Any]]] = {
        "marketplaces": directory.MarketplaceViewSet,
        rf"{OF_MARKETPLACE}/contact": ContactViewSet,
        rf"{OF_MARKETPLACE}/escalation-path": directory.EscalationPathViewSet,
        "channels": directory.ChannelViewSet,
        "topics": directory.TopicViewSet,
        "response-targets": directory.ResponseTargetViewSet,
        "escalation-steps": directory.EscalationStepViewSet,
        "shops": ShopViewSet,
        "appeals": AppealViewSet,
        rf"{OF_APPEAL}/events": EventViewSet,
        rf"{OF_APPEAL}/attachments": AttachmentViewSet,
        "reminders": ReminderViewSet,
    }
    for prefix, view in views.items():
        found.register(prefix, wired(view), basename=prefix.split("/")[-1])
    return found


urlpatterns = [
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", csp_replace(csp.DOCS)(SpectacularSwaggerSplitView.as_view(url_name="schema")), name="docs"),
    path("v1/me/", wired(MeViewSet).as_view({"get": "retrieve"}), name="me"),
    re_path(rf"^v1/{OF_MARKETPLACE}/promise/$", wired(PromiseViewSet).as_view({"get": "retrieve"}), name="promise"),
    re_path(rf"^v1/{OF_APPEAL}/review/$", wired(ReviewViewSet).as_view({"get": "list"}), name="review"),
    re_path(
        rf"^v1/{OF_APPEAL}/evidence/$", wired(EvidenceViewSet).as_view({"get": "retrieve"}), name="appeal-evidence"
    ),
    re_path(rf"^v1/{OF_APPEAL}/letter/$", wired(LetterViewSet).as_view({"get": "retrieve"}), name="letter"),
    path("v1/", include(router().urls)),
    re_path(r"^", NoSuchAddress.as_view()),
]

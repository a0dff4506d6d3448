"""Appeals and the moves of their life."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.viewsets import GenericViewSet

from appeals import lifecycle, undo
from appeals.api import filters, moves
from appeals.api.people import MayWork, caller
from appeals.api.serializers import STEP_SHOWN, AppealSerializer
from appeals.api.shown import SHOWN, complete, one
from appeals.escalation import Paths
from appeals.models import Appeal, Shop
from marketplaces.api.views import DIGITS


def move(arguments: type[Serializer[Any]], url_path: str) -> Callable[[Any], Any]:
    """A move of an appeal's life: what it takes, and the appeal as it is then."""
    described = extend_schema(
        request=arguments, responses={200: OpenApiResponse(AppealSerializer, "The appeal as it is now.")}
    )
    return lambda method: described(action(detail=True, methods=["post"], url_path=url_path)(method))


class AppealViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet[Appeal]):
    """Appeals of the shops that the caller works for; of other shops there is nothing here."""

    serializer_class = AppealSerializer
    permission_classes = [IsAuthenticated, MayWork]
    verbs = {"create": "add", "destroy": "delete"}
    queryset = Appeal.objects.all()
    filterset_class = filters.Appeals
    lookup_value_regex = DIGITS
    ordering = "-created_at"
    ordering_fields = ("created_at", "submitted_at", "next_due_at", "amount_at_stake")
    http_method_names = ["get", "post", "patch", "delete"]
    writes_by_verbs = True

    def get_queryset(self) -> QuerySet[Appeal]:
        """Of a list the shops are named by number: then the database knows how many rows they have, and reads the few
        of a small team or walks down the order of a large one."""
        if self.action == "list":
            return SHOWN.filter(shop__in=Shop.objects.numbers_visible_to(self.request.user))
        rows: Any = SHOWN if self.action == "retrieve" else super().get_queryset()
        visible: QuerySet[Appeal] = rows.visible_to(self.request.user)
        return visible

    def get_object(self) -> Any:
        appeal = super().get_object()
        return complete([appeal])[0] if self.action == "retrieve" else appeal

    def paginate_queryset(self, queryset: Any) -> list[Any]:
        return complete(super().paginate_queryset(queryset) or [])

    def get_serializer_context(self) -> dict[str, Any]:
        now = timezone.now()
        directory = getattr(self.request.auth, "directory", None)
        paths = Paths(timezone.localdate(now), STEP_SHOWN, directory=directory)
        return {**super().get_serializer_context(), "now": now, "paths": paths}

    @extend_schema(responses={201: AppealSerializer})
    def create(self, request: Request) -> Response:
        """Makes a draft. Nothing is promised, and nobody is reminded, until it is submitted."""
        serializer = self.get_serializer(data=request.data)
        appeal = lifecycle.create(actor=caller(request), now=timezone.now(), **self._read(serializer))
        serializer.instance = _with_nothing_yet(appeal)
        return Response(serializer.data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Changes what is asked. Clocks that run move to the promise that applies then."""
        appeal = self.get_object()
        changes = self._read(self.get_serializer(appeal, data=request.data, partial=True))
        changes.pop("shop", None)
        return self._answer(lifecycle.edit(appeal=appeal, actor=caller(request), now=timezone.now(), **changes))

    def destroy(self, request: Request, pk: str) -> Response:
        """Deletes a draft. What was sent stays: 409."""
        lifecycle.delete_draft(appeal=self.get_object(), actor=caller(request), now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @move(moves.SubmitSerializer, "submit")
    def submit(self, request: Request, pk: str) -> Response:
        """The appeal went out to the marketplace: the first reply and the answer are awaited from then on.

        From `draft` to `waiting`.
        """
        return self._move(lifecycle.submit, moves.SubmitSerializer)

    @move(moves.ReplySerializer, "replies")
    def replies(self, request: Request, pk: str) -> Response:
        """The marketplace wrote.

        An `acknowledgement` meets nothing. A `question` makes it our turn and pauses the answer's clock. A `brush_off`
        meets the first reply and leaves the answer running. An `answer` meets all that was awaited, and it is our turn
        to decide: resolve, or write back.
        """
        return self._move(lifecycle.record_reply, moves.ReplySerializer)

    @move(moves.MessageSerializer, "messages")
    def messages(self, request: Request, pk: str) -> Response:
        """We wrote back: it is the marketplace's turn again, and what was paused runs on."""
        return self._move(lifecycle.message, moves.MessageSerializer)

    @move(moves.EscalateSerializer, "escalate")
    def escalate(self, request: Request, pk: str) -> Response:
        """We took a step of the escalation path: its term takes over from the answer's."""
        return self._move(lifecycle.escalate, moves.EscalateSerializer)

    @move(moves.ResolveSerializer, "resolve")
    def resolve(self, request: Request, pk: str) -> Response:
        """The matter is over; nothing runs any more."""
        return self._move(lifecycle.resolve, moves.ResolveSerializer)

    @move(moves.ReopenSerializer, "reopen")
    def reopen(self, request: Request, pk: str) -> Response:
        """The matter was not over: from `resolved` back to `waiting`, with new clocks."""
        return self._move(lifecycle.reopen, moves.ReopenSerializer)

    @move(moves.SnoozeSerializer, "snooze")
    def snooze(self, request: Request, pk: str) -> Response:
        """Silences the reminders for a while. No deadline moves."""
        return self._move(lifecycle.snooze, moves.SnoozeSerializer)

    @move(moves.UndoSerializer, "undo")
    def undo(self, request: Request, pk: str) -> Response:
        """Takes back what was noted by mistake, within ten minutes: by whoever did it, or a lead of the shop.

        The appeal and its clocks become what they were; the timeline keeps both events. It is a 409 when it is too
        late, or when something came after it: then that is undone first.
        """
        return self._move(undo.undo, moves.UndoSerializer)

    def _move(self, verb: Callable[..., Appeal], arguments: type[Serializer[Any]]) -> Response:
        appeal = self.get_object()
        given = self._read(arguments(data=self.request.data, context=self.get_serializer_context()))
        return self._answer(verb(appeal=appeal, actor=caller(self.request), now=timezone.now(), **given))

    @staticmethod
    def _read(serializer: BaseSerializer[Any]) -> dict[str, Any]:
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _answer(self, appeal: Appeal) -> Response:
        """The appeal read anew, with all that its representation shows."""
        return Response(self.get_serializer(*complete(one(pk=appeal.pk))).data)


def _with_nothing_yet(appeal: Any) -> Appeal:
    """A new draft as it would be read: it has no clocks and has taken no step."""
    appeal.clocks, appeal.escalations = [], []
    drawn: Appeal = appeal
    return drawn

"""Reminders about the caller's appeals."""

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from appeals import reminders
from appeals.api import filters
from appeals.api.people import EmailOfPerson, MayWork
from appeals.models import Appeal, Deadline, Reminder
from marketplaces.api.fields import Moment, OrNull, RowSerializer
from marketplaces.api.views import DIGITS


class DeadlineOfReminderSerializer(RowSerializer):
    class Meta:
        model = Deadline
        fields = ("kind", "state", "due_at")
        read_only_fields = fields


class ReminderSerializer(RowSerializer):
    appeal = serializers.IntegerField(source="deadline.appeal_id", read_only=True)
    deadline = DeadlineOfReminderSerializer(read_only=True)
    due_at = Moment(read_only=True, help_text="The due time that it tells of.")
    person = EmailOfPerson(source="user", read_only=True)
    address = serializers.CharField(read_only=True, help_text="Where it was sent; empty: there was nobody to tell.")
    reason = OrNull(choices=Reminder.Reason.choices, read_only=True)
    why = serializers.SerializerMethodField(help_text="Why this person is told of this, in the caller's language.")

    class Meta:
        model = Reminder
        fields = (
            "id",
            "appeal",
            "deadline",
            "due_at",
            "level",
            "person",
            "role",
            "address",
            "state",
            "reason",
            "why",
            "created_at",
            "send_after",
            "sent_at",
        )
        read_only_fields = fields

    def get_why(self, reminder: Reminder) -> str:
        return reminders.explain(reminder)


class ReminderViewSet(ListModelMixin, GenericViewSet[Reminder]):
    """What was sent, to whom, for which deadline, and in what state it is."""

    serializer_class = ReminderSerializer
    permission_classes = [IsAuthenticated, MayWork]
    queryset = Reminder.objects.select_related("deadline", "user", "rule")
    lookup_value_regex = DIGITS
    filterset_class = filters.Reminders
    ordering = "-created_at"
    ordering_fields = ("created_at", "sent_at")

    def get_queryset(self) -> QuerySet[Reminder]:
        visible = Appeal.objects.visible_to(self.request.user)
        return super().get_queryset().filter(deadline__appeal__in=visible)

    @extend_schema(request=None, responses={200: OpenApiResponse(ReminderSerializer, "The reminder as it is now.")})
    @action(detail=True, methods=["post"], url_path="send-again")
    def send_again(self, request: Request, pk: str) -> Response:
        """Has it sent once more with the next sweep, whatever the person's hours.

        A mark on a refused address is taken away. 400 when there was nobody to tell, there is nothing to tell of any
        more, or the appeal is snoozed.
        """
        reminder = reminders.send_again(reminder=self.get_object(), now=timezone.now())
        return Response(self.get_serializer(reminder).data)

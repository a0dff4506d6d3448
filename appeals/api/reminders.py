"""Reminders about the caller's appeals."""

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.viewsets import GenericViewSet

from appeals.api import filters
from appeals.api.people import EmailOfPerson
from appeals.models import Appeal, Deadline, Reminder
from marketplaces.api.fields import Moment, OrNull, RowSerializer


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
            "created_at",
            "send_after",
            "sent_at",
        )
        read_only_fields = fields


class ReminderViewSet(ListModelMixin, GenericViewSet[Reminder]):
    """What was sent, to whom, for which deadline, and in what state it is."""

    serializer_class = ReminderSerializer
    queryset = Reminder.objects.select_related("deadline", "user")
    filterset_class = filters.Reminders
    ordering = "-created_at"
    ordering_fields = ("created_at", "sent_at")

    def get_queryset(self) -> QuerySet[Reminder]:
        visible = Appeal.objects.visible_to(self.request.user)
        return super().get_queryset().filter(deadline__appeal__in=visible)

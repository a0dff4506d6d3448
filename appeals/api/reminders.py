"""Reminders about the caller's appeals."""

from django.db.models import QuerySet
from rest_framework.mixins import ListModelMixin
from rest_framework.viewsets import GenericViewSet

from appeals.api import filters
from appeals.api.serializers import ReminderSerializer
from appeals.models import Appeal, Reminder


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

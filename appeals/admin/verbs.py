"""One small form for each verb of the lifecycle: its words, its fields, and the one call that it makes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
)

from appeals import lifecycle, wording
from appeals.admin.fields import (
    ChannelField,
    FilesField,
    MomentField,
    Text,
    explained_lazy,
    number_field,
    text_field,
    zone_text,
)
from appeals.admin.people import AssigneeField
from appeals.admin.steps import StepField
from appeals.models import Appeal, Event
from appeals.sections import tomorrow_morning
from marketplaces.models import Channel, EscalationStep

if TYPE_CHECKING:
    from hub.models import User


class VerbForm(forms.Form):
    """The subclass says its words; `run` calls the verb. Errors of the verb come back into this form.

    `button` says what the form itself does, where the verb's name says what happened elsewhere.
    """

    do_not_call_in_templates: ClassVar[bool] = True
    verb: ClassVar[str]
    label: ClassVar[Text]
    done: ClassVar[Text]
    icon: ClassVar[str]
    button: ClassVar[Text] = ""
    hint: ClassVar[Text] = ""
    permission: ClassVar[str] = "change"
    key: ClassVar[str] = ""

    def __init__(self, *args: Any, appeal: Appeal, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.appeal, self.actor = appeal, actor
        if "at" in self.fields:
            self.fields["at"].help_text = zone_text(_("Empty: now. It may lie in the past."))
        if "external_number" in self.fields and (example := appeal.marketplace.ticket_number_example):
            self.fields["external_number"].help_text = _("For example: %(number)s") % {"number": example}
        self.prepare()

    def prepare(self) -> None:
        """Fills choices that depend on the appeal."""

    def run(self, now: datetime) -> None:
        """Calls the verb with what was entered: every form that is offered does."""
        raise NotImplementedError

    def said(self) -> str:
        """What the page says once it is done."""
        return str(self.done)

    def call(self, verb: Any, now: datetime, **values: Any) -> Any:
        return verb(appeal=self.appeal, actor=self.actor, now=now, **values)


class SubmitForm(VerbForm):
    verb, icon, key = "submit", "send", "U"
    label = gettext_lazy("I have sent it")
    hint = gettext_lazy(
        "Send the text yourself, then note here when and where: from that moment the answer is awaited."
    )
    done = gettext_lazy("Noted as sent: the clocks run.")

    channel = ChannelField(
        Channel.objects.none(),
        label=gettext_lazy("channel"),
        required=False,
        empty_label=gettext_lazy("Select value"),
        widget=UnfoldAdminSelectWidget,
    )
    external_number = number_field()
    at = MomentField(label=gettext_lazy("sent at"))

    def prepare(self) -> None:
        channels = Channel.objects.usable_by_sellers().filter(marketplace=self.appeal.marketplace)
        self.fields["channel"].queryset = channels  # type: ignore[attr-defined]
        self.initial["channel"], self.initial["external_number"] = self.appeal.channel_id, self.appeal.external_number

    def run(self, now: datetime) -> None:
        self.call(lifecycle.submit, now, **self.cleaned_data)


class ReplyForm(VerbForm):
    verb, icon, key = "record_reply", "call_received", "R"
    label = gettext_lazy("They replied")
    button = gettext_lazy("Note the reply")
    done = gettext_lazy("The reply is on the timeline.")

    kind = forms.ChoiceField(
        label=gettext_lazy("What kind of reply"),
        widget=forms.RadioSelect,
        choices=[
            (
                Event.ReplyKind.QUESTION,
                explained_lazy(
                    gettext_lazy("A question"),
                    gettext_lazy("They ask us something. It is our turn; the answer's clock stands still."),
                ),
            ),
            (
                Event.ReplyKind.ANSWER,
                explained_lazy(
                    gettext_lazy("An answer"),
                    gettext_lazy("They decided. The clocks end; we resolve the appeal or write back."),
                ),
            ),
            (
                Event.ReplyKind.BRUSH_OFF,
                explained_lazy(
                    gettext_lazy("A brush-off"),
                    gettext_lazy("A stock phrase that settles nothing. The answer's clock runs on."),
                ),
            ),
            (
                Event.ReplyKind.ACKNOWLEDGEMENT,
                explained_lazy(
                    gettext_lazy("An acknowledgement"), gettext_lazy("An automatic receipt. Nothing changes.")
                ),
            ),
        ],
    )
    text = text_field(gettext_lazy("What they wrote"))
    at = MomentField(label=gettext_lazy("received at"))

    def run(self, now: datetime) -> None:
        self.call(lifecycle.record_reply, now, **self.cleaned_data)


class MessageForm(VerbForm):
    verb, icon, key = "message", "call_made", "W"
    label = gettext_lazy("We wrote")
    button = gettext_lazy("Note the message")
    hint = gettext_lazy("Write to the marketplace yourself and keep the text here: then it is their turn again.")
    done = gettext_lazy("The message is on the timeline. It is the marketplace's turn.")

    text = text_field(gettext_lazy("What we wrote"))
    at = MomentField(label=gettext_lazy("written at"))

    def run(self, now: datetime) -> None:
        self.call(lifecycle.message, now, **self.cleaned_data)


class EscalateForm(VerbForm):
    verb, icon, key = "escalate", "trending_up", "X"
    label = gettext_lazy("Escalate")
    button = gettext_lazy("Note the step")
    hint = gettext_lazy("Take the step yourself, then note it here: its own term takes over.")
    done = gettext_lazy("The step is on the timeline, and its clock runs.")

    step = StepField(EscalationStep.objects.none(), label=gettext_lazy("step"), empty_label=None)
    external_number = number_field()
    at = MomentField(label=gettext_lazy("taken at"))
    note = text_field(gettext_lazy("note"), rows=2, required=False)

    def prepare(self) -> None:
        path = EscalationStep.objects.sellers_path(self.appeal.marketplace).select_related("channel__marketplace")
        self.fields["step"].queryset = path.prefetch_related("requires")  # type: ignore[attr-defined]
        self.fields["step"].look_at(self.appeal)  # type: ignore[attr-defined]
        self.initial["step"] = self._proposed() or lifecycle.next_step(self.appeal)

    def _proposed(self) -> EscalationStep | None:
        """What the address names, if it is on the path."""
        try:
            step: EscalationStep | None = self.fields["step"].to_python(self.initial.get("step"))
        except forms.ValidationError:
            return None
        return step

    def run(self, now: datetime) -> None:
        self.call(lifecycle.escalate, now, **self.cleaned_data)


class SnoozeForm(VerbForm):
    verb, icon, key = "snooze", "notifications_paused", "S"
    label = gettext_lazy("Snooze")
    hint = gettext_lazy("Nobody is reminded until then. No term moves.")
    done = gettext_lazy("Done.")

    until = MomentField(label=gettext_lazy("no reminders until"))
    note = text_field(gettext_lazy("note"), rows=2, required=False)

    def prepare(self) -> None:
        self.fields["until"].help_text = zone_text(_("Clear the field to be reminded again."))
        until = self.appeal.snoozed_until
        self.initial.setdefault("until", timezone.localtime(until) if until else tomorrow_morning(timezone.now()))

    def run(self, now: datetime) -> None:
        self.call(lifecycle.snooze, now, **self.cleaned_data)

    def said(self) -> str:
        until = self.cleaned_data["until"]
        if until is None:
            return _("Reminders come again.")
        return _("No reminders until %(moment)s") % {"moment": wording.moment(until, timezone.now())} + "."


class ResolveForm(VerbForm):
    verb, icon, key = "resolve", "task_alt", "C"
    label = gettext_lazy("Resolve")
    button = gettext_lazy("Resolve the appeal")
    done = gettext_lazy("The appeal is resolved.")

    outcome = forms.ChoiceField(
        label=gettext_lazy("outcome"),
        choices=[(outcome.value, capfirst(outcome.label)) for outcome in Appeal.Outcome],
        widget=forms.RadioSelect,
    )
    amount_recovered = forms.DecimalField(
        label=gettext_lazy("money recovered, roubles"),
        required=False,
        min_value=0,
        max_digits=14,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01"}),
    )
    at = MomentField(label=gettext_lazy("decided at"))
    note = text_field(gettext_lazy("note"), rows=2, required=False)

    def run(self, now: datetime) -> None:
        self.call(lifecycle.resolve, now, **self.cleaned_data)


class ReopenForm(VerbForm):
    verb, icon = "reopen", "restart_alt"
    label = gettext_lazy("Reopen")
    hint = gettext_lazy("The matter was not over: new clocks start, the old ones keep their result.")
    done = gettext_lazy("The appeal is open again.")

    note = text_field(gettext_lazy("note"), rows=2, required=False)

    def run(self, now: datetime) -> None:
        self.call(lifecycle.reopen, now, **self.cleaned_data)


class AssignForm(VerbForm):
    verb, icon, key = "assign", "person_add", "A"
    label = gettext_lazy("Assign")
    done = gettext_lazy("Assigned.")

    assignee: Any = AssigneeField(
        None,
        label=gettext_lazy("assignee"),
        required=False,
        empty_label=gettext_lazy("nobody"),
        widget=UnfoldAdminSelectWidget,
    )

    def prepare(self) -> None:
        self.fields["assignee"].offer(self.actor, self.appeal)  # type: ignore[attr-defined]
        self.initial["assignee"] = self.appeal.assignee_id

    def run(self, now: datetime) -> None:
        self.call(lifecycle.edit, now, **self.cleaned_data)

    def said(self) -> str:
        if not self.has_changed():
            return _("Nothing was changed.")
        assignee = self.cleaned_data["assignee"]
        return _("Assigned: %(name)s.") % {"name": assignee} if assignee else _("Nobody is assigned now.")


class AttachForm(VerbForm):
    verb, icon = "attach", "attach_file"
    label = gettext_lazy("Attach a file")
    button = gettext_lazy("Attach the files")
    done = gettext_lazy("Attached.")

    file = FilesField(
        label=gettext_lazy("files"),
        required=True,
        help_text=gettext_lazy("Screenshots, documents, video: at most 20 MB each."),
    )

    def run(self, now: datetime) -> None:
        for file in self.cleaned_data["file"]:
            self.call(lifecycle.attach, now, file=file, name=file.name)


class DeleteDraftForm(VerbForm):
    verb, icon, permission = "delete_draft", "delete", "delete"
    label = gettext_lazy("Delete the draft")
    hint = gettext_lazy("The draft and its files are gone for good.")
    done = gettext_lazy("The draft is deleted.")

    def run(self, now: datetime) -> None:
        try:
            self.call(lifecycle.delete_draft, now)
        except ProtectedError as error:
            numbers = ", ".join(f"№ {one.pk}" for one in error.protected_objects)
            text = _("%(numbers)s continues this draft: choose another earlier appeal there first.")
            raise forms.ValidationError(text % {"numbers": numbers}) from error


FORMS: dict[str, type[VerbForm]] = {
    form.verb: form
    for form in (
        SubmitForm,
        ReplyForm,
        MessageForm,
        EscalateForm,
        ResolveForm,
        SnoozeForm,
        ReopenForm,
        AssignForm,
        AttachForm,
        DeleteDraftForm,
    )
}


def fitting(appeal: Appeal) -> list[type[VerbForm]]:
    """The forms of the verbs that fit the state, in the order in which they are offered."""
    fit = {*lifecycle.verbs(appeal), "assign", "attach"}
    return [form for verb, form in FORMS.items() if verb in fit]

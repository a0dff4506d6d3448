"""The tables of a `directory.toml`: which keys they have, of which type, and which values are allowed.

Texts come in Russian and, under the same key with `_en`, in English. What depends on more than one value is checked in
`directory_checks`.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag

Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Some = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Positive = Annotated[int, Field(ge=1, le=100_000)]
Grade = Literal["A", "B", "C", "D", "E"]
State = Literal["working", "unconfirmed", "disputed", "dead", "historic"]
Unit = Literal["minutes", "hours", "working_minutes", "working_hours", "working_days", "calendar_days"]
Audience = Literal["sellers", "buyers", "both", "other"]
ChannelKind = Literal[
    "chat",
    "ticket_form",
    "email",
    "phone",
    "mobile_app",
    "messenger",
    "social_network",
    "telegram",
    "post",
    "hotline",
    "help_centre",
    "public_post",
]
Required = Literal[
    "order_number", "product_code", "dates", "evidence", "desired_outcome", "api_request", "report_number"
]


class Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Sourced(Table):
    """`source` holds one or more source keys ("S0, S3"); `verified_on` is when the row was compared with them."""

    source: Some
    source_grade: Grade
    verified_on: date

    @property
    def source_keys(self) -> list[str]:
        return [key.strip() for key in self.source.split(",")]


class SourceFact(Table):
    title: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    title_en: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    url: Annotated[str, StringConstraints(max_length=500)] = ""
    published: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    grade: Grade


class Provenance(Sourced):
    note: Text = ""
    note_en: Text = ""


class MarketplaceFact(Table):
    """`provenance` gives each fact that is stated its source."""

    FACTS: ClassVar[tuple[str, ...]] = (
        "seller_portal",
        "time_zone",
        "legal_entity",
        "postal_address",
        "ticket_number_pattern",
        "support_handles",
        "support_refuses",
    )

    slug: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    name_en: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    seller_portal: Annotated[str, StringConstraints(max_length=200)] = ""
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
    time_zone: Some
    legal_entity: Annotated[str, StringConstraints(max_length=300)] = ""
    postal_address: Text = ""
    ticket_number_pattern: Annotated[str, StringConstraints(max_length=100)] = ""
    ticket_number_example: Annotated[str, StringConstraints(max_length=60)] = ""
    support_handles: Text = ""
    support_handles_en: Text = ""
    support_refuses: Text = ""
    support_refuses_en: Text = ""
    provenance: dict[str, Provenance] = {}


class ChannelFact(Sourced):
    key: Key
    kind: ChannelKind
    name: Name
    name_en: Name
    address: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
    instructions: Text = ""
    instructions_en: Text = ""
    audience: Audience
    opening_hours: Annotated[str, StringConstraints(max_length=255)]
    time_zone: str = ""
    needs_login: bool
    works_without_account: bool
    state: State
    state_reason: Text = ""
    state_reason_en: Text = ""
    remarks: Text = ""
    remarks_en: Text = ""
    first_reply_typical_minutes: Positive | None = None
    first_reply_worst_minutes: Positive | None = None
    topics: list[str] = []
    contradicts: str = ""


class TopicFact(Sourced):
    slug: Key
    name: Name
    name_en: Name
    examples: list[Some]
    examples_en: list[Some]
    required: list[Required]
    good_appeal: Some
    good_appeal_en: Some


class TargetFact(Sourced):
    key: Key
    kind: Literal["first_reply", "answer", "our_reply"]
    topic: str = ""
    channel: str = ""
    priority: Literal["", "normal", "urgent"] = ""
    is_complex: bool | None = None
    amount: Positive
    unit: Unit
    note: Text = ""
    note_en: Text = ""

    @property
    def named(self) -> dict[str, object]:
        """The attributes that an appeal must have for this target to apply."""
        values = {name: getattr(self, name) for name in ("topic", "channel", "priority", "is_complex")}
        return {name: value for name, value in values.items() if value not in ("", None)}


class RuleFact(Sourced):
    key: Key
    name: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    name_en: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    term_amount: Positive | None = None
    term_unit: Unit | Literal[""] = ""
    consequence: Some
    consequence_en: Some
    topic: str = ""
    state: State
    state_reason: Text = ""
    state_reason_en: Text = ""


class StepFact(Sourced):
    key: Key
    audience: Literal["sellers", "buyers"]
    name: Name
    name_en: Name
    takes_place: Literal["platform", "public", "operator", "state", "court", "other"]
    when_to_take: Some
    when_to_take_en: Some
    channel: str = ""
    instructions: Text = ""
    instructions_en: Text = ""
    attach: Text = ""
    attach_en: Text = ""
    term_amount: Positive | None = None
    term_unit: Unit | Literal[""] = ""
    term_basis: Text = ""
    term_basis_en: Text = ""
    requires: list[str] = []
    letter: Literal["", "follow_up", "stock_reply", "complaint", "claim", "fas"] = ""
    available_from: date | None = None
    is_proposed: bool = True
    state: State
    state_reason: Text = ""
    state_reason_en: Text = ""


class StepUse(Table):
    """A step of the shared file at this place of the path, with what differs on this platform."""

    use: Some
    channel: str | None = None
    requires: list[str] | None = None
    state: State | None = None
    state_reason: Text | None = None
    state_reason_en: Text | None = None

    def applied_to(self, step: StepFact) -> StepFact:
        return step.model_copy(update=self.model_dump(exclude={"use"}, exclude_none=True))


def _step_tag(value: object) -> str:
    return "use" if isinstance(value, StepUse) or (isinstance(value, dict) and "use" in value) else "step"


AnyStep = Annotated[Annotated[StepUse, Tag("use")] | Annotated[StepFact, Tag("step")], Discriminator(_step_tag)]


class File(Table):
    schema_number: Literal[1] = Field(alias="schema")
    sources: dict[Annotated[str, StringConstraints(min_length=1, max_length=20)], SourceFact] = {}
    topics: list[TopicFact] = []


class SharedFile(File):
    legal_steps: list[StepFact] = []


class PlatformFile(File):
    marketplace: MarketplaceFact
    channels: list[ChannelFact] = []
    response_targets: list[TargetFact] = []
    rules: list[RuleFact] = []
    escalation_steps: list[AnyStep] = []

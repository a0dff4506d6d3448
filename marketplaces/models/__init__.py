from marketplaces.models.channel import ROUND_THE_CLOCK, Channel
from marketplaces.models.directory_change import DirectoryChange, StaleDigest
from marketplaces.models.directory_row import UNSAFE, Audience, Grade, Priority, State
from marketplaces.models.escalation_step import EscalationStep, Rule
from marketplaces.models.marketplace import Marketplace, ShippedFact, Source
from marketplaces.models.response_target import ResponseTarget
from marketplaces.models.topic import Topic

__all__ = [
    "ROUND_THE_CLOCK",
    "UNSAFE",
    "Audience",
    "Channel",
    "DirectoryChange",
    "EscalationStep",
    "Grade",
    "Marketplace",
    "Priority",
    "ResponseTarget",
    "Rule",
    "ShippedFact",
    "Source",
    "StaleDigest",
    "State",
    "Topic",
]

"""Models of the letters app."""

from letters.models.batches import Batch, Campaign, PartialStop
from letters.models.checks import HandOverCheck
from letters.models.messages import HandOver, Message, PastAttempt, Receipt, Settlement
from letters.models.suppliers import Supplier, SupplierDay
from letters.models.templates import Template, TemplateVersion, Translation
from letters.models.words import CHANNELS, HOLD_REASONS

__all__ = [
    "CHANNELS",
    "HOLD_REASONS",
    "Batch",
    "Campaign",
    "HandOver",
    "HandOverCheck",
    "Message",
    "PartialStop",
    "PastAttempt",
    "Receipt",
    "Settlement",
    "Supplier",
    "SupplierDay",
    "Template",
    "TemplateVersion",
    "Translation",
]

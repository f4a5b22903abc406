"""Models of the letters app."""

from letters.models.batches import Batch, Campaign
from letters.models.messages import HandOver, Message
from letters.models.templates import Template, TemplateVersion
from letters.models.words import CHANNELS, HOLD_REASONS

__all__ = ["CHANNELS", "HOLD_REASONS", "Batch", "Campaign", "HandOver", "Message", "Template", "TemplateVersion"]

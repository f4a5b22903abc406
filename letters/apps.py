"""App configuration of letters."""

from django.apps import AppConfig


class LettersConfig(AppConfig):
    """Templates, batches, the outbox and its transports."""

    name = "letters"

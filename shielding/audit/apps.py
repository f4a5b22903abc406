"""App configuration of audit."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """See `shielding.audit.models`."""

    name = "shielding.audit"

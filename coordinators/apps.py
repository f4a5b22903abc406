"""App configuration of coordinators."""

from django.apps import AppConfig


class CoordinatorsConfig(AppConfig):
    """Coordinators, check-ins, needs, and referrals to local authorities."""

    name = "coordinators"

"""App configuration of cohort."""

from django.apps import AppConfig


class CohortConfig(AppConfig):
    """Criteria, extracts, the central search, the list and its validation."""

    name = "cohort"

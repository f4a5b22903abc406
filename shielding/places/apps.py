"""App configuration of places."""

from django.apps import AppConfig


class PlacesConfig(AppConfig):
    """See `shielding.places.models`."""

    name = "shielding.places"

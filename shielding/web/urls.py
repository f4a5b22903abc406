"""Addresses of the pages that show all apps together."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []

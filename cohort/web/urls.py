"""Addresses of the cohort app."""

from django.urls import URLPattern

app_name = "cohort"
urlpatterns: list[URLPattern] = []

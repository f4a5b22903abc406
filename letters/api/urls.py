"""Addresses of the letters app's API."""

from django.urls import path

from letters.api import views

app_name = "letters_api"
urlpatterns = [path("arrivals/", views.Arrivals.as_view(), name="arrivals")]

"""Addresses of the API. Ids in them are opaque."""

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.permissions import AllowAny

from cohort.api import schema, views

app_name = "api"
__all__ = ["schema", "urlpatterns"]  # importing it tells the document about tokens
urlpatterns = [
    path("lists/", views.Lists.as_view(), name="lists"),
    path("lists/<uuid:list_id>/", views.OneList.as_view(), name="list"),
    path("lists/<uuid:list_id>/rows/", views.Rows.as_view(), name="rows"),
    path("rows/<uuid:row_id>/withdraw/", views.Withdraw.as_view(), name="withdraw"),
    path(
        "schema/",
        SpectacularJSONAPIView.as_view(authentication_classes=[], permission_classes=[AllowAny]),
        name="schema",
    ),
]

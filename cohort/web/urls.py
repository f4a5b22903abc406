"""Addresses of the cohort app."""

from django.urls import path

from cohort.web import validation

app_name = "cohort"
urlpatterns = [
    path("lists/", validation.lists, name="lists"),
    path("lists/add/", validation.add, name="add"),
    path("lists/<uuid:list_id>/", validation.one_list, name="list"),
    path("lists/<uuid:list_id>/sign-off/", validation.submit, name="submit"),
    path("lists/<uuid:list_id>/people/<uuid:patient_id>/", validation.person, name="person"),
    path("lists/<uuid:list_id>/people/<uuid:patient_id>/undo/", validation.undo, name="undo"),
]

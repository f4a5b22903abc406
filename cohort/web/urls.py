"""Addresses of the cohort app."""

from django.urls import path

from cohort.web import operations, validation

app_name = "cohort"
urlpatterns = [
    path("extracts/", operations.extracts, name="extracts"),
    path("searches/", operations.searches, name="searches"),
    path("searches/<uuid:run_id>/", operations.search, name="search"),
    path("searches/<uuid:run_id>/cancel/", operations.cancel_search, name="cancel_search"),
    path("lists/", validation.lists, name="lists"),
    path("lists/add/", validation.add, name="add"),
    path("lists/<uuid:list_id>/", validation.one_list, name="list"),
    path("lists/<uuid:list_id>/sign-off/", validation.submit, name="submit"),
    path("lists/<uuid:list_id>/people/<uuid:patient_id>/", validation.person, name="person"),
    path("lists/<uuid:list_id>/people/<uuid:patient_id>/undo/", validation.undo, name="undo"),
]

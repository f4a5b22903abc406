"""Addresses of the cohort app."""

from django.urls import path

from cohort.web import extracts, operations, risk_models, searches, validation

app_name = "cohort"
urlpatterns = [
    path("extracts/", operations.extracts, name="extracts"),
    path("extracts/<uuid:extract_id>/", extracts.extract, name="extract"),
    path("extracts/<uuid:extract_id>/rejected/<str:name>", extracts.rejected_rows, name="rejected_rows"),
    path("risk-lists/", risk_models.lists, name="risk_lists"),
    path("risk-lists/<uuid:upload_id>/", risk_models.one_list, name="risk_list"),
    path("searches/", operations.searches, name="searches"),
    path("searches/<uuid:run_id>/", operations.search, name="search"),
    path("searches/<uuid:run_id>/cancel/", operations.cancel_search, name="cancel_search"),
    path("searches/<uuid:run_id>/criteria/<uuid:version_id>/", searches.criterion, name="search_criterion"),
    path("searches/<uuid:run_id>/difference/", searches.difference, name="search_difference"),
    path("searches/<uuid:run_id>/difference.csv", searches.difference_csv, name="search_difference_csv"),
    path("lists/", validation.lists, name="lists"),
    path("lists/add/", validation.add, name="add"),
    path("lists/<uuid:list_id>/", validation.one_list, name="list"),
    path("lists/<uuid:list_id>/sign-off/", validation.submit, name="submit"),
    path("lists/<uuid:list_id>/people/<uuid:patient_id>/", validation.person, name="person"),
    path("lists/<uuid:list_id>/people/<uuid:patient_id>/undo/", validation.undo, name="undo"),
]

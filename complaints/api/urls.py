"""The API's addresses; docs/api.md describes each."""

from django.urls import path

from complaints.api import whose

app_name = "api"
urlpatterns = [path("whose", whose.whose, name="whose")]

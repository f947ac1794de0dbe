"""The API's addresses; docs/api.md describes each."""

from django.urls import path

from complaints.api import mail_flow, whose

app_name = "api"
urlpatterns = [
    path("whose", whose.whose, name="whose"),
    path("mail-flow", mail_flow.mail_flow, name="mail-flow"),
]

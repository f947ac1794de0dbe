"""The customer's page: one address a case, made of an unguessable token; and the colours of brands."""

from django.urls import path

from complaints.portal import views

app_name = "portal"
urlpatterns = [
    path("brand/<int:pk>.css", views.brand_style, name="brand"),
    path("<str:token>", views.show_case, name="case"),
    path("<str:token>/answer", views.answer, name="answer"),
    path("<str:token>/asked", views.asked, name="asked"),
    path("<str:token>/status", views.status, name="status"),
]

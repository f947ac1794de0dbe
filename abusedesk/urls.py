"""Every address of the site. The parts bring their own tables."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from abusedesk.health import health
from abusedesk.relay_check import relay_check

urlpatterns = [
    path("healthz", health, name="health"),
    path("", include("complaints.desk.urls")),
    path("c/", include("complaints.portal.urls")),
    path("relay-check", relay_check, name="relay-check"),
    path("login", LoginView.as_view(template_name="login.html", redirect_authenticated_user=True), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
]

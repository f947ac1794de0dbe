"""Every address of the site. The parts bring their own tables."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.generic import RedirectView

from abusedesk.health import health
from abusedesk.relay_check import relay_check

urlpatterns = [
    path("healthz", health, name="health"),
    path("", include("complaints.desk.urls")),
    path("c/", include("complaints.portal.urls")),
    path("api/", include("complaints.api.urls")),
    path("relay-test", relay_check, name="relay-test"),
    path("relay-check", RedirectView.as_view(pattern_name="relay-test")),  # named by test mails of earlier versions
    path("login", LoginView.as_view(template_name="login.html", redirect_authenticated_user=True), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
]

"""Every address of the site. The parts bring their own tables."""

from allauth.account.views import login as log_in
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from abusedesk.health import health
from abusedesk.relay_check import relay_check
from complaints.desk.account_page import log_out

urlpatterns = [
    path("healthz", health, name="health"),
    path("favicon.ico", RedirectView.as_view(url="/static/icon.svg"), name="icon"),  # pages of Django's own ask so
    path("", include("complaints.desk.urls")),
    path("c/", include("complaints.portal.urls")),
    path("api/", include("complaints.api.urls")),
    path("relay-test", relay_check, name="relay-test"),
    path("relay-check", RedirectView.as_view(pattern_name="relay-test")),  # named by test mails of earlier versions
    path("login", log_in, name="login"),
    path("login", log_in, name="account_login"),
    path("logout", log_out, name="logout"),
    path("logout", log_out, name="account_logout"),
    path("account/", include("complaints.desk.account_urls")),
    path("admin/", admin.site.urls),
]

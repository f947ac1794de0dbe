"""Your own account. The names are those that django-allauth looks for; what it would offer to strangers is closed."""

from allauth.account import views
from allauth.mfa.recovery_codes import views as codes
from allauth.usersessions.views import list_usersessions
from django.apps import apps
from django.urls import include, path

from complaints.desk import account_page

urlpatterns = [
    path("", account_page.account_page, name="account"),
    path("password", views.password_change, name="account_change_password"),
    path("confirm", views.reauthenticate, name="account_reauthenticate"),
    path("second-factor/", include("allauth.mfa.base.urls")),
    path("second-factor/app/", include("allauth.mfa.totp.urls")),
    path("second-factor/key/", include("allauth.mfa.webauthn.urls")),
    path("second-factor/codes", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("second-factor/codes/new", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("sessions", list_usersessions, name="usersessions_list"),
    path("sessions/<int:pk>/end", account_page.end_session, name="end-session"),
    path("inactive", views.account_inactive, name="account_inactive"),
    path("sign-up", account_page.closed, name="account_signup"),
    path("forgotten", account_page.closed, name="account_reset_password"),
    path("no-password", account_page.closed, name="account_set_password"),
]
if apps.is_installed("allauth.socialaccount"):
    from allauth.socialaccount import views as social

    urlpatterns += [
        path("company/", include("allauth.socialaccount.providers.openid_connect.urls")),
        path("company-cancelled", social.login_cancelled, name="socialaccount_login_cancelled"),
        path("company-error", social.login_error, name="socialaccount_login_error"),
        path("company-sign-up", account_page.closed, name="socialaccount_signup"),
        path("company-connections", account_page.closed, name="socialaccount_connections"),
    ]

"""What a server refuses to start with. Commands that only read or import are not asked."""

from __future__ import annotations

from django.conf import settings


class StartRefused(Exception):
    """The configuration must not serve anybody; the text says why and what to do."""


def require_safe_start() -> None:
    """Raises StartRefused: no secret key, or demo accounts outside the demo."""
    if not settings.SECRET_KEY:
        raise StartRefused(
            "ABUSEDESK_SECRET_KEY is not set. Make a key of 50 or more random characters, keep it in a file that only "
            "the desk's user can read, and set ABUSEDESK_SECRET_KEY_FILE to its path. To look around first: script/demo"
        )
    if settings.DEMO:
        return
    from complaints.models import User

    if names := list(User.objects.filter(is_demo=True).values_list("username", flat=True)[:10]):
        raise StartRefused(
            f"this database has demo accounts ({', '.join(names)}), whose passwords are public. "
            "Use another ABUSEDESK_DATA_DIR or DATABASE_URL, or delete them: manage.py delete_demo_accounts"
        )
    if settings.SECRET_KEY.startswith("demo-only-key"):
        raise StartRefused("ABUSEDESK_SECRET_KEY is the demo's key, which everybody knows. Make one of your own.")

"""The web entrance for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from abusedesk.start import require_safe_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "abusedesk.settings")
application = get_wsgi_application()
require_safe_start()

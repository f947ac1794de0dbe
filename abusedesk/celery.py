"""The Celery app. Rows are the queue; Celery only wakes the workers and ticks the sweep (DESIGN: idea 1)."""

from __future__ import annotations

import os

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_init
from django.conf import settings

from abusedesk.embedded import broker_url

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "abusedesk.settings")

app = Celery("abusedesk")
app.conf.update(
    broker_url=settings.BROKER_URL or broker_url(settings.DATA_DIR),
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        # After a kill -9, what a worker held comes back after this; no task runs or waits longer than that.
        "visibility_timeout": 600,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 3,
        # Without a broker a wake-up fails in milliseconds, not seconds; the sweep finds what it was about.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.1,
    },
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_publish_retry=False,  # a lost wake-up is found by the sweep; a web page must not wait for a broker
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    task_default_queue="desk",
    task_routes={
        "complaints.tasks.run_checks": {"queue": "checks-smtp"},  # or checks-dns: tasks.wake_checks
        "complaints.tasks.tend_blacklists": {"queue": "checks-dns"},
    },
    timezone="UTC",
    beat_schedule={
        "contacts": {"task": "complaints.tasks.prove_contacts", "schedule": crontab(hour=3, minute=41)},
        "dictionary": {"task": "complaints.tasks.learn_dictionary", "schedule": crontab(hour=3, minute=17)},
        "watch": {
            "task": "complaints.tasks.tend_watch",
            "schedule": 60.0,
            "options": {"expires": 50},
        },
        "campaigns": {
            "task": "complaints.tasks.find_campaigns",
            "schedule": 60.0,
            "options": {"expires": 50},
        },
        "watch-rises": {
            "task": "complaints.tasks.watch_rises",
            "schedule": 30.0 if settings.DEMO else 600.0,
            "options": {"expires": 25 if settings.DEMO else 500},
        },
        "watch-night": {"task": "complaints.tasks.tidy_watch", "schedule": crontab(hour=4, minute=7)},
        "counts": {"task": "complaints.tasks.prove_counts", "schedule": crontab(hour=4, minute=37)},
        "offenders": {
            "task": "complaints.tasks.count_offenders",
            "schedule": 60.0,
            "options": {"expires": 50},
        },
        "words": {"task": "complaints.tasks.read_words", "schedule": 10.0, "options": {"expires": 10}},
        "blacklists": {
            "task": "complaints.tasks.tend_blacklists",
            "schedule": 60.0,
            "options": {"expires": 50},  # one that waits for longer is overtaken by the next
        },
        "network-contacts": {
            "task": "complaints.tasks.fetch_network_contacts",
            "schedule": 60.0,
            "options": {"expires": 50},
        },
        "reporters": {
            "task": "complaints.tasks.tally_reporters",
            "schedule": 60.0,
            "options": {"expires": 50},
        },
        "precision": {"task": "complaints.tasks.measure_reporters", "schedule": crontab(hour=2, minute=23)},
        "sweep": {
            "task": "complaints.tasks.sweep",
            "schedule": float(settings.SWEEP_SECONDS),
            "options": {"expires": 10},
        },
    },
    beat_schedule_filename=str(settings.DATA_DIR / "beat-schedule"),
)
app.autodiscover_tasks(["complaints"])


@worker_init.connect
def refuse_unsafe_start(**_: object) -> None:
    from abusedesk.start import require_safe_start

    require_safe_start()

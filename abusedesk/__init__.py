"""The Django project. Importing the Celery app here makes `shared_task` find it."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """Somebody who works at the desk. Demo accounts exist in demo mode only; a production start refuses them."""

    is_demo = models.BooleanField(default=False, editable=False)

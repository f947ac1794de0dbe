"""A brand in the admin: its letter on the screen, and as a mail to whoever edits it."""

from __future__ import annotations

import smtplib

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from complaints.desk.evidence import FRAME_POLICY
from complaints.models import Brand
from complaints.notices.brand_sample import NothingToShow, sample_letter, sample_mail


@require_GET
def show_sample(request: HttpRequest, pk: int) -> HttpResponse:
    """The letter's HTML part; the language is that of ?lang."""
    brand = allowed_brand(request, pk, "view")
    try:
        sample = sample_letter(brand, language=request.GET.get("lang", "en")[:10])
    except NothingToShow as exc:
        return HttpResponse(str(exc), status=404, content_type="text/plain; charset=utf-8")
    response = HttpResponse(sample.html)
    response["Content-Security-Policy"] = FRAME_POLICY
    return response


@require_POST
def send_sample(request: HttpRequest, pk: int) -> HttpResponse:
    """To the user's own address alone: nobody else gets mail from a button."""
    brand = allowed_brand(request, pk, "change")
    to = getattr(request.user, "email", "")
    try:
        if not to:
            raise NothingToShow("Your user has no e-mail address; add one, then try again.")
        sample_mail(sample_letter(brand, language=request.POST.get("lang", "en")[:10]), to=to).send()
    except NothingToShow as exc:
        messages.error(request, str(exc))
    except (smtplib.SMTPException, OSError) as exc:
        messages.error(request, f"The test mail was not sent: {exc}")
    else:
        messages.success(request, f"A test mail went to {to}. Look at its sender, and whether an answer reaches you.")
    return redirect("admin:complaints_brand_change", pk)


def allowed_brand(request: HttpRequest, pk: int, to: str) -> Brand:
    if not request.user.has_perm(f"complaints.{to}_brand"):
        raise PermissionDenied
    return get_object_or_404(Brand, pk=pk)

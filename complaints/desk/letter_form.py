"""The form in which a desk words a letter itself, and how that letter would look to a customer of a real case."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from complaints.desk.evidence import FRAME_POLICY
from complaints.models import Case, LetterText
from complaints.notices.compose import STEP, as_html, facts_of
from complaints.notices.letter import LINK_MARK
from complaints.notices.own_letters import NotALetter, check_letter, preview
from complaints.notices.senders import sender_of


class LetterForm(forms.ModelForm):
    """preview_case is not stored: it says for which case the button shows the letter."""

    preview_case = forms.CharField(
        required=False, label="Preview for case", help_text="Its number, as 2026-00012; empty: the newest case"
    )

    class Meta:
        model = LetterText
        fields = ("language", "step", "cause", "source")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not STEP.fullmatch(given.get("step") or ""):
            raise forms.ValidationError({"step": "A step's name: small letters, digits and _, as notify"})
        if (given.get("source") or "").strip():
            try:
                check_letter(given["source"], language=given.get("language") or "en", step=given["step"],
                             cause=given.get("cause") or "")  # fmt: skip
            except NotALetter as exc:
                raise forms.ValidationError({"source": str(exc)}) from exc
        return given


@require_POST
def show_preview(request: HttpRequest) -> HttpResponse:
    """The letter as its HTML part, or what is wrong with it in plain text. Nothing is stored or sent."""
    if not request.user.has_perm("complaints.add_lettertext"):
        raise PermissionDenied
    number = request.POST.get("preview_case", "").strip()
    cases = Case.objects.numbered(number) if number else Case.objects.order_by("-pk")
    case = cases.first()
    if case is None:
        return said(f"There is no case {number or 'yet'}.")
    language, step = request.POST.get("language", "en")[:10], request.POST.get("step", "")[:40]
    facts = facts_of(case, language, deadline=case.deadline_at or timezone.now())
    try:
        letter = preview(request.POST.get("source", ""), case, facts, language=language, step=step)
    except NotALetter as exc:
        return said(str(exc))
    response = HttpResponse(
        as_html(letter, language, number=case.number, sender=sender_of(case)).replace(LINK_MARK, "#")
    )
    response["Content-Security-Policy"] = FRAME_POLICY
    return response


def said(text: str) -> HttpResponse:
    return HttpResponse(text, status=400, content_type="text/plain; charset=utf-8")

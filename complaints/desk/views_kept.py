"""Searches kept under a name: one's own, and those that colleagues share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from complaints.desk.access import may
from complaints.desk.query import LONGEST, QueryError, parse
from complaints.desk.rights import is_restricted
from complaints.models import SavedView, User

MOST = 50  # shown; a hundred names are no help


class ViewForm(forms.Form):
    name = forms.CharField(max_length=60, error_messages={"required": "A view needs a name."})
    query = forms.CharField(max_length=LONGEST)
    shared = forms.BooleanField(required=False)

    def clean_query(self) -> str:
        try:
            return str(parse(self.cleaned_data["query"]))
        except QueryError as exc:
            raise forms.ValidationError(f"This search cannot be kept: {exc.what}.") from exc


def views_of(user: User) -> list[SavedView]:
    """One's own first. Who is restricted sees no others: a search may name whom they must not know of."""
    own = Q(owner=user)
    theirs = SavedView.objects.filter(own if is_restricted(user) else own | Q(shared=True)).select_related("owner")
    theirs = theirs.only("name", "query", "shared", "owner__username")
    return list(theirs.annotate(is_mine=ExpressionWrapper(own, BooleanField())).order_by("-is_mine", "name")[:MOST])


@may("see_cases", to_post="work_cases")
@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """A name of one's own that is used again gets the new search."""
    form = ViewForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(each) for some in form.errors.values() for each in some))
        return redirect("desk:queue")
    given: dict[str, Any] = form.cleaned_data
    user: User = request.user  # type: ignore[assignment]
    SavedView.objects.update_or_create(
        owner=user, name=given["name"], defaults={"query": given["query"], "shared": given["shared"]}
    )
    messages.success(request, f"Kept as “{given['name']}”{', for everybody' if given['shared'] else ''}.")
    return redirect(f"{reverse('desk:queue')}?{urlencode({'q': given['query']})}")


@may("see_cases", to_post="work_cases")
@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    if SavedView.objects.filter(pk=pk, owner=request.user.pk).delete()[0]:
        messages.success(request, "The view is removed. The cases in it stay as they are.")
    else:
        messages.info(request, "Nothing was removed: it is gone already, or somebody else's.")
    return redirect("desk:queue")

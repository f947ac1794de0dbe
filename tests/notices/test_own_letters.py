"""Letters that a desk words itself."""

from __future__ import annotations

import pytest
from django.template import Context, TemplateDoesNotExist, TemplateSyntaxError

from complaints.models import LetterText
from complaints.notices.own_letters import NotALetter, save_letter
from complaints.notices.sandbox import compiled
from complaints.vocabulary import CaseState
from tests.factories import NOON
from tests.notices.rows import make_relay_case, queued

pytestmark = pytest.mark.django_db
GOOD = """Subject: Your line {{ address }} (case {{ number }})

Dear {{ contact_name|default:"customer" }}, please act before {{ deadline }}.

=> Open your page

{% include "notices/en/genuine.txt" %}
"""


def save(source: str = GOOD, *, step: str = "notify", cause: str = "", language: str = "en") -> LetterText:
    return save_letter(language=language, step=step, cause=cause, source=source, actor="ada", now=NOON)


def test_the_desks_letter_wins_over_the_file_and_an_empty_version_gives_the_file_back():
    save(cause="open_relay")
    own = queued(make_relay_case(state=CaseState.NOTIFIED))
    assert own.text.startswith("Dear Marie Brenn, please act before")
    save("", cause="open_relay")
    shipped = queued(own.case, occurrence=2)
    assert not shipped.text.startswith("Dear")
    assert list(LetterText.objects.order_by("version").values_list("version", "written_by")) == [(1, "ada"), (2, "ada")]


def test_a_letter_for_another_cause_or_language_changes_nothing():
    save(cause="bot")
    save(cause="open_relay", language="fr")
    assert not queued(make_relay_case(state=CaseState.NOTIFIED)).text.startswith("Dear")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (GOOD.replace("=> Open your page", ""), "the button"),
        (GOOD.replace("{{ deadline }}", "soon"), "the date that is promised"),
        (GOOD.replace("{{ number }}", "").replace('{% include "notices/en/genuine.txt" %}', ""), "the case's number"),
        (GOOD.replace("Subject: ", "Re: "), "the subject"),
        (GOOD + "{% if %}", "cannot be read"),
        (GOOD + "{% load static %}", "cannot be read"),
        (GOOD + "{{ number|center:999999999 }}", "cannot be read"),
        (GOOD + "{% extends 'base.html' %}", "cannot be read"),
        (GOOD + "{% include 'desk/case.html' %}", "cannot be read"),
        (GOOD + "{% include '../../etc/passwd' %}", "cannot be read"),
        (GOOD + "{% for a in b %}{% for c in a %}{% for d in c %}x{% endfor %}{% endfor %}{% endfor %}", "loops"),
        (GOOD + "x" * 20_000, "characters"),
    ],
)
def test_a_letter_that_lost_something_or_reaches_out_is_refused(changed, says):
    with pytest.raises(NotALetter, match=says):
        save(changed)
    assert LetterText.objects.count() == 0


def test_a_piece_with_a_name_from_the_facts_is_still_no_other_file():
    template = compiled("{% include number %}", name="x")
    with pytest.raises(TemplateDoesNotExist):
        template.render(Context({"number": "desk/case.html"}))


def test_private_names_are_out_of_reach():
    with pytest.raises(TemplateSyntaxError):
        compiled("{{ number.__class__ }}", name="x")


def test_the_admin_saves_versions_previews_a_real_case_and_refuses_what_lost_its_button(admin_client):
    case = make_relay_case(state=CaseState.NOTIFIED)
    given = {"language": "en", "step": "notify", "cause": "open_relay", "source": GOOD, "preview_case": case.number}
    page = "/admin/complaints/lettertext/"
    assert b"formtarget" in admin_client.get(f"{page}add/").content
    shown = admin_client.post(f"{page}preview/", given)
    assert "Dear Marie Brenn" in shown.content.decode()
    assert "script-src" in shown["Content-Security-Policy"] or "default-src" in shown["Content-Security-Policy"]
    assert LetterText.objects.count() == 0
    refused = admin_client.post(f"{page}add/", given | {"source": GOOD.replace("=> ", "")})
    assert b"The letter lacks the button" in refused.content
    for version in (1, 2):
        assert admin_client.post(f"{page}add/", given).status_code == 302
        assert LetterText.objects.filter(version=version, written_by="admin").count() == 1
    assert admin_client.post(f"{page}preview/", given | {"source": "{% load x %}"}).status_code == 400
    assert admin_client.post(f"{page}preview/", given | {"preview_case": "2026-99999"}).status_code == 400


def test_a_stranger_previews_nothing(client):
    assert client.post("/admin/complaints/lettertext/preview/", {}).status_code == 302

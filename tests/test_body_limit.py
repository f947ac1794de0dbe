"""What strangers may send us: no more than a mail."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from abusedesk.body_limit import MOST

pytestmark = pytest.mark.django_db


def send(octets: int) -> Any:
    client = Client(enforce_csrf_checks=True)
    client.get("/login")  # so that there is a token to be looked for
    return client.post("/login", {"file": SimpleUploadedFile("x", b"x" * octets)})


def test_a_file_that_is_too_large_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> bytes:
        raise AssertionError("it was read")

    monkeypatch.setattr("django.test.client.FakePayload.read", read)
    assert send(MOST).status_code == 413


def test_a_smaller_one_is_only_a_form_without_a_token() -> None:
    assert send(1000).status_code == 403


@pytest.mark.parametrize("said", ["-1", "1e9", "9" * 30, "٣"])
def test_a_length_that_is_none_is_refused(said: str) -> None:
    assert Client().post("/login", CONTENT_LENGTH=said).status_code == 413

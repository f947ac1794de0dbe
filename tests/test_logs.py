import logging

from abusedesk.logs import HidePortalKeys


def written(message: str, *args: object) -> str:
    record = logging.LogRecord("x", logging.WARNING, __file__, 1, message, args, None)
    assert HidePortalKeys().filter(record)
    return record.getMessage()


def test_the_key_of_a_customers_page_is_not_logged() -> None:
    key = "a" * 43
    assert written("Forbidden (%s): %s", "CSRF token missing", f"/c/{key}/answer") == (
        "Forbidden (CSRF token missing): /c/(key)/answer"
    )


def test_other_lines_stay_as_they_are() -> None:
    assert written("stored %d mails from /c/short", 3) == "stored 3 mails from /c/short"

"""How the address of a person is written and stored: checked by email-validator, its domain as A-labels. Pure.

Syntax only (RFC 5321 section 4.1.2): whether a domain takes mail the DNS says on demand, and whether a mailbox exists
a mail will tell. A local part beyond ASCII is refused, because few servers take one (RFC 6531).
"""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email

MAX_LENGTH = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets


def mail_address(text: str) -> str:
    """`anna@xn--bcher-kva.example` of "anna@BÜCHER.example". Raises ValueError that says what is wrong."""
    try:
        # Names that only look local, such as `.example`, are let through: set-ups and demos use them.
        found = validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=False, globally_deliverable=False
        )
    except EmailNotValidError as exc:
        raise ValueError(f"{text!r} is not a mail address: {str(exc).rstrip('.')}") from None
    if "." not in found.ascii_domain:
        raise ValueError(f"{text!r} is not a mail address: {found.ascii_domain!r} is no full domain")
    address = f"{found.local_part}@{found.ascii_domain.lower()}"
    if len(address) > MAX_LENGTH:
        raise ValueError(f"{text[:20]!r}… has {len(address)} characters, more than {MAX_LENGTH}")
    return address

"""Every letter from real rows, in a frame like a mail program's: script/letters.

The rows are made in a database of its own, which is thrown away.
"""

from __future__ import annotations

import argparse
import html
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

FRAME = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>{name}</title><style>body {{ margin: 0; font: 14px/1.4 system-ui, sans-serif }} header {{ padding: 12px 16px }}
b {{ font-size: 17px }} iframe {{ width: 100%; height: 5000px; border: 0 }} pre {{ margin: 0; padding: 16px; overflow-x:
auto; white-space: pre-wrap; overflow-wrap: anywhere }}</style>
<header><b>{subject}</b><br>{sender}<br>to {to}</header>{body}"""
SIZES = [(width, scheme) for width in (400, 800) for scheme in ("light", "dark")]


def main() -> None:
    given = argparse.ArgumentParser(prog="script/letters")
    given.add_argument("folder", type=Path)
    given.add_argument("--pictures", action="store_true")
    given.add_argument("--only", default="", help="names with this in them")
    options = given.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ |= {"ABUSEDESK_DATA_DIR": scratch, "ABUSEDESK_NAME": "Example Net", "ABUSEDESK_SECRET_KEY": "x" * 50}
        os.environ |= {"ABUSEDESK_EMAIL": "abuse@isp.example", "ABUSEDESK_BASE_URL": "https://abuse.isp.example"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "abusedesk.settings"
        import django

        django.setup()
        write_all(options.folder, options.only)
    if options.pictures:
        draw_all(options.folder, options.only)
    print(f"{len(list(options.folder.rglob('*.html'))) - 1} letters: {options.folder / 'index.html'}", file=sys.stderr)


def write_all(folder: Path, only: str) -> None:
    from django.core.management import call_command
    from django.db import transaction

    call_command("migrate", verbosity=0)
    links = []
    for language in ("en", "de", "fr"):
        for name, make in letters(language):
            if only not in f"{language}/{name}":
                continue
            with transaction.atomic():
                mail = make()
                transaction.set_rollback(True)
            write(folder / language / name, mail)
            links.append(f'<li><a href="{language}/{name}.html">{language}/{name}</a>: {html.escape(mail["Subject"])}')
    (folder / "index.html").write_text("<!doctype html><title>Letters</title><ul>" + "\n".join(links))


def write(path: Path, mail: EmailMessage) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = mail.get_body(("plain",))
    page = mail.get_body(("html",))
    assert text is not None
    words = text.get_content()
    path.with_name(path.name + ".txt").write_text(words)
    path.with_name(path.name + ".eml").write_bytes(mail.as_bytes(policy=mail.policy.clone(refold_source="none")))
    shown = page.get_content() if page else ""
    body = f'<iframe srcdoc="{html.escape(shown)}"></iframe>' if page else f"<pre>{html.escape(words)}</pre>"
    fields = {"name": path.name, "subject": mail["Subject"], "sender": mail["From"], "to": mail["To"]}
    said = {key: html.escape(str(value)) for key, value in fields.items()}
    path.with_name(path.name + ".html").write_text(FRAME.format(**said, body=body))


def letters(language: str) -> Iterator[tuple[str, Any]]:
    """(name, function that makes the rows and gives the mail)"""
    from tests import letter_rows

    for name, function, arguments in letter_rows.letters():
        yield name, lambda function=function, arguments=arguments: function(language, **arguments)


def draw_all(folder: Path, only: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = os.environ.get("ABUSEDESK_CHROMIUM") or shutil.which("chromium")
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for width, scheme in SIZES:
            context = started.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page = context.new_page()
            for path in sorted(folder.glob("*/*.html")):
                if only not in f"{path.parent.name}/{path.name}":
                    continue
                page.goto(path.absolute().as_uri())
                page.evaluate(FIT)
                page.screenshot(path=path.with_name(f"{path.stem}-{width}-{scheme}.png"), full_page=True)
            context.close()
        started.close()


FIT = """() => { const frame = document.querySelector('iframe');
  if (frame) frame.style.height = frame.contentDocument.documentElement.scrollHeight + 'px' }"""

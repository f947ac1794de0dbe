"""One file of words, two shapes of mail."""

from __future__ import annotations

import pytest

from complaints.notices.letter import LINK_MARK, BadLetter, as_text, fill_link, read_letter

SOURCE = """Subject: Your line (case 7)

Hello Marie,
this is a paragraph.

*Fix it by Sunday.* Then all is well.

+Well done.+ Thank you.

## What to do

1. Forward this mail.
2. Wait for somebody
   who comes.

Line:: 192.0.2.1
Seen since:: Monday

    > MAIL FROM:<a@b.example>
    250  Ok

=> Open your page
"""


def test_each_block_is_recognised_by_how_it_begins():
    letter = read_letter(SOURCE)
    assert letter.subject == "Your line (case 7)"
    kinds = [block.kind for block in letter.blocks]
    assert kinds == ["text", "strong", "good", "heading", "steps", "facts", "lines", "button"]
    assert letter.blocks[1].items == ("Fix it by Sunday.",)
    assert letter.blocks[4].items == ("Forward this mail.", "Wait for somebody who comes.")
    assert letter.blocks[5].facts == (("Line", "192.0.2.1"), ("Seen since", "Monday"))
    assert letter.blocks[6].items == ("> MAIL FROM:<a@b.example>", "250  Ok")


def test_the_text_is_readable_without_any_mark_up():
    text = as_text(read_letter(SOURCE))
    assert "Hello Marie, this is a paragraph." in text
    assert "What to do\n----------" in text
    assert "Line:        192.0.2.1\nSeen since:  Monday" in text
    assert f"Open your page\n{LINK_MARK}" in text
    assert "##" not in text
    assert "=>" not in text


def test_no_line_of_prose_is_longer_than_a_screen_of_mail():
    text = as_text(read_letter("Subject: x\n\n" + "word " * 200))
    assert max(len(line) for line in text.splitlines()) <= 74


def test_the_link_is_filled_in_everywhere():
    assert fill_link(f"a {LINK_MARK} b {LINK_MARK}", "https://x/") == "a https://x/ b https://x/"


def test_a_file_without_a_subject_is_refused_by_name():
    with pytest.raises(BadLetter, match="Hello"):
        read_letter("Hello\n\nworld")

"""What a format raises when a mail is of its kind but cannot be read."""


class NotThisFormat(Exception):
    """The mail looked like this format at first sight; the next one is asked."""


class MalformedComplaint(Exception):
    """Says which part or field could not be read, and what stood there. Shown to the analyst as it is."""

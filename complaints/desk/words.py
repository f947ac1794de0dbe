"""What the desk calls things: one table a vocabulary, and the few sentences that depend on more than one word. Pure."""

from __future__ import annotations

import dataclasses

from complaints.vocabulary import Answer, CaseState, Category, Cause, CustomerStatus, Disposition, Resolution, Verdict

STATES = {
    CaseState.INVESTIGATING: "Investigating",
    CaseState.TRIAGE: "Triage",
    CaseState.NOTIFIED: "With the customer",
    CaseState.ANSWERED: "Answered",
    CaseState.VERIFYING: "Being verified",
    CaseState.ESCALATED: "Escalated",
    CaseState.CLOSED: "Closed",
}
DISPOSITIONS = {
    Disposition.COMPLAINT: "a complaint that accuses no address",
    Disposition.BOUNCE: "a bounce",
    Disposition.AUTO_REPLY: "an automatic reply",
    Disposition.CUSTOMER_REPLY: "a customer's answer",
    Disposition.REPORTER_REPLY: "a reporter's answer to a mail of ours",
    Disposition.PROBE: "the test mail of our own relay check, come back",
    Disposition.OTHER: "mail of another kind",
    Disposition.UNREADABLE: "not readable",
}
CATEGORIES = {
    Category.SPAM: "Spam",
    Category.PHISHING: "Phishing",
    Category.MALWARE: "Malware",
    Category.BOT: "Bot traffic",
    Category.LOGIN_ATTACK: "Log-in attacks",
    Category.SCAN: "Scanning",
    Category.DDOS: "Denial of service",
    Category.VULNERABLE: "Vulnerable service",
    Category.COPYRIGHT: "Copyright",
    Category.FRAUD: "Fraud",
    Category.AUTH_FAILURE: "Authentication failure",
    Category.NOT_SPAM: "Marked as not spam",
    Category.OPT_OUT: "Opt-out",
    Category.OTHER: "Other abuse",
}
CAUSES = {
    Cause.OPEN_RELAY: "Open relay",
    Cause.BOT: "Bot",
    Cause.STOLEN_MAILBOX: "Stolen mailbox",
    Cause.WEB_SCRIPT: "Web script",
    Cause.BULK_MAIL: "Bulk mail",
    Cause.FORWARDED: "Forwarded mail",
    Cause.FORGED: "Forged sender line",
    Cause.HARMFUL_CONTENT: "Harmful page or file",
    Cause.ATTACK: "Attacks from the line",
    Cause.VULNERABLE_SERVICE: "Vulnerable service",
    Cause.COPYRIGHT: "Copyright claim",
    Cause.UNKNOWN: "Not known yet",
}
CUSTOMER = {
    CustomerStatus.NONE: "Not told yet",
    CustomerStatus.NOTIFIED: "Told, page not opened",
    CustomerStatus.SEEN: "Has opened the page",
    CustomerStatus.CLAIMS_FIXED: "Says it is fixed",
    CustomerStatus.DISPUTES: "Says it is not them",
    CustomerStatus.ASKS_HELP: "Asks for help or time",
    CustomerStatus.ASKS_TIME: "Asks for more time",
    CustomerStatus.FOUND_NOTHING: "Looked and found nothing",
}
RESOLUTIONS = {
    Resolution.FIXED_VERIFIED: "Fixed and verified",
    Resolution.FIXED_NOT_VERIFIABLE: "Fixed, cannot be verified",
    Resolution.NO_RESPONSE: "No response",
    Resolution.TERMINATED: "Contract terminated",
    Resolution.NOT_ABUSE: "Not abuse",
    Resolution.NOT_OURS: "Not ours",
    Resolution.STALE: "Stale",
    Resolution.MERGED: "Merged",
}
CHECKS = {"relay": "Relay check", "dnsbl": "Blacklists"}
METHODS = {
    "static": "static line", "lease": "lease", "cgnat": "shared address and port", "assignment": "assignment",
    "smtp_user": "login at our mail relay", "header": "header of our mail relay", "domain": "name of the site",
    "external": "the outside source",
}  # fmt: skip
# How a message came, behind "received … by".
CHANNELS = {
    "smtp": "SMTP", "lmtp": "LMTP", "pipe": "the mail server's pipe", "api": "the API", "upload": "upload",
    "desk": "hand, at the desk", "listing": "our own look at blacklists",
}  # fmt: skip
# What a format is, for whoever does not know its name; the others are called by it.
FORMATS = {
    "abusehub": "AbuseHub table", "all-clear": "all-clear", "newsletter": "newsletter",
    "statistics-report": "statistics about our own domains",
    "arf": "feedback loop report (ARF)", "auto-reply": "automatic reply",
    "blocklistde": "blocklist.de report", "bounce": "bounce", "cleanmx": "CleanMX report",
    "copyright": "copyright notice (ACNS)", "customer-reply": "customer's answer", "fail2ban": "fail2ban mail",
    "firewall-table": "table of firewall logs", "freetext": "free text",
    "googlesafebrowsing": "Google Safe Browsing alert", "jmrp": "Microsoft junk mail report",
    "netcraft": "Netcraft takedown request", "projecthoneypot": "Project Honey Pot report",
    "proki": "table of a national CSIRT", "reporter-reply": "reporter's answer", "sesnotify": "Amazon SES notification",
    "shadowserver": "Shadowserver report", "spamcop": "SpamCop report", "spamhaus": "Spamhaus SBL notice",
    "taught": "text of a taught sender", "webiron": "WebIron report", "xarf02": "X-ARF 0.2 report",
    "xarf3": "XARF 3 report", "xarf4": "XARF 4 report",
    "listing": "answer of a blacklist", "by hand": "read by a person",
}  # fmt: skip
NOTICES = {
    "notify": "First notice",
    "remind": "Reminder",
    "still_open": "Still open",
    "more_time": "More time granted",
    "look_again": "What we saw, and where to look",
    "escalated": "Escalation notice",
    "solved": "Solved, thank you",
    "quiet": "Closed, nothing more seen",
    "withdrawn": "Letter of correction",
    "message": "A person's own words",
}
ACTIONS = {
    "check": "check again",
    "notify": "write to the customer",
    "move": "move the case",
    "close": "close the case",
}
ABOUT_TO = {
    "close": "Being closed", "note": "Note on its way", "check": "Check on its way", "assign": "Being assigned",
    "interact": "Being worked on",
}  # fmt: skip
ANSWERS_GIVEN = {
    "fixed": "“I have fixed it”",
    "needs_help": "“I need help or more time”",
    "needs_time": "“I need more time”",
    "found_nothing": "“We looked and found nothing”",
    "not_me": "“This is not me”",
    "mail": "by mail",
}

PROVEN, LIKELY, SURE_OWNER = 0.95, 0.6, 0.8


@dataclasses.dataclass(frozen=True, slots=True)
class Word:
    """A chip: its text, and the tone that colours it (good, warn, bad, or "" for unknown)."""

    text: str
    tone: str = ""
    hint: str = ""


VERDICTS = {
    ("relay", Verdict.BAD): Word("open relay", "bad"),
    ("relay", Verdict.CLEAN): Word("relay closed", "good"),
    ("relay", Verdict.UNKNOWN): Word("relay unclear"),
    ("dnsbl", Verdict.BAD): Word("listed", "bad"),
    ("dnsbl", Verdict.CLEAN): Word("not listed", "good"),
    ("dnsbl", Verdict.UNKNOWN): Word("lists silent"),
}
PLAIN_VERDICTS = {
    Verdict.BAD: Word("bad", "bad"),
    Verdict.CLEAN: Word("clean", "good"),
    Verdict.UNKNOWN: Word("unclear"),
}
# What is said beside the line of a transcript that decided.
REMARKS = {
    Verdict.BAD: "accepted for a domain that is not theirs",
    Verdict.CLEAN: "refused for good",
    Verdict.UNKNOWN: "no clear answer",
}
ON_LIST = {
    "listed": Word("listed", "bad"),
    "policy": Word("policy only", "", "Says what kind of range this is, not that it sends abuse"),
    "allow": Word("welcomed", "good"),
    "not-listed": Word("not listed", "good"),
    "earlier": Word("of an earlier holder", hint="It was listed before this contract had the address"),
    "unknown": Word("no answer", "", "An error is never “not listed”"),
}
WHOSE = {
    Answer.OWNER: Word("Ours", "good", "The contract that held the address then is known"),
    Answer.NOBODY: Word(
        "Ours, but nobody had it then", "warn", "Our address space, and no contract held it at that time"
    ),
    Answer.NOT_OURS: Word("Not ours", "", "Outside our networks: somebody else's to answer, and never probed"),
    Answer.UNSURE: Word("Unsure", "bad", "Several contracts could be meant: nobody is accused until it is known"),
}


# How it stands with a mail to a reporter, by ReporterMail.State.
MAIL_STATES = {
    "queued": Word("on its way"),
    "sending": Word("on its way"),
    "sent": Word("sent", "good"),
    "failed": Word("did not arrive", "bad"),
    "withheld": Word("held back", "warn", "A limit forbade it: it is sent when you say so"),
    "withdrawn": Word("taken back", "", "A person took it back before it went"),
}


def confidence_word(confidence: float) -> Word:
    """How sure a cause is, as a word with the figure behind it."""
    hint = f"{confidence:.0%} sure"
    if confidence >= PROVEN:
        return Word("proven", "good", hint)
    return Word("likely", "warn", hint) if confidence >= LIKELY else Word("guess", "", hint)


def owner_word(confidence: float) -> Word:
    hint = f"{confidence:.0%} sure"
    return Word("sure", "good", hint) if confidence >= SURE_OWNER else Word("not sure", "warn", hint)


def verdict_word(check: str, verdict: str) -> Word:
    found = Verdict(verdict)
    return VERDICTS.get((check, found), PLAIN_VERDICTS[found])


def check_title(name: str) -> str:
    return CHECKS.get(name, name.replace("_", " ").capitalize())


def format_title(name: str) -> str:
    return FORMATS.get(name, name)


def what_is_wrong(*, category: str, cause: str, ladder: int) -> str:
    """The cause where one is known, else what the line is accused of; and that it came back."""
    known = Cause(cause) is not Cause.UNKNOWN
    title = CAUSES[Cause(cause)] if known else CATEGORIES[Category(category)]
    return f"{title} again" if ladder else title


def case_title(*, category: str, cause: str, ladder: int, customer_status: str = "", state: str = "") -> str:
    """The name of a case in the queue: what is wrong, how often, and what the customer said about it."""
    title = what_is_wrong(category=category, cause=cause, ladder=ladder)
    if ladder:
        title += f", {ordinal(ladder)} relapse"
    if state == CaseState.ANSWERED and customer_status == CustomerStatus.DISPUTES:
        return f"Disputed: {title[0].lower()}{title[1:]}"
    if state == CaseState.ANSWERED and customer_status == CustomerStatus.ASKS_HELP:
        return f"Asks for help: {title[0].lower()}{title[1:]}"
    if state == CaseState.ANSWERED and customer_status == CustomerStatus.ASKS_TIME:
        return f"Asks for time: {title[0].lower()}{title[1:]}"
    if state == CaseState.ANSWERED and customer_status == CustomerStatus.FOUND_NOTHING:
        return f"Found nothing: {title[0].lower()}{title[1:]}"
    return title


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def ordinal(number: int) -> str:
    words = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth"}
    return words.get(number, f"{number}th")


MEASURES = {
    "limit_25": "Block outgoing tcp/25",
    "lock_account": "Lock the mail account",
    "quarantine": "Quarantine (walled garden)",
    "suspend": "Suspend the line",
}
MEASURE_STATES = {
    "proposed": Word("needs a second person", "warn"),
    "decided": Word("decided", "warn"),
    "applying": Word("being set", "warn"),
    "in_force": Word("in force", "bad"),
    "release_due": Word("being released", "warn"),
    "releasing": Word("being released", "warn"),
    "released": Word("released", "good"),
    "withdrawn": Word("undone"),
    "failed": Word("failed", "bad"),
}

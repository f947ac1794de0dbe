"""What a browser calls itself, as a person would: “Firefox on Windows”. Pure."""

from __future__ import annotations

# In this order: most browsers also name those that they want to be taken for.
BROWSERS = (
    ("Edg/", "Edge"), ("EdgA/", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("iPhone", "an iPhone"), ("iPad", "an iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"), ("Windows", "Windows"),
    ("Macintosh", "macOS"), ("Linux", "Linux"),
)  # fmt: skip
LONGEST = 90


def browser_in_words(agent: str) -> str:
    """agent: the header User-Agent. What is no known browser is named as it names itself, cut short."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    if not browser:
        return agent[:LONGEST] or "An unnamed program"
    return f"{browser} on {system}" if system else browser

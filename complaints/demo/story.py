"""When what happens in the first minutes of the demo: (second, verb of life.py, contract or kind of stray). Data.

It begins with a relay whose repair waits for the newcomer's click, so that there is something to press when they
have found the page. Afterwards life.py goes on by itself, more slowly.
"""

from __future__ import annotations

STORY: tuple[tuple[float, str, str], ...] = (
    (1, "begin", "C-2001"),  # by hand
    (5, "begin", "C-2011"),  # fixed quickly
    (11, "begin", "C-2041"),  # a bot at home
    (16, "stray", "login_attack"),  # from the same line: another category, another case
    (21, "begin", "C-2018"),  # presses without fixing
    (26, "stray", "auto_reply"),
    (30, "begin", "C-2031"),  # wrongly accused
    (37, "begin", "C-2020"),  # never answers
    (43, "stray", "port_missing"),
    (49, "begin", "C-2003"),  # by hand, by percent form
    (55, "stray", "broken"),
    (58, "stray", "seller"),  # a rule ignores it
    (60, "begin", "C-2044"),  # disputes
    (63, "begin", "C-2045"),  # never answers, and
    (65, "flood", "C-2045"),  # one feedback loop tells it a hundred times
    (66, "begin", "C-2012"),
    (72, "stray", "former_holder"),
    (78, "begin", "C-2016"),  # will relapse
    (84, "stray", "bounce"),
    (87, "stray", "own_format"),  # unread, until somebody shows how it is read
    (90, "begin", "C-2002"),  # by hand
    (97, "begin", "C-2051"),  # a bot behind a shared address
    (100, "stray", "port_forgotten"),  # from that line: the reporter is asked for the port, and answers
    (104, "stray", "not_ours"),
    (111, "begin", "C-2023"),  # asks for help
    (114, "propose", "C-2045"),  # a senior wants the line suspended: a second person must agree
    (118, "stray", "nobody"),
    (122, "begin", "C-2081"),  # a customer of many contracts
    (125, "begin", "C-2013"),
    (129, "correct", "C-2065"),  # the lease server tells late who held the address of “former_holder”
    (132, "begin", "C-2033"),  # takes all, delivers none
    (139, "stray", "ended_ipv6"),
    (146, "begin", "C-2022"),  # wakes up late
    (153, "begin", "C-2034"),  # greylisting
    (160, "stray", "question"),
    (167, "begin", "C-2017"),
    (175, "begin", "C-2043"),
)
STORY_ENDS = 185.0

"""Leases from the systems that give them: CSV, RADIUS accounting, Kea and ISC DHCP lease files.

Read events.py (what every feed says), merging.py (how news are fitted into history, pure), placing.py (the verb).
"""

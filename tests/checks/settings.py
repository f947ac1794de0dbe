"""A configuration for checks against loopback: short timeouts, our example probe domain."""

from __future__ import annotations

import dataclasses
from typing import Any

from complaints.checks import CheckConfig, Timeouts

SECRET = b"only for tests"
NONCE = "abcdefgh23456777"
QUICK = Timeouts(connect=1, command=1, overall=10, dns=0.3)


def make_config(**changes: Any) -> CheckConfig:
    config = CheckConfig(
        helo="relaycheck.isp.example",
        probe_domain="probe.isp.example",
        secret=SECRET,
        info_url="https://isp.example/relay-test",
        contact="abuse@isp.example",
        timeouts=QUICK,
    )
    return dataclasses.replace(config, **changes)

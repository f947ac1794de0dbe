"""Change of authorization, RFC 5176: the NAS is told to put a session under another filter, or to end it.

One request for each address that the line holds at this moment, named by Framed-IP-Address. What a filter is called
is the ISP's own: ABUSEDESK_RADIUS_FILTERS=limit_25=abuse-25,quarantine=garden,lift=default.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

from pyrad import packet
from pyrad.client import Client, Timeout
from pyrad.dictionary import Dictionary

from complaints.adapters.measures import AskHuman, Config, Order, Refused, TryLater
from complaints.vocabulary import MeasureKind

NAME = "radius"
RANK = 40
TIMEOUT_S = 3
TRIES = 3
LIFT = "lift"
SESSION_NOT_FOUND = 503  # RFC 5176 section 3.5: nobody is on that address; there is nothing to do now
ATTRIBUTES = """
ATTRIBUTE User-Name 1 string
ATTRIBUTE Framed-IP-Address 8 ipaddr
ATTRIBUTE Filter-Id 11 string
ATTRIBUTE Event-Timestamp 55 date
ATTRIBUTE Message-Authenticator 80 octets
ATTRIBUTE Framed-IPv6-Prefix 97 ipv6prefix
ATTRIBUTE Error-Cause 101 integer
"""


def carry_out(order: Order, config: Config) -> str:
    addresses = [address for prefix in order.prefixes if (address := single_ipv4(prefix))]
    if not addresses:
        raise AskHuman(f"Contract {order.contract} holds no single IPv4 address now: decide at the line ({order.kind})")
    client = client_of(config)
    said = [tell(client, address, order, filters_of(config["filters"])) for address in addresses]
    return "; ".join(said)[:500]


def single_ipv4(prefix: str) -> str:
    """ "" for a prefix of several addresses, for IPv6, and for a part of a shared address: that is not one line's."""
    address, _, length = prefix.partition("/")
    return address if length == "32" and ":" not in address else ""


def client_of(config: Config) -> Client:
    host, _, port = config["server"].rpartition(":")
    dictionary = Dictionary(io.StringIO(ATTRIBUTES))
    client = Client(server=host, coaport=int(port), secret=config["secret"].encode(), dict=dictionary, retries=TRIES)
    client.timeout = TIMEOUT_S
    return client


def filters_of(text: str) -> Mapping[str, str]:
    """By measure, and by "lift". Raises ValueError for what is no such list."""
    return {name.strip(): value.strip() for name, value in (part.split("=", 1) for part in text.split(","))}


def tell(client: Client, address: str, order: Order, filters: Mapping[str, str]) -> str:
    ends = order.kind is MeasureKind.SUSPEND and not order.lift
    wanted = LIFT if order.lift else order.kind.value
    if not ends and wanted not in filters:
        raise AskHuman(f"No RADIUS filter is named for {wanted}: do it at the line of contract {order.contract}")
    code = packet.DisconnectRequest if ends else packet.CoARequest
    request = client.CreateCoAPacket(code=code)
    request["Framed-IP-Address"] = address
    if not ends:
        request["Filter-Id"] = filters[wanted]
    request.add_message_authenticator()
    try:
        reply = client.SendPacket(request)
    except Timeout:
        raise TryLater(f"the RADIUS server gave no valid answer within {TIMEOUT_S * TRIES} s") from None
    except OSError as exc:
        raise TryLater(f"the RADIUS server cannot be reached: {exc}") from None
    return judge(reply, address)


def judge(reply: packet.Packet, address: str) -> str:
    if reply.code in (packet.CoAACK, packet.DisconnectACK):
        return f"{address}: acknowledged"
    cause = reply["Error-Cause"][0] if "Error-Cause" in reply else None
    if cause == SESSION_NOT_FOUND:
        return f"{address}: not online now"
    raise Refused(f"{address}: the RADIUS server refused, Error-Cause {cause}")

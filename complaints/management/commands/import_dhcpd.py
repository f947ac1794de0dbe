from complaints.attribution.importing.leases import dhcpd
from complaints.management.import_command import FeedCommand


class Command(FeedCommand):
    help = "Read ISC dhcpd's lease files, dhcpd.leases and dhcpd6.leases. What cannot be read is told and kept."
    reader = dhcpd.NAME

from complaints.attribution.importing.leases import kea
from complaints.management.import_command import FeedCommand


class Command(FeedCommand):
    help = "Read Kea's lease files, kea-leases4.csv and kea-leases6.csv. What cannot be read is told and kept."
    reader = kea.NAME

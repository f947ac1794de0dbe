from complaints.attribution.importing.leases import radius
from complaints.management.import_command import FeedCommand


class Command(FeedCommand):
    help = "Read RADIUS accounting as FreeRADIUS writes it into detail files. What cannot be read is told and kept."
    reader = radius.NAME

from complaints.attribution.importing import import_assignments
from complaints.management.import_command import ImportCommand


class Command(ImportCommand):
    help = "Read which contract holds which prefix, from when until when. All of the file or nothing of it."
    load = import_assignments

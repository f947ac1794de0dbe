from complaints.attribution.importing import import_networks
from complaints.management.import_command import ImportCommand


class Command(ImportCommand):
    help = "Read the address space that is ours (prefix,name). All of the file or nothing of it."
    load = import_networks

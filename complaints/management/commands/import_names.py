from complaints.attribution.importing import import_names
from complaints.management.import_command import ImportCommand


class Command(ImportCommand):
    help = "Read which host names are whose (contract,name,valid_from,valid_until). All of the file or nothing of it."
    load = import_names

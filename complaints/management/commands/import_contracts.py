from complaints.attribution.importing import import_contracts
from complaints.management.import_command import ImportCommand


class Command(ImportCommand):
    help = "Read customers, contracts and contacts, one line a contact. All of the file or nothing of it."
    load = import_contracts

from complaints.attribution.importing import import_cgnat
from complaints.management.import_command import ImportCommand


class Command(ImportCommand):
    help = "Read the rules of a deterministic CGNAT: which port block belongs to which address inside (RFC 7422)."
    load = import_cgnat

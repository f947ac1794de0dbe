from complaints.listeners.command import ListenerCommand
from complaints.listeners.sessions import DeskSMTP


class Command(ListenerCommand):
    help = "Take mail by SMTP and store it, until SIGTERM."
    session_class = DeskSMTP
    setting = "SMTP_LISTEN"

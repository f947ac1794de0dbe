from complaints.listeners.command import ListenerCommand
from complaints.listeners.sessions import DeskLMTP


class Command(ListenerCommand):
    help = "Take mail by LMTP and store it, until SIGTERM."
    session_class = DeskLMTP
    setting = "LMTP_LISTEN"

"""The nouns: columns, constraints, QuerySets and one-row properties. Verbs live beside this package, not in it."""

from complaints.models.accounts import AccessLog, Restricted, SharedCount, User
from complaints.models.address_plan import AddressPlanVersion, PrefixInUse
from complaints.models.api_keys import ApiKey
from complaints.models.assignments import Assignment, AssignmentChange, PrefixLength
from complaints.models.blacklists import Blacklist, ListAnswer, ListHealth, Listing, ListSweep, ListUse
from complaints.models.brands import Brand
from complaints.models.campaigns import Campaign, CampaignMark, CampaignMember
from complaints.models.case_search import CaseAddress, CaseText, CaseTextDue
from complaints.models.cases import Case, CaseEvent
from complaints.models.checks import CheckOptOut, CheckRun, ProbeArrival, ProbeBounce
from complaints.models.complaints import Complaint
from complaints.models.customers import Contact, Contract, Customer, MailDomain, Product
from complaints.models.desk import CaseViewer, DeskAction, DeskActionCase, SavedView
from complaints.models.floods import Flood, SenderMinute
from complaints.models.identifiers import HostedName, LineIdentifier
from complaints.models.leases import FeedFault, FeedPosition, LeaseFeed, OpenSession, WaitingLease
from complaints.models.measures import DeskTask, Hold, Intervention
from complaints.models.messages import CompressionDictionary, Message, Reading
from complaints.models.networks import Network, NetworkContact, SharedMachine
from complaints.models.notices import Forward, LetterText, Notice, PortalLink
from complaints.models.offenders import Offender, OffenderCount
from complaints.models.playbooks import PlaybookChange, PlaybookVersion
from complaints.models.queue_counts import QueueCount
from complaints.models.reattribution import AttributionWait, Reattribution
from complaints.models.regrouping import CaseChange
from complaints.models.reporters import (
    OwedOutcome,
    Reporter,
    ReporterAnswer,
    ReporterChange,
    ReporterMail,
    ReporterTally,
    TallyPosition,
)
from complaints.models.resolvers import ResolverAnswer, ResolverState
from complaints.models.rules import Rule, RuleChange
from complaints.models.taught import SenderRule
from complaints.models.watch import Feed, Rise, SignedCall, SweepPosition, Tally
from complaints.models.weights import PriorityWeights

__all__ = [
    "AccessLog",
    "AddressPlanVersion",
    "ApiKey",
    "Assignment",
    "AssignmentChange",
    "AttributionWait",
    "Blacklist",
    "Brand",
    "Campaign",
    "CampaignMark",
    "CampaignMember",
    "Case",
    "CaseAddress",
    "CaseChange",
    "CaseEvent",
    "CaseText",
    "CaseTextDue",
    "CaseViewer",
    "CheckOptOut",
    "CheckRun",
    "Complaint",
    "CompressionDictionary",
    "Contact",
    "Contract",
    "Customer",
    "DeskAction",
    "DeskActionCase",
    "DeskTask",
    "Feed",
    "FeedFault",
    "FeedPosition",
    "Flood",
    "Forward",
    "Hold",
    "HostedName",
    "Intervention",
    "LeaseFeed",
    "LetterText",
    "LineIdentifier",
    "ListAnswer",
    "ListHealth",
    "ListSweep",
    "ListUse",
    "Listing",
    "MailDomain",
    "Message",
    "Network",
    "NetworkContact",
    "Notice",
    "Offender",
    "OffenderCount",
    "OpenSession",
    "OwedOutcome",
    "PlaybookChange",
    "PlaybookVersion",
    "PortalLink",
    "PrefixInUse",
    "PrefixLength",
    "PriorityWeights",
    "ProbeArrival",
    "ProbeBounce",
    "Product",
    "QueueCount",
    "Reading",
    "Reattribution",
    "Reporter",
    "ReporterAnswer",
    "ReporterChange",
    "ReporterMail",
    "ReporterTally",
    "ResolverAnswer",
    "ResolverState",
    "Restricted",
    "Rise",
    "Rule",
    "RuleChange",
    "SavedView",
    "SenderMinute",
    "SenderRule",
    "SharedCount",
    "SharedMachine",
    "SignedCall",
    "SweepPosition",
    "Tally",
    "TallyPosition",
    "User",
    "WaitingLease",
]

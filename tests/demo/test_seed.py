from __future__ import annotations

from datetime import timedelta
from statistics import median

import pytest
from django.contrib.auth.models import Group

from complaints.addresses import address_key
from complaints.attribution import Question, attribute
from complaints.cases.rises import open_rises, watch_rises
from complaints.cases.tallies import Kind, Metric, Span, days_of, write
from complaints.demo.colleagues import correct_lines
from complaints.demo.memory import recall
from complaints.demo.past import WAVE, WAVE_DAYS_AGO
from complaints.demo.playbook import NOTE, SHORTER, TIMERS, NoShorterTimer, demo_playbooks, shorten
from complaints.demo.seed import NotADemo, seed_demo
from complaints.demo.set_up import LOUD
from complaints.demo.world import LEASE, SEED, SHARED_ADDRESS, UNASSIGNED, build_world, corrected
from complaints.desk.watch_chart import points_of
from complaints.models import (
    Assignment,
    Brand,
    Contact,
    Contract,
    Customer,
    Network,
    PlaybookVersion,
    Product,
    Rise,
    Rule,
    Tally,
    User,
)  # fmt: skip
from complaints.playbooks.documents import parse_span
from complaints.playbooks.loading import shipped_playbooks
from complaints.vocabulary import Answer
from tests.factories import NOON

KINDS = (Brand, Rule, Tally, Network, Customer, Contract, Contact, Assignment, PlaybookVersion, User, Group)


@pytest.fixture
def demo(settings, tmp_path):
    settings.DEMO = True
    settings.DATA_DIR = tmp_path
    return settings


def everything() -> dict[str, list]:
    return {kind.__name__: list(kind.objects.order_by("pk").values()) for kind in KINDS}


@pytest.mark.django_db
def test_seeding_twice_changes_nothing(demo):
    seed_demo(NOON)
    first = everything()

    seed_demo(NOON + timedelta(hours=3))

    assert everything() == first


@pytest.mark.django_db
def test_outside_the_demo_nothing_is_seeded(settings):
    settings.DEMO = False

    with pytest.raises(NotADemo):
        seed_demo(NOON)

    assert set(map(len, everything().values())) == {0}


@pytest.mark.django_db
def test_log_ins_are_one_of_each_role_at_the_desk_marked_as_demo(demo):
    seed_demo(NOON)

    ada, bruno, carla, dora, olga = User.objects.order_by("username")
    people = (ada, bruno, carla, dora, olga)
    roles = ["analyst", "senior", "supervisor", "administrator", "auditor"]
    assert [name for user in people for name in user.role_names] == roles
    assert all(user.is_demo and not user.is_staff for user in people)
    assert ada.check_password("demo")
    assert carla.check_password("demo")
    assert not carla.is_superuser


@pytest.mark.django_db
def test_product_attributes_every_line_as_the_truth_has_it(demo):
    world = seed_demo(NOON)
    asked = []
    for line in world.lines:
        address, at = line.prefix.partition("/")[0], (line.valid_until or NOON) - timedelta(seconds=1)
        asked.append((address, at, line.port_first, line.contract))

    answers = attribute([Question(address_key(address), port, at) for address, at, port, _ in asked])

    named = dict(Contract.objects.values_list("pk", "reference"))
    assert [named.get(answer.contract_id or 0) for answer in answers] == [contract for *_, contract in asked]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "at", "answer"),
    [
        (SHARED_ADDRESS, NOON, Answer.UNSURE),
        (UNASSIGNED, NOON, Answer.NOBODY),
        ("198.51.100.7", NOON, Answer.NOT_OURS),
        (next(line.prefix for line in build_world(born_at=NOON).lines if ":" in line.prefix), NOON, Answer.NOBODY),
        (
            next(line.prefix for line in build_world(born_at=NOON).lines if line.valid_until and "." in line.prefix),
            NOON - LEASE,
            Answer.NOBODY,
        ),
    ],
)
def test_product_names_nobody_where_there_is_nobody(demo, address, at, answer):
    seed_demo(NOON)

    [holding] = attribute([Question(address_key(address.partition("/")[0]), None, at)])

    assert holding.answer is answer


@pytest.mark.django_db
def test_demo_playbooks_are_active_under_the_shipped_names(demo):
    seed_demo(NOON)

    versions = PlaybookVersion.objects.order_by("name")
    assert [(v.name, v.state, v.document["note"]) for v in versions] == [
        (name, "active", NOTE) for name in sorted(document["name"] for document in shipped_playbooks())
    ]


def without_timers(documents):
    for document in documents:
        document.pop("note", None)
        for step in document["steps"]:
            for fields, name in ((step, "after"), (step, "only_in"), *((step.get("with", {}), n) for n in TIMERS)):
                fields.pop(name, None)
    return documents


def test_demo_playbooks_differ_by_their_timers_alone():
    assert without_timers(demo_playbooks()) == without_timers(shipped_playbooks())


def test_every_timer_of_the_demo_is_minutes():
    for step in (step for document in demo_playbooks() for step in document["steps"]):
        for span in (step.get("after", "0s"), *(step.get("with", {}).get(name, "0s") for name in TIMERS)):
            assert parse_span(span) <= timedelta(minutes=10)


def test_timers_keep_their_order():
    shortened = [parse_span(SHORTER[span]) for span in sorted(SHORTER, key=parse_span)]
    assert shortened == sorted(shortened)


def test_timer_between_two_known_ones_lasts_as_long_as_the_longer():
    fields = {"after": "9d"}
    shorten(fields, {"id": "later"})
    assert fields == {"after": SHORTER["10d"]}


def test_timer_beyond_the_known_ones_is_refused_by_name():
    with pytest.raises(NoShorterTimer, match="step later: after '90d' is longer than 17d"):
        shorten({"after": "90d"}, {"id": "later"})


@pytest.mark.django_db
def test_a_line_that_was_corrected_stays_so_at_the_next_start(demo, tmp_path):
    world = seed_demo(NOON)
    memory = recall(tmp_path, seed=SEED, now=NOON)
    wanted, lines = corrected(world, "C-2065")
    correct_lines(lines)
    memory.corrected.add("C-2065")
    memory.save()

    again = seed_demo(NOON + timedelta(hours=1))

    assert again == wanted
    prefix = lines[0].prefix.partition("/")[0]
    [holding] = attribute([Question(address_key(prefix), None, NOON - LEASE - timedelta(hours=3))])
    assert Contract.objects.get(pk=holding.contract_id).reference == lines[1].contract


@pytest.mark.django_db
def test_the_mail_flow_of_the_demo_is_a_rise_on_the_watch(demo):
    seed_demo(NOON)

    began = watch_rises(now=NOON)

    rises = Rise.objects.filter(pk__in=began)
    assert "messages" in {rise.metric for rise in rises}
    assert {Contract.objects.get(pk=rise.ref).reference for rise in rises} == {LOUD}


@pytest.mark.django_db
def test_customers_of_two_brands_get_letters_that_differ(demo):
    seed_demo(NOON)

    used = set(Contract.objects.values_list("brand", flat=True))
    assert used == {brand.name for brand in Brand.objects.all()}
    for brand in Brand.objects.all():
        brand.full_clean()


@pytest.mark.django_db
def test_the_network_has_weeks_behind_it_with_their_shape_and_one_rise(demo):
    seed_demo(NOON)
    days = days_of(Kind.ALL, [0], Metric.COMPLAINTS, since=NOON - timedelta(days=56))[0]
    points = points_of(days, today=NOON.date(), days=56)
    a_week_of = [[n for day, n in days.items() if day.weekday() == weekday] for weekday in range(7)]

    assert len(days) == 55
    assert min(map(median, a_week_of[:5])) > max(map(median, a_week_of[5:]))
    assert [point.day for point in points if point.is_above] == [NOON.date() - timedelta(days=WAVE_DAYS_AGO)]


@pytest.mark.django_db
def test_the_rise_of_the_weeks_before_was_seen_and_has_ended(demo):
    seed_demo(NOON)
    products = Product.objects.in_bulk()
    past = Rise.objects.filter(metric="complaints")

    assert {(rise.kind, getattr(products.get(rise.ref), "name", "")) for rise in past} == {
        ("all", ""),
        ("product", WAVE),
    }
    assert {rise.began_at.date() for rise in past} == {NOON.date() - timedelta(days=WAVE_DAYS_AGO)}
    assert [rise.ended_at - rise.began_at < timedelta(days=2) for rise in past] == [True, True]


@pytest.mark.django_db
def test_the_flood_of_the_story_is_a_rise_of_its_product_alone(demo):
    """A hundred reports in a minute about a Home 250, beside what else comes in that time."""
    seed_demo(NOON)
    today = NOON.replace(hour=0)
    counted = {(Kind.PRODUCT, Product.objects.get(name="Home 250").pk): 121, (Kind.ALL, 0): 186}
    write({(*key, Metric.COMPLAINTS, Span.DAY, today): n for key, n in counted.items()}, add=True)

    watch_rises(now=NOON)

    assert [rise.kind for rise in open_rises() if rise.metric == "complaints"] == ["product"]

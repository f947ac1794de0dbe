"""The desk's addresses. Every view here asks for a log-in: tests/desk/test_access.py walks this table."""

from django.urls import path

from complaints.desk import (
    answers_page,
    case_actions,
    case_page,
    corrections_page,
    evidence,
    lists,
    not_ours_page,
    offenders_page,
    queue_page,
    resolvers_page,
    reporter_mail_page,
    whose_page,
)

app_name = "desk"
urlpatterns = [
    path("", queue_page.queue_page, name="queue"),
    path("case/<int:pk>", case_page.case_page, name="case"),
    path("case/<int:pk>/next", queue_page.next_case, name="next"),
    path("case/<int:pk>/notify", case_actions.notify, name="notify"),
    path("case/<int:pk>/check", case_actions.check_again, name="check"),
    path("case/<int:pk>/verify", case_actions.verify, name="verify"),
    path("case/<int:pk>/assign", case_actions.assign, name="assign"),
    path("case/<int:pk>/note", case_actions.note, name="note"),
    path("case/<int:pk>/close", case_actions.close, name="close"),
    path("notice/<int:pk>/html", evidence.notice_html, name="notice-html"),
    path("message/<int:pk>", evidence.message_page, name="message"),
    path("message/<int:pk>/raw", evidence.message_raw, name="message-raw"),
    path("message/<int:pk>/again", lists.read_again, name="read-again"),
    path("unread", lists.unread_page, name="unread"),
    path("unread/again", lists.read_all_again, name="read-all-again"),
    path("unattributed", lists.unattributed_page, name="unattributed"),
    path("unattributed/<int:pk>/leave", lists.leave_waiting, name="leave-waiting"),
    path("not-ours", not_ours_page.not_ours_page, name="not-ours"),
    path("answers", answers_page.answers_page, name="answers"),
    path("answers/<int:pk>/settle", answers_page.settle, name="answers-settle"),
    path("message/<int:pk>/ask", reporter_mail_page.ask, name="ask"),
    path("message/<int:pk>/not-ours", reporter_mail_page.tell_not_ours, name="tell-not-ours"),
    path("corrections", corrections_page.corrections_page, name="corrections"),
    path("corrections/review", corrections_page.review_page, name="corrections-review"),
    path("corrections/decide", corrections_page.decide, name="corrections-decide"),
    path("corrections/<int:pk>/undo", corrections_page.revert, name="corrections-undo"),
    path("case/<int:pk>/withdraw", corrections_page.tell, name="corrections-tell"),
    path("whose", whose_page.whose_page, name="whose"),
    path("resolvers", resolvers_page.resolvers_page, name="resolvers"),
    path("offenders", offenders_page.offenders_page, name="offenders"),
    path("offenders.csv", offenders_page.offenders_csv, name="offenders-csv"),
]

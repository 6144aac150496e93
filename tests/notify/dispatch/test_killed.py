"""A dispatcher that is killed while a receiver has the message and has not answered: it is sent again, once."""

from __future__ import annotations

import sys
from pathlib import Path

from notify.dispatch.dispatcher import LEASE_NS
from notify.ways.http_post import HttpClient
from notify.ways.signed_webhook import WebhookWay
from registry.ways import WEBHOOK
from store.records.repository import Records
from tests.alerts.rules import T0, S
from tests.loopback import PATIENCE_S
from tests.notify.dispatch.reached import Driven, desk_person, verified_way
from tests.notify.notifications import notification
from tests.notify.receivers import http_receiver
from tests.processes import start_process

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SEND = """
import sys
from notify.dispatch.dispatcher import NotificationDispatcher
from notify.ways.http_post import HttpClient
from notify.ways.signed_webhook import WebhookWay
from store.records.repository import Records

ways = {"webhook": WebhookWay(HttpClient(allow_private=True, timeout_s=600))}
dispatcher = NotificationDispatcher(Records.open(sys.argv[1]), ways, now_ns=lambda: int(sys.argv[2]))
dispatcher.dispatch_due()
dispatcher.finish()
"""
ROOT = Path(__file__).parents[3]


def test_a_message_under_way_at_the_kill_is_sent_again_under_its_id_after_the_lease(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/records.db"
    with Records.open(url) as records, http_receiver() as receiver:
        ann = desk_person(records, "Ann")
        verified_way(records, ann, WEBHOOK, f"{receiver.url}/hook", SECRET)
        records.add_notifications([notification(person_id=ann)], T0)
        receiver.release.clear()
        killed = start_process([sys.executable, "-c", SEND, url, str(T0)], cwd=ROOT)
        first = receiver.received()
        killed.kill()
        killed.wait()
        receiver.release.set()
        client = HttpClient(allow_private=True, timeout_s=PATIENCE_S)
        driven = Driven(records, {WEBHOOK: WebhookWay(client)})
        driven.now_ns = T0 + LEASE_NS - S
        driven.round()
        assert receiver.requests.empty()
        driven.turn(5)
        again = receiver.received()
        client.close()
        assert again.headers["webhook-id"] == first.headers["webhook-id"]
        assert receiver.requests.empty()
        assert [each.attempt.result for each in records.notification_attempts("i1")] == ["delivered"]

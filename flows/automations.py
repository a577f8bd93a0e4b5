"""What Prefect does by itself when something happens to a case: retrain on drift, and call an address.

The first is declared in prefect.yaml, a trigger of the deployment `retrain`. The second is made here, for the address
that `monitor: webhook:` of params.yaml or HANDBOOK_WEBHOOK names; without one it is taken away again. The address may
hold a secret, so it lies in a block of Prefect's, encrypted, and in no record.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.events.actions import CallWebhook
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.types import SecretDict
from pydantic import SecretStr

from handbook.errors import HandbookError
from handbook.project import Project

RETRAIN = "handbook: retrain on drift"  # as prefect.yaml calls it
WEBHOOK = "handbook: call the webhook"
BLOCK = "handbook-webhook"
ADDRESS = "HANDBOOK_WEBHOOK"
# What is sent: the event's name and what it carries.
PAYLOAD = (
    json.dumps({"event": "{{ event.event }}", "occurred": "{{ event.occurred }}", "case": "{{ event.payload.case }}"})[
        :-1
    ]
    + ', "said": {{ event.payload.said | tojson }}}'
)


def address(project: Project) -> str:
    """Where to call; empty if nowhere. HandbookError for what is no address."""
    block = project.numbers().get("monitor")
    named = os.environ.get(ADDRESS) or (block.get("webhook") if isinstance(block, dict) else "") or ""
    parts = urlsplit(str(named))
    if named and not (parts.scheme in ("http", "https") and parts.hostname):
        where = ADDRESS if os.environ.get(ADDRESS) else "params.yaml, monitor.webhook"
        raise HandbookError(f"{where}: expected an address as https://HOST/PATH, or nothing, found {str(named)[:40]!r}")
    return str(named)


def call(url: str) -> None:
    """Let the server call that address whenever something happens to a case; nowhere, if it is empty."""
    with get_client(sync_client=True) as client:
        for known in client.read_automations_by_name(WEBHOOK):
            client.delete_automation(known.id)
        if not url:
            return
        json_ahead = SecretDict({"Content-Type": "application/json"})
        block = Webhook(url=SecretStr(url), headers=json_ahead).save(BLOCK, overwrite=True)
        assert isinstance(block, UUID)  # not awaited: nothing runs here that could
        trigger = EventTrigger(
            expect={"handbook.*"},
            match={"prefect.resource.id": "handbook.case.*"},
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        )
        client.create_automation(
            AutomationCore(
                name=WEBHOOK,
                description="Tells an address of drift, refusal, promotion, rollback and failure.",
                enabled=True,
                trigger=trigger,
                actions=[CallWebhook(block_document_id=block, payload=PAYLOAD)],
            )
        )


def retrains() -> bool:
    """Whether the server starts `retrain` by itself; paused there, it is a person's wish that nothing does."""
    with get_client(sync_client=True) as client:
        return bool(client.read_automations_by_name(RETRAIN))

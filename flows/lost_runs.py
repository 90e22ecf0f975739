"""Runs that were lost with their machine are told apart by the server: automations call them crashed, so that a nightly
which waits for them goes on.

A run that works tells every three minutes that it lives (Prefect's default; PREFECT_FLOWS_HEARTBEAT_FREQUENCY). One
whose worker died before it began tells nothing at all, so there is a second automation for those.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

BEAT = "prefect.flow-run.heartbeat"
ENDED = ("Completed", "Failed", "Cancelled", "Crashed")


@dataclass(frozen=True, slots=True)
class Silence:
    """What must not follow for longer than `within` upon `after`: nothing of what a run tells next."""

    name: str
    after: str
    within: timedelta
    message: str


SILENCES = (
    Silence("winnow: runs that were lost at work", BEAT, timedelta(minutes=10), "It no longer tells that it lives."),
    Silence(
        "winnow: runs that were lost before they began",
        "prefect.flow-run.Pending",
        timedelta(minutes=30),
        "It was taken by a worker and never began.",
    ),
)
"""Ten minutes are three times silent. A container's image may take minutes to come, hence thirty."""


def exists(client: Any, silence: Silence) -> bool:
    """Whether the server has the automation."""
    return bool(client.read_automations_by_name(silence.name))


def create(client: Any, silence: Silence) -> None:
    """Make it."""
    from prefect.client.schemas.objects import StateType
    from prefect.events.actions import ChangeFlowRunState
    from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
    from prefect.events.schemas.events import ResourceSpecification

    next_told = {BEAT, "prefect.flow-run.Running", *(f"prefect.flow-run.{state}" for state in ENDED)}
    crashed = ChangeFlowRunState(state=StateType.CRASHED, name="Crashed", message=silence.message, force=True)
    client.create_automation(
        AutomationCore(
            name=silence.name,
            description="Runs whose machine or process is gone are called crashed, so that nobody waits for them.",
            enabled=True,
            trigger=EventTrigger(
                match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
                for_each={"prefect.resource.id"},
                after={silence.after},
                expect=next_told,
                posture=Posture.Proactive,
                threshold=1,
                within=silence.within,
            ),
            actions=[crashed],
        )
    )

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
LOST_AFTER_MIN = 10.0
"""Three times silent."""
LOST_AFTER_WITHIN_MIN = (0.5, 10_080.0)
"""The shortest time in which Prefect lets a run tell that it lives, and a week."""
BEGINS_AFTER = 3.0
"""A run may take so many times longer to begin: a container's image may take minutes to come."""


@dataclass(frozen=True, slots=True)
class Silence:
    """What must not follow for longer than `within` upon `after`: nothing of what a run tells next."""

    name: str
    after: str
    within: timedelta
    message: str


def silences(lost_after_min: float = LOST_AFTER_MIN) -> tuple[Silence, Silence]:
    """What is taken for a lost run, where one that works may be silent for so many minutes."""
    within = timedelta(minutes=lost_after_min)
    return (
        Silence("winnow: runs that were lost at work", BEAT, within, "It no longer tells that it lives."),
        Silence(
            "winnow: runs that were lost before they began",
            "prefect.flow-run.Pending",
            BEGINS_AFTER * within,
            "It was taken by a worker and never began.",
        ),
    )


def find(client: Any, silence: Silence) -> Any | None:
    """The automation on the server, None if it has none of the name."""
    return next(iter(client.read_automations_by_name(silence.name)), None)


def difference(automation: Any, silence: Silence) -> str:
    """How the server's automation differs from what is wanted, "" if it does not."""
    within = getattr(automation.trigger, "within", None)
    if within != silence.within:
        return f"it waits {_minutes(within)}, not {_minutes(silence.within)}"
    return "" if automation.enabled else "it is switched off"


def create(client: Any, silence: Silence) -> None:
    """Make it."""
    client.create_automation(_automation(silence))


def set_back(client: Any, automation: Any, silence: Silence) -> None:
    """Let the server's automation be as it is wanted."""
    client.update_automation(automation.id, _automation(silence))


def _automation(silence: Silence) -> Any:
    from prefect.client.schemas.objects import StateType
    from prefect.events.actions import ChangeFlowRunState
    from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
    from prefect.events.schemas.events import ResourceSpecification

    next_told = {BEAT, "prefect.flow-run.Running", *(f"prefect.flow-run.{state}" for state in ENDED)}
    crashed = ChangeFlowRunState(state=StateType.CRASHED, name="Crashed", message=silence.message, force=True)
    return AutomationCore(
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


def _minutes(within: timedelta | None) -> str:
    return "otherwise" if within is None else f"{within / timedelta(minutes=1):g} min"

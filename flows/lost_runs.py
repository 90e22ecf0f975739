"""Runs whose machine died are told apart by the server: an automation calls a run that no longer tells that it lives
crashed, so that a nightly which waits for it goes on.

Runs tell it every 30 seconds where their worker's environment has PREFECT_FLOWS_HEARTBEAT_FREQUENCY=30.
"""

from datetime import timedelta
from typing import Any

NAME = "winnow: runs that were lost"
WITHIN = timedelta(minutes=3)
"""Six times silent: a busy machine may be late."""
ENDED = ("Completed", "Failed", "Cancelled", "Crashed")


def exists(client: Any) -> bool:
    """Whether the server has the automation."""
    return bool(client.read_automations_by_name(NAME))


def create(client: Any) -> None:
    """Make it."""
    from prefect.client.schemas.objects import StateType
    from prefect.events.actions import ChangeFlowRunState
    from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
    from prefect.events.schemas.events import ResourceSpecification

    beat = "prefect.flow-run.heartbeat"
    client.create_automation(
        AutomationCore(
            name=NAME,
            description="A run that has told nothing for minutes is called crashed: its machine or process is gone.",
            enabled=True,
            trigger=EventTrigger(
                match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
                for_each={"prefect.resource.id"},
                after={beat},
                expect={beat, *(f"prefect.flow-run.{state}" for state in ENDED)},
                posture=Posture.Proactive,
                threshold=1,
                within=WITHIN,
            ),
            actions=[
                ChangeFlowRunState(
                    state=StateType.CRASHED, name="Crashed", message="It no longer tells that it lives.", force=True
                )
            ],
        )
    )

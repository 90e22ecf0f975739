"""Secrets from a Prefect block, for machines whose environment holds none.

WINNOW_SECRET_BLOCK names a block of Prefect's type Secret. Its value is an object: names of environment variables, and
their values. They are put where everything looks for secrets, so they are masked and passed on like all others.
"""

import os
import re

from core.errors import BadSetting

VARIABLE = "WINNOW_SECRET_BLOCK"
NAME = re.compile(r"(AWS|WINNOW|HF)_[A-Z0-9_]+")
"""What a block may set: credentials of buckets and hubs, and what is Winnow's own; not where programs are found."""

_from_block: dict[str, str] = {}


def take_secrets() -> None:
    """Put what the block holds into the environment of this process, as it is now; what was there before stays.

    Does nothing where no block is named. Raises BadSetting where no Prefect server is in use, or it has no such block,
    or that holds something else.
    """
    name = os.environ.get(VARIABLE, "").strip()
    if not name:
        return
    for variable, value in _held(name).items():
        if os.environ.get(variable, "") in ("", _from_block.get(variable)):
            os.environ[variable] = _from_block[variable] = value


def _held(name: str) -> dict[str, str]:
    """What the block holds. No message tells a value."""
    from prefect.blocks.system import Secret
    from prefect.settings import PREFECT_API_URL

    if not PREFECT_API_URL.value():  # Prefect would begin a server for this question, which has no block
        raise BadSetting(
            f"{VARIABLE}: the block {name} is wanted, and no Prefect server is configured. Set PREFECT_API_URL, or "
            f"unset {VARIABLE} and give the secrets in the environment."
        )
    try:
        held = Secret.load(name, _sync=True).get()  # pyright: ignore[reportCallIssue, reportAttributeAccessIssue]
    except ValueError as error:
        raise BadSetting(
            f"{VARIABLE}: the Prefect server in use has no secret block called {name}. Make it under Blocks in "
            "the UI, or name another."
        ) from error
    wanted = 'an object such as {"AWS_ACCESS_KEY_ID": "…", "AWS_SECRET_ACCESS_KEY": "…"}'
    if not isinstance(held, dict) or not all(isinstance(value, str) for value in held.values()):
        raise BadSetting(f"{VARIABLE}: the block {name} does not hold {wanted}.")
    others = sorted(str(variable) for variable in held if not NAME.fullmatch(str(variable)))
    if others:
        raise BadSetting(f"{VARIABLE}: the block {name} may set variables AWS_…, WINNOW_… and HF_…, not {others[0]}.")
    return held

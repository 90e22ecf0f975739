"""Every error that Winnow raises on purpose.

WinnowError                 what was being done, to what, why it failed, what the user can do
├── RefusedInput            the input cannot be used: exit code 2, nothing written
│   └── BadSetting          a setting is out of its range or contradicts another
├── MediaError              ffmpeg or a decoder failed; ends with what it said
│   ├── MediaTimeout        it ran past its time limit
│   └── MachineTrouble      no room on the disk, which says nothing about the media
│       └── MediaKilled     somebody else ended it, which says nothing about the media either
├── MissingTool             ffmpeg, ffprobe or one of their features is not on this machine
├── WeightsError            a model's weights are missing, or their hash is not the pinned one
├── WriterFailed            a writer of titles did not answer, or not in the form asked for
├── NotDelivered            nobody took a notification
├── StoreError              a stored result is missing, incomplete or cannot be written
└── Cancelled               the run was told to stop
"""


class WinnowError(Exception):
    """Base of all errors raised on purpose; its text is one message fit to show to the user."""


class RefusedInput(WinnowError):
    """The input cannot be used. Exit code 2; nothing was written."""


class BadSetting(RefusedInput):
    """A setting is out of its range or contradicts another."""


class MediaError(WinnowError):
    """ffmpeg, ffprobe or a decoder failed; the message ends with what it said."""


class MediaTimeout(MediaError):
    """A media process ran past its time limit and was ended."""


class MachineTrouble(MediaError):
    """A media process failed for want of room on the disk, or because nothing may be written there."""


class MediaKilled(MachineTrouble):
    """A media process was ended from outside: by a person, the system, or a limit of the machine."""


class MissingTool(WinnowError):
    """A program, or a feature of it, is not on this machine; the message says how to get it."""


class WeightsError(WinnowError):
    """A model's weights are missing, or their hash is not the pinned one."""


class WriterFailed(WinnowError):
    """A writer of titles did not answer, or not in the form asked for."""


class StoreError(WinnowError):
    """A stored result is missing, incomplete or cannot be written."""


class Cancelled(WinnowError):
    """The run was told to stop."""


class NotDelivered(WinnowError):
    """A notification was not taken: refused, or not answered within the time that all attempts have together."""

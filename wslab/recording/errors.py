"""Errors: what can be wrong with a capture file, told in one sentence."""


class CaptureError(ValueError):
    """The file cannot be read as a recording, or the recording cannot be written to it."""


class CaptureWarning(UserWarning):
    """The file can be read, but not all that is in it."""


INCOMPLETE = "is not complete: "  # behind the name of a file, before what is left out

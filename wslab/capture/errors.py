"""CaptureError: a file that cannot be read as what it should be."""


class CaptureError(ValueError):
    """The file is no capture, or not a whole one, or has no WebSocket in it; the message is one sentence."""

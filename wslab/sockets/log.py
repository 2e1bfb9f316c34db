"""log: what wslab tells of itself in the log `wslab`, without secrets and without what a terminal would obey."""

import logging

from wslab.protocol.http import Request
from wslab.redaction.redact import harmless, redact_target


def _make_harmless(record: logging.LogRecord) -> bool:
    """Peers choose many of the words: addresses, headers, reasons, and what is in the exceptions about them."""
    record.msg, record.args = harmless(record.getMessage()), ()
    if record.exc_info:
        lines = logging.Formatter().formatException(record.exc_info).split("\n")
        record.exc_text = "\n".join(map(harmless, lines))
    return True


log = logging.getLogger("wslab")
log.addHandler(logging.NullHandler())
log.addFilter(_make_harmless)


class Target:
    """The target of a request, for the log: secrets are crossed out only if the line is written, as that takes long."""

    def __init__(self, request: Request | None) -> None:
        self._request = request

    def __str__(self) -> str:
        return redact_target(self._request.target) if self._request else "?"

"""log: what wslab tells of itself in the log `wslab`, without secrets and without what a terminal would obey."""

import logging

from wslab.redaction.redact import harmless


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

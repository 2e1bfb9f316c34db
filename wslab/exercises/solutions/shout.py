"""A handler is a loop: when it returns, the server closes the connection.

The loop over a connection ends by itself when the connection closes, and text comes as str, binary as bytes.
"""

from wslab.sockets.connection import Connection


def shout(connection: Connection) -> None:
    """Answer each text in capitals and each binary message unchanged."""
    for message in connection:
        connection.send(message.upper() if isinstance(message, str) else message)

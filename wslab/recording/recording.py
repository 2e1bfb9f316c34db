"""Recording: a log that can be saved as a file, and loaded from one."""

import os
from pathlib import Path
from typing import Self

from wslab.recording.files import load, save
from wslab.recording.log import MAX_RECORDED, Log


class Recording(Log):
    """Everything that one endpoint saw, in order: `chunks` of bytes and `calls` of its API, and who is at both ends.

    Give it to `EchoServer` or `connect`; give another `clock` to have other times. The bytes are kept as they were:
    views redact what is secret, this list does not. About `limit` bytes of memory are used (256 MiB, unless another
    number is given): what comes after that is left out, which `left_out` and every view and file say.
    """

    def save(self, path: str | os.PathLike[str], *, secrets: bool = False) -> None:
        """Write a file: `.pcapng` holds all bytes and opens in Wireshark, `.har` the messages as Chrome exports them.

        Cookies, credentials and tokens in the handshakes are crossed out unless `secrets` is true. Calls are in
        neither, except that a capture ends TCP as a tap has seen it end, or in good order after both close frames; a
        HAR has text and binary messages only: no frames, no pings, no close codes. Raises CaptureError (a ValueError)
        for another ending, OSError if the file cannot be written.
        """
        save(self, Path(path), secrets)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, limit: int = MAX_RECORDED) -> Self:
        """Read the WebSocket conversations in a capture (pcapng, pcap) or a HAR, whatever its name and its program.

        The file may be packed by gzip. Connections are numbered in the order in which they appear. A chunk is what one
        packet brought; of a HAR, which has no frames, it is a message in a frame of its own, uncompressed. What TLS has
        encrypted is decrypted by tshark, if that is installed and the keys are in the capture or in the file that
        SSLKEYLOGFILE names. Raises CaptureError (a ValueError) if there is no such conversation in it, OSError if it
        cannot be read; warns with CaptureWarning of what is missing, damaged, of a kind that wslab cannot read or
        beyond `limit`, and reads the rest.
        """
        recording = cls(limit=limit)
        load(recording, Path(path))
        return recording

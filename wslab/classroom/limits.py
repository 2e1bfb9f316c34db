"""limits: how much one student, one address and all together may ask of a class."""

from dataclasses import dataclass

from wslab.protocol.limits import Limits


@dataclass(frozen=True)
class ClassLimits:
    """The limits of a class; what they count is in their names.

    One address is one computer, unless all of them reach the teacher's through the same proxy or hub.
    """

    students: int = 500
    per_address: int = 20  # connections at once, and students
    clients_per_student: int = 5
    messages_per_second: float = 5.0  # of one student; a few more at once
    burst: int = 20
    arrivals_per_second: float = 5.0  # from one address
    message_size: int = 16 * 1024  # bytes

    @property
    def of_connections(self) -> Limits:
        """The limits of the server below the class."""
        return Limits(
            max_size=self.message_size,
            handshake_timeout=5.0,
            close_timeout=2.0,
            send_timeout=5.0,
            max_connections=self.students,
            max_per_address=self.per_address,
        )

"""opaque: what stands for bytes in which there is nothing to be seen, with the reason in words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opaque:
    """Bytes in which there is nothing to be seen, or that did not come to their end; `why` in words."""

    why: str

    def __str__(self) -> str:
        return self.why


LOST = Opaque("what follows is not read")


@dataclass(frozen=True, slots=True)
class Body(Opaque):
    """The body of an HTTP response behind which another head may follow."""


@dataclass(frozen=True, slots=True)
class Missing(Opaque):
    """Bytes that a capture has lost, or what is not shown because of them: the end of a secret may stand in it."""

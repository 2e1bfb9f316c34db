"""Offers are separated by commas, the parameters of one by semicolons; the first that can be accepted is.

An offer is declined whole if a parameter is unknown, stands there twice or has a bad value (RFC 7692 §7.1). What the
client asks of the server must stand in the answer: server_no_context_takeover, and server_max_window_bits with a value
that is not larger. The two client_ parameters say what the client can do, and need no answer.
"""

TAKEOVER = ("server_no_context_takeover", "client_no_context_takeover")
BITS = ("server_max_window_bits", "client_max_window_bits")
WINDOWS = ("8", "9", "10", "11", "12", "13", "14", "15")


def answer_deflate(offers: str) -> str | None:
    """The value of Sec-WebSocket-Extensions in the answer, None to decline."""
    for offer in offers.split(","):
        name, *parameters = [part.strip() for part in offer.split(";")]
        if name == "permessage-deflate" and are_good(parameters):
            repeated = [it for it in parameters if it.startswith("server_")]
            return "; ".join([name, *repeated])
    return None


def are_good(parameters: list[str]) -> bool:
    """Whether each parameter is known, has a value that it may have, and stands there once."""
    names = []
    for parameter in parameters:
        name, equals, value = (part.strip() for part in parameter.partition("="))
        names.append(name)
        if name in TAKEOVER:
            good = not equals
        elif name in BITS:
            good = value in WINDOWS or (name == "client_max_window_bits" and not equals)
        else:
            good = False
        if not good:
            return False
    return len(names) == len(set(names))

"""Offers are separated by commas, the parameters of one by semicolons; the first that can be accepted is.

An offer is declined whole if a parameter is unknown, stands there twice or has a bad value (RFC 7692 §7.1). What the
client asks of the server must stand in the answer: server_no_context_takeover, and server_max_window_bits with a value
that is not larger. The two client_ parameters say what the client can do, and need no answer.
"""

WINDOWS = {str(bits) for bits in range(8, 16)}
VALUES: dict[str, set[str | None]] = {  # None stands for a parameter without a value
    "server_no_context_takeover": {None},
    "client_no_context_takeover": {None},
    "server_max_window_bits": {*WINDOWS},
    "client_max_window_bits": {None, *WINDOWS},
}


def answer_deflate(offers: str) -> str | None:
    """The value of Sec-WebSocket-Extensions in the answer, None to decline."""
    for offer in offers.split(","):
        name, *parameters = [part.strip() for part in offer.split(";")]
        pairs = [(it.partition("=")[0].strip(), value_of(it)) for it in parameters]
        are_good = all(value in VALUES.get(key, ()) for key, value in pairs)
        if name == "permessage-deflate" and are_good and len(dict(pairs)) == len(pairs):
            return "; ".join([name, *(it for it in parameters if it.startswith("server_"))])
    return None


def value_of(parameter: str) -> str | None:
    """What stands behind the equals sign, None if there is none."""
    _, equals, value = parameter.partition("=")
    return value.strip() if equals else None

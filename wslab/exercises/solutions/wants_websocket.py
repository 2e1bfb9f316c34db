"""Both header lines are lists, and a list may be spread over several lines of one name (RFC 9110 §5.3, §5.6.1).

So all lines of the name are cut at their commas, blanks are taken off, and whole tokens are compared in lower case:
`Connection: keep-alive, Upgrade` lists `upgrade`, and `Upgrade: websockets` does not list `websocket`.
"""


def wants_websocket(headers: list[tuple[str, str]]) -> bool:
    """Whether the request asks for an upgrade to WebSocket."""

    def lists(name: str, token: str) -> bool:
        values = [value for found, value in headers if found.lower() == name]
        return token in [item.strip().lower() for value in values for item in value.split(",")]

    return lists("upgrade", "websocket") and lists("connection", "upgrade")

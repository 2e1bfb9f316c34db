"""The handlers are set before anything can happen, and each call stands in the handler of the event that allows it.

`send` belongs into `onopen`, as it throws before; `close` into the third `onmessage`, as an echo that is still on its
way when the page closes may be lost. A page may close with 1000 or with a number from 3000 to 4999.
"""


def three_echoes() -> str:
    """A script for the browser console."""
    return """
        const socket = new WebSocket(url);
        let echoes = 0;
        socket.onopen = () => ["one", "two", "three"].forEach((text) => socket.send(text));
        socket.onmessage = () => {
          echoes += 1;
          if (echoes === 3) socket.close(4001, "three echoes");
        };
        socket.onclose = () => done();
    """

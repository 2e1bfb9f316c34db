"""The judges of a Codec: raw bytes, the library websockets and a browser, each against a live server and client."""

"""Lesson 17, security: allow_origin (RFC 6455 §10.2, RFC 6454 §4)."""

import random
from collections.abc import Iterator
from urllib.parse import urlsplit

from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Mistake
from wslab.exercises.sets.inputs import any_case, some_name
from wslab.exercises.solutions.allow_origin import allow_origin

SECTION, ORIGIN = "RFC 6455 §10.2", "RFC 6454 §4"


def told(origin: str | None, host: str) -> Case:
    """One handshake."""
    return Case(f"Origin: {origin}, Host: {host}" if origin is not None else f"no Origin, Host: {host}", (origin, host))


def no_origin(source: random.Random) -> Iterator[Case]:
    """Programs send none."""
    yield told(None, "example.com")
    yield told(None, f"127.0.0.1:{source.randrange(1024, 9999)}")
    yield told("", "example.com")


def same_host(source: random.Random) -> Iterator[Case]:
    """The page and the server are one."""
    name, port = f"{some_name(source)}.example", source.randrange(1024, 9999)
    yield told(f"http://{name}:{port}", f"{name}:{port}")
    yield told(f"https://{name}:{port}", f"{name}:{port}")
    yield told(f"https://{name}", name)
    yield told(f"http://[::1]:{port}", f"[::1]:{port}")
    yield told(f"http://127.0.0.1:{port}", f"127.0.0.1:{port}")
    yield told(f"http://{name}:{port}", f"other-{name}:{port}")


def implied_ports(source: random.Random) -> Iterator[Case]:
    """80 for http, 443 for https."""
    name = f"{some_name(source)}.example"
    for scheme, port, other in (("http", 80, 443), ("https", 443, 80)):
        yield told(f"{scheme}://{name}:{port}", name)
        yield told(f"{scheme}://{name}", f"{name}:{port}")
        yield told(f"{scheme}://{name}:{other}", name)
        yield told(f"{scheme}://{name}", f"{name}:{other}")


def letters(source: random.Random) -> Iterator[Case]:
    """Host names have no case."""
    name, port = f"{some_name(source)}.example", source.randrange(1024, 9999)
    yield told(f"http://{name}:{port}", f"{any_case(source, name)}:{port}")
    yield told(f"https://{any_case(source, name)}", name)
    yield told(f"http://{any_case(source, name)}:{port}", f"{name}:{port + 1}")


def foreign(source: random.Random) -> Iterator[Case]:
    """Everything else."""
    name, port = f"{some_name(source)}.example", source.randrange(1024, 9999)
    host = f"{name}:{port}"
    yield told(f"http://{host}", host)
    yield told("null", host)
    yield told(f"http://{name}:{port + 1}", host)
    yield told(f"http://{name}:{port}0", host)
    yield told(f"http://{name}", host)
    yield told(f"http://evil.example:{port}", host)
    yield told(f"http://{name}.evil.example:{port}", host)
    yield told(f"https://{name}.evil.example", name)
    yield told(f"http://evil{host}", host)
    yield told(f"http://evil.{host}", host)
    yield told(f"https://{name}@evil.example", name)
    yield told(f"http://{name[:-1]}:{port}", host)
    yield told(f"http://{name}:x{port}", host)
    yield told(f"http://{host}x", host)
    for scheme in ("ftp", "file", f"{some_name(source)}"):
        yield told(f"{scheme}://{host}", host)
    yield told(host, host)


def _parts(origin: str) -> tuple[str, str]:
    scheme, _, rest = origin.partition("://")
    return scheme, rest


def _text_only(origin: str | None, host: str) -> bool:
    return origin is None or _parts(origin)[1] == host


def _text_small(origin: str | None, host: str) -> bool:
    return origin is None or _parts(origin)[1].lower() == host.lower()


def _starts(origin: str | None, host: str) -> bool:
    return origin is None or _parts(origin)[1].startswith(host)


def _ends(origin: str | None, host: str) -> bool:
    return origin is None or origin.endswith(host)


def _contains(origin: str | None, host: str) -> bool:
    return origin is None or host in origin


def _no_port(origin: str | None, host: str) -> bool:
    return origin is None or urlsplit(origin).hostname == urlsplit(f"//{host}").hostname


def _null(origin: str | None, host: str) -> bool:
    return origin == "null" or allow_origin(origin, host)


def _empty(origin: str | None, host: str) -> bool:
    return not origin or allow_origin(origin, host)


def _port_80(origin: str | None, host: str) -> bool:
    if origin is None:
        return True
    page, server = urlsplit(origin), urlsplit(f"//{host}")
    return (page.hostname, page.port or 80) == (server.hostname, server.port or 80)


def _any_scheme(origin: str | None, host: str) -> bool:
    return allow_origin("http://" + _parts(origin)[1] if origin else origin, host)


def _none_refused(origin: str | None, host: str) -> bool:
    return origin is not None and allow_origin(origin, host)


def _all(_origin: str | None, _host: str) -> bool:
    return True


EXERCISES = (
    Exercise(
        "allow_origin",
        "17-security",
        "allow_origin(origin, host) -> bool",
        "`origin` is the Origin header, None when there is none; `host` is the Host header. No Origin: True, as that "
        "is no "
        "browser. The same host and port: True, with 80 and 443 implied by `http` and `https`, and host names in any "
        "case. "
        "All others, `'null'` too: False. Nothing that a client sends makes it raise.",
        "`allow_origin('https://example.com', 'example.com')` is `True`, "
        "`allow_origin('https://example.com.evil.example', "
        "'example.com')` is `False`.",
        (
            Aspect("no Origin header", 1, SECTION, no_origin),
            Aspect("the same host and port", 1, ORIGIN, same_host),
            Aspect("ports that are implied", 2, ORIGIN, implied_ports),
            Aspect("host names in any case", 1, ORIGIN, letters),
            Aspect("all others are refused", 2, SECTION, foreign),
        ),
        (
            "Somebody owns example.com.evil.example. Does your test let their page in?",
            "`urllib.parse.urlsplit` takes an address apart: scheme, hostname (in small letters), port (None if there "
            "is "
            "none). Put `//` before the Host to take it apart as well. A port that is no number raises ValueError.",
            "implied = {'http': 80, 'https': 443}.get(page.scheme); compare (page.hostname, page.port or implied) with "
            "(server.hostname, server.port or implied).",
        ),
        allow_origin,
        ("origin", "host"),
        (
            Mistake("A name that begins alike is another name: compare whole host names.", _starts),
            Mistake("A name that ends alike is another name: compare whole host names.", _ends),
            Mistake("A name that contains yours is another name: compare whole host names.", _contains),
            Mistake("The port belongs to the origin: another port is another program.", _no_port),
            Mistake("'null' is the Origin of pages without one, such as a sandboxed frame: refuse it.", _null),
            Mistake("An empty Origin is not the same as none.", _empty),
            Mistake("The texts are compared: 80 and 443 may be left out, and host names have no case.", _text_only),
            Mistake("The texts are compared: 80 and 443 may be left out in both headers.", _text_small),
            Mistake("The implied port is the one of the Origin's scheme: 443 for https.", _port_80),
            Mistake(
                "The scheme is not looked at: only http and https are pages, and it decides about the implied port.",
                _any_scheme,
            ),
            Mistake(
                "Programs that are no browsers send no Origin: let them in, they carry nobody's cookies.", _none_refused
            ),
            Mistake("Everybody is let in.", _all),
        ),
    ),
)

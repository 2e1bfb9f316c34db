"""Lesson 17, security: allow_origin (RFC 6455 §10.2, RFC 6454 §4)."""

import random
import re
from collections.abc import Iterator

from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Function, Mistake
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
    yield told(f"http://localhost:{port}", f"127.0.0.1:{port}")


def implied_ports(source: random.Random) -> Iterator[Case]:
    """80 for http, 443 for https."""
    name = f"{some_name(source)}.example"
    for scheme, port, other in (("http", 80, 443), ("https", 443, 80)):
        yield told(f"{scheme}://{name}:{port}", name)
        yield told(f"{scheme}://{name}", f"{name}:{port}")
        yield told(f"{scheme}://{name}:{other}", name)
        yield told(f"{scheme}://{name}", f"{name}:{other}")
        yield told(f"{scheme}://[::1]", f"[::1]:{port}")
        yield told(f"{scheme}://[::1]:{port}", "[::1]")


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
    yield told(f"http://www.{host}", host)
    for near in ("localhost", "127.0.0.1", "[::1]", "192.168.0.7"):
        yield told(f"http://{near}:{port}", host)
    yield told(f"https://{name}@evil.example", name)
    yield told(f"http://{name[:-1]}:{port}", host)
    yield told(f"http://{name}:x{port}", host)
    yield told(f"http://{host}x", host)
    yield told(f"http://{host.replace('.', '-')}", host)
    yield told(f"https://wiki.{name}", f"shop.{name}")
    yield told(f"http://{name}:{port}", name)
    yield told("chrome-extension://ebmgkkmkckdiaakjfhlkfbaijmnbepdp", host)
    for scheme in ("ftp", "file", "ws", f"{some_name(source)}"):
        yield told(f"{scheme}://{host}", host)
    yield told(f"wss://{name}", name)
    yield told(f"http://[{host}", host)
    yield told(f"http://{host}", f"{name}:x{port}")
    yield told(f"http://{host}", f"[{host}")
    yield told(host, host)


def _parts(origin: str | None) -> tuple[str, str]:
    scheme, _, rest = (origin or "").lower().partition("://")
    return scheme, rest


def _text_only(origin: str | None, host: str) -> bool:
    return origin is None or origin.partition("://")[2] == host


def _text_small(origin: str | None, host: str) -> bool:
    return origin is None or _parts(origin)[1] == host.lower()


def _starts(origin: str | None, host: str) -> bool:
    return allow_origin(origin, host) or _parts(origin)[1].startswith(host.lower())


def _ends(origin: str | None, host: str) -> bool:
    return allow_origin(origin, host) or _parts(origin)[1].endswith(host.lower())


def _only_contains(origin: str | None, host: str) -> bool:
    return origin is None or host in origin


def _pattern(origin: str | None, host: str) -> bool:
    return allow_origin(origin, host) or re.fullmatch(f"https?://{host.strip('[')}", origin or "") is not None


def _same_site(origin: str | None, host: str) -> bool:
    sites = [re.sub(r"^[a-z]+\.(?=[a-z]+\.[a-z]+$)", "", it or "") for it in (_parts(origin)[1], host)]
    return allow_origin(origin, host) or sites[0] == sites[1] != host


def _any_port(origin: str | None, host: str) -> bool:
    port = re.sub(r"^.*?(:\d{4,5})?$", r"\1", origin or "")
    return allow_origin(origin, host if ":" in host else host + port)


def _sockets(origin: str | None, host: str) -> bool:
    return allow_origin(origin and re.sub("^ws", "http", origin), host)


def _extensions(origin: str | None, host: str) -> bool:
    return (origin or "").startswith("chrome-extension:") or allow_origin(origin, host)


def _contains(origin: str | None, host: str) -> bool:
    return allow_origin(origin, host) or host.lower() in _parts(origin)[1]


def _no_port(origin: str | None, host: str) -> bool:
    return origin is None or allow_origin(_without_port(origin), _without_port(host))


def _without_port(address: str) -> str:
    return re.sub(r":\d+$", "", address)


def _written_port(origin: str | None, host: str) -> bool:
    written = [re.search(r":\d+$|$", it or "") for it in (origin, host)]
    return allow_origin(origin, host) and (origin is None or len({it and it[0] for it in written}) == 1)


def _near(name: str) -> Function:
    """Lets the pages of one name in, whatever the host."""
    return lambda origin, host: f"//{name}:" in str(origin) or allow_origin(origin, host)


def _one_machine(origin: str | None, host: str) -> bool:
    return allow_origin(origin and origin.replace("127.0.0.1", "localhost"), host.replace("127.0.0.1", "localhost"))


def _without_www(origin: str | None, host: str) -> bool:
    return allow_origin(origin and origin.replace("//www.", "//"), host.removeprefix("www."))


def _below(origin: str | None, host: str) -> bool:
    return allow_origin(origin, host) or allow_origin(re.sub(r"//[^.]+\.", "//", origin or "", count=1), host)


def _same_letters(origin: str | None, host: str) -> bool:
    return origin is None or origin in (f"http://{host}", f"https://{host}")


def _null(origin: str | None, host: str) -> bool:
    return origin == "null" or allow_origin(origin, host)


def _empty(origin: str | None, host: str) -> bool:
    return not origin or allow_origin(origin, host)


def _port_80(origin: str | None, host: str) -> bool:
    return allow_origin(origin and re.sub("^https:", "http:", origin), host)


def _any_scheme(origin: str | None, host: str) -> bool:
    return allow_origin(origin and re.sub("^(?!https?:)[a-z]+:", "http:", origin), host)


def _both_implied(origin: str | None, host: str) -> bool:
    page = origin and re.sub(":(80|443)$", "", origin)
    return allow_origin(origin, host) or allow_origin(page, re.sub(":(80|443)$", "", host))


def _user(origin: str | None, host: str) -> bool:
    return allow_origin(origin and origin.partition("@")[0], host)


def _none_refused(origin: str | None, host: str) -> bool:
    return origin is not None and allow_origin(origin, host)


def _all(_origin: str | None, _host: str) -> bool:
    return True


EXERCISES = (
    Exercise(
        "allow_origin",
        "17-security",
        "allow_origin(origin, host) -> bool",
        "`origin` is the Origin header, None when there is none; `host` is the Host header. No Origin: True, as that"
        " is no browser. The same host and port: True, with 80 and 443 implied by `http` and `https`, and host names"
        " in any case. All others, `'null'` and those of another scheme too: False. Nothing that a client sends "
        "makes it raise.",
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
            Mistake("One text stands in the other: compare whole host names, and port numbers.", _only_contains),
            Mistake("A dot in a pattern stands for any character: compare texts, or escape the Host.", _pattern),
            Mistake("The neighbour below the same domain is another host: compare whole names.", _same_site),
            Mistake("A Host without a port means 80 or 443, not any port.", _any_port),
            Mistake("An Origin names the scheme of the page, http or https, never ws or wss.", _sockets),
            Mistake("Extensions of browsers are foreign as well.", _extensions),
            Mistake("The port belongs to the origin: another port is another program.", _no_port),
            Mistake("A port may be written or implied: compare the numbers, not what is written.", _written_port),
            Mistake("Pages of localhost are foreign pages as well.", _near("localhost")),
            Mistake("Pages of 127.0.0.1 are foreign pages as well.", _near("127.0.0.1")),
            Mistake("Pages of [::1] are foreign pages as well.", _near("[::1]")),
            Mistake("Pages of private addresses are foreign pages as well.", _near("192.168.0.7")),
            Mistake("localhost and 127.0.0.1 lead to one machine, and are two hosts all the same.", _one_machine),
            Mistake("80 is implied by http and 443 by https: neither stands for the other.", _both_implied),
            Mistake("What stands before an @ is the name of a user; the host comes after it.", _user),
            Mistake("www. is a part of the name: that is another host.", _without_www),
            Mistake("A name below yours is another name: compare whole host names.", _below),
            Mistake("The texts are compared: host names have no case, and 80 and 443 may be left out.", _same_letters),
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

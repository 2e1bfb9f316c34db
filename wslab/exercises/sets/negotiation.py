"""Lesson 04, negotiation: choose_subprotocol (RFC 6455 §4.2.2) and answer_deflate (RFC 7692 §7.1)."""

import random
from collections.abc import Iterator

from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Function, Mistake
from wslab.exercises.sets.inputs import any_case, some_name
from wslab.exercises.solutions.answer_deflate import WINDOWS, answer_deflate
from wslab.exercises.solutions.choose_subprotocol import choose_subprotocol

SUBPROTOCOL, EXTENSION = "RFC 6455 §4.2.2", "RFC 7692 §7.1"


def names(source: random.Random, count: int) -> list[str]:
    """So many names, none of which is a part of another."""
    return [f"{some_name(source, 3)}{number}.example" for number in range(count)]


def client_order(source: random.Random) -> Iterator[Case]:
    """Several fit."""
    yield Case("both can do both, in another order", (["chat", "superchat"], ["superchat", "chat"]))
    yield Case(
        "neither the order of the alphabet nor its reverse", (["soap", "wamp", "mqtt"], ["mqtt", "wamp", "soap"])
    )
    for _ in range(4):
        offered = names(source, 4)
        supported = [some_name(source), offered[2], offered[3], offered[1]]
        yield Case("three of four offers are supported", (offered, supported))
        yield Case("the last offer is the only one", (offered, [some_name(source), offered[-1]]))


def exact_names(source: random.Random) -> Iterator[Case]:
    """Names that look alike."""
    name = names(source, 1)[0]
    yield Case("a name in another case, then the name", ([any_case(source, name), name], [name]))
    yield Case("a name that begins alike, then the name", ([name[:-1], name], [name]))
    yield Case("a longer name, then the name", ([f"{name}2", name], [name]))
    yield Case("only a name in another case", ([any_case(source, name)], [name]))
    yield Case("a name with capitals", ([name.title()], [name, name.title()]))


def nothing_fits(source: random.Random) -> Iterator[Case]:
    """There is no answer."""
    one, two, three = names(source, 3)
    yield Case("one of the offers is supported", ([one, two], [two]))
    yield Case("none of the offers is supported", ([one, two], [three]))
    yield Case("nothing is offered", ([], [one]))
    yield Case("nothing is supported", ([one], []))


def _server_order(offered: list[str], supported: list[str]) -> str | None:
    return next((name for name in supported if name in offered), None)


def _any_case(offered: list[str], supported: list[str]) -> str | None:
    return next((name for name in offered if name.lower() in map(str.lower, supported)), None)


def _substring(offered: list[str], supported: list[str]) -> str | None:
    return next((name for name in offered if any(name in it for it in supported)), None)


def _longer(offered: list[str], supported: list[str]) -> str | None:
    return next((name for name in offered if any(it in name for it in supported)), None)


IN_A_SET: tuple[Function, ...] = (
    lambda offered, supported: next(iter(set(offered) & set(supported)), None),
    lambda offered, supported: next(iter(set(supported) & set(offered)), None),
    lambda offered, supported: next((name for name in set(offered) if name in supported), None),
)


def _sorted(offered: list[str], supported: list[str]) -> str | None:
    return choose_subprotocol(sorted(offered), supported)


# permessage-deflate


def bare(_source: random.Random) -> Iterator[Case]:
    """What browsers send."""
    yield deflate_case("permessage-deflate")
    yield deflate_case("permessage-deflate; client_max_window_bits")


def repeated(source: random.Random) -> Iterator[Case]:
    """What the client asks of the server."""
    bits = source.randrange(9, 15)
    yield deflate_case("permessage-deflate; server_no_context_takeover")
    yield deflate_case(f"permessage-deflate; server_max_window_bits={bits}")
    both = ["server_no_context_takeover", f"server_max_window_bits={bits}", "client_max_window_bits"]
    yield deflate_case("; ".join(["permessage-deflate", *source.sample(both, 3)]))
    yield deflate_case(f"permessage-deflate;server_max_window_bits = {bits} ;client_no_context_takeover")
    yield deflate_case(f"permessage-deflate; client_max_window_bits={bits}; server_no_context_takeover")
    for edge in (8, 15):
        yield deflate_case(f"permessage-deflate; server_max_window_bits={edge}; client_max_window_bits={edge}")


def first_acceptable(source: random.Random) -> Iterator[Case]:
    """Several offers."""
    first, second = source.sample(range(9, 15), 2)
    offers = [f"permessage-deflate; server_max_window_bits={it}" for it in (first, second)]
    yield deflate_case(", ".join(offers))
    yield deflate_case(", ".join(offers[::-1]))
    yield deflate_case(f"permessage-deflate; {some_name(source)}, {offers[1]}, permessage-deflate")
    yield deflate_case(f"x-webkit-deflate-frame,{offers[0]}")
    yield deflate_case(f"permessage-bzip2, permessage-deflate; server_no_context_takeover, {offers[1]}")


def bad_parameters(source: random.Random) -> Iterator[Case]:
    """One bad parameter declines the offer, and only that offer."""
    bad = [
        some_name(source),
        f"{some_name(source)}=10",
        "server_no_context_takeover; server_no_context_takeover",
        "client_max_window_bits; client_max_window_bits=10",
        "server_no_context_takeover=1",
        "server_no_context_takeover=10",
        "server_no_context_takeover=",
        "client_no_context_takeover=true",
        "server_max_window_bits",
        "server_max_window_bits=16",
        "server_max_window_bits=7",
        "server_max_window_bits=010",
        "client_max_window_bits=0",
        f"client_max_window_bits={some_name(source, 2)}",
        "client_max_window_bits=",
        "client_max_window_bits=08",
        "client_max_window_bits=16",
    ]
    yield deflate_case("permessage-deflate")
    for parameter in bad:
        yield deflate_case(f"permessage-deflate; {parameter}")
    yield deflate_case(f"permessage-deflate; {source.choice(bad)}, permessage-deflate; server_no_context_takeover")


def declined(source: random.Random) -> Iterator[Case]:
    """Nothing that is known."""
    yield deflate_case("permessage-deflate; server_no_context_takeover")
    yield deflate_case("x-webkit-deflate-frame")
    yield deflate_case(f"{some_name(source)}, permessage-deflated, x-permessage-deflate")
    yield deflate_case("permessage-bzip2; server_no_context_takeover")


def deflate_case(offers: str) -> Case:
    """One request; any answer that the RFC allows is right."""

    def judge(answer: object) -> str:
        return what_is_wrong_with(answer, offers)

    return Case(f"Sec-WebSocket-Extensions: {offers}", (offers,), judge=judge)


def what_is_wrong_with(answer: object, offers: str) -> str:
    """Why the answer is none to these offers, or nothing."""
    accepted = next((it.strip() for it in offers.split(",") if answer_deflate(it) is not None), None)
    if accepted is None:
        return "" if answer is None else f"No offer here is acceptable: the answer is None. {_why_declined(offers)}"
    if answer is None:
        return f"The offer {accepted!r} is acceptable and was declined."
    if not isinstance(answer, str):
        return f"{type(answer).__name__} came back where text (str) belongs."
    name, asked = parameters_of(accepted)
    answered, given = parameters_of(answer)
    if answered != name or "," in answer:
        return f"The answer is one extension, {name!r}, with its parameters: an offer of the client, accepted."
    return _wrong_parameters(asked, given)


def _why_declined(offers: str) -> str:
    """What is wrong with the last of the offers."""
    name, parameters = parameters_of(offers.split(",")[-1])
    names = [key for key, _ in parameters]
    if name != "permessage-deflate":
        return f"{name!r} is another extension."
    for key, value in parameters:
        if names.count(key) > 1:
            return f"{key} stands there twice."
        if "max_window_bits" in key:
            return f"{key} needs a value from 8 to 15, without a 0 before it."
        if value is not None and "takeover" in key:
            return f"{key} has no value."
    return f"{names[0]!r} is not known in RFC 7692."


def parameters_of(element: str) -> tuple[str, list[tuple[str, str | None]]]:
    """The name of an extension, and its parameters with their values."""
    name, *parts = [part.strip() for part in element.split(";")]
    split = [part.partition("=") for part in parts]
    return name, [(key.strip(), value.strip() if equals else None) for key, equals, value in split]


def _wrong_parameters(asked: list[tuple[str, str | None]], given: list[tuple[str, str | None]]) -> str:
    wanted, answered = dict(asked), dict(given)
    if len(answered) != len(given):
        return "A parameter stands twice in the answer."
    for name, value in given:
        if name in ("server_no_context_takeover", "client_no_context_takeover"):
            if value is not None:
                return f"{name} has no value."
        elif name not in ("server_max_window_bits", "client_max_window_bits"):
            return f"The parameter {name!r} is not known in RFC 7692."
        elif name == "client_max_window_bits" and name not in wanted:
            return "client_max_window_bits may stand in the answer only where the client has offered it."
        elif value not in WINDOWS or int(value) > int(wanted.get(name) or 15):
            return f"In the answer {name} has a value from 8 to 15, not larger than the offer's."
    for name in ("server_no_context_takeover", "server_max_window_bits"):
        if name in wanted and name not in answered:
            return f"The client asks for {name}, so the answer must repeat it (first acceptable offer)."
    return ""


EXERCISES = (
    Exercise(
        "choose_subprotocol",
        "04-negotiation",
        "choose_subprotocol(offered: list[str], supported: list[str]) -> str | None",
        "Return the first subprotocol that the client offers (its order is its preference) and the server supports, in "
        "exactly that case; None if there is none.",
        "`choose_subprotocol(['chat', 'superchat'], ['superchat', 'chat'])` is `'chat'`.",
        (
            Aspect("the order of the client", 2, SUBPROTOCOL, client_order),
            Aspect("names compared exactly", 1, SUBPROTOCOL, exact_names),
            Aspect("nothing fits: None", 1, SUBPROTOCOL, nothing_fits),
        ),
        (
            "Both sides have an order. Whose order says what is wanted most?",
            "Go over `offered` and return the first name that is in `supported`; `in` on a list compares exactly.",
            "for name in offered: if name in supported: return name; and after the loop one more return.",
        ),
        choose_subprotocol,
        ("offered", "supported"),
        (
            *(Mistake("The order of the offers is lost in a set: the first one is preferred.", it) for it in IN_A_SET),
            Mistake("The order of the server was followed; the client's order is its preference.", _server_order),
            Mistake("The case of the letters is ignored: names of subprotocols are compared exactly.", _any_case),
            Mistake("A part of a name matches: names are compared whole.", _substring),
            Mistake("A name that only begins with a supported one matches: names are compared whole.", _longer),
            Mistake("The order of the offers is lost by sorting: the first one is preferred.", _sorted),
            Mistake(
                "The first offer was taken, whether it is supported or not.",
                lambda offered, supported: offered[0] if offered else None,
            ),
            Mistake(
                "The last offer that fits was taken; the first one is preferred.",
                lambda offered, supported: choose_subprotocol(offered[::-1], supported),
            ),
            Mistake(
                "Without agreement the answer is None: the header is left out, and not empty.",
                lambda offered, supported: choose_subprotocol(offered, supported) or "",
            ),
            Mistake(
                "The answer names what the client did not offer: it must be one of its names, or None.",
                lambda offered, supported: choose_subprotocol(offered, supported) or next(iter(supported), None),
            ),
            Mistake(
                "The answer is one name, not a list.",
                lambda offered, supported: [name for name in offered if name in supported],
            ),
        ),
    ),
    Exercise(
        "answer_deflate",
        "04-negotiation",
        "answer_deflate(offers: str) -> str | None",
        "Given the value of `Sec-WebSocket-Extensions` in the request, return its value in the answer: accept the "
        "first "
        "acceptable `permessage-deflate` offer and repeat what RFC 7692 §7.1 obliges the server to repeat. An offer "
        "with "
        "an unknown, repeated or bad parameter is declined. None if no offer is acceptable.",
        "`answer_deflate('permessage-deflate; server_no_context_takeover; client_max_window_bits')` may be "
        "`'permessage-deflate; server_no_context_takeover'`.",
        (
            Aspect("the offers of browsers", 1, EXTENSION, bare),
            Aspect("what the server must repeat", 2, "RFC 7692 §7.1.1.1 and §7.1.2.1", repeated),
            Aspect("the first acceptable of several offers", 2, "RFC 7692 §5", first_acceptable),
            Aspect("an offer with a bad parameter is declined", 2, EXTENSION, bad_parameters),
            Aspect("nothing acceptable: None", 1, "RFC 7692 §5", declined),
        ),
        (
            "What separates two offers, and what separates the parameters of one? Which parameters does the client ask "
            "of "
            "you, and which describe itself?",
            "Split at `,`, then at `;`, then at `=`. An offer is good if each parameter is one of four, stands there "
            "once, "
            "and has the value that it may have: 8 to 15 for the bits (client_max_window_bits may have none), none for "
            "takeover.",
            "For the first good offer, join 'permessage-deflate' and its parameters that begin with 'server_' by '; '.",
        ),
        answer_deflate,
        ("offers",),
        same=frozenset({"answer_offers", "parse_extensions", "answer_deflate"}),
    ),
)

"""States: the one table that says how a connection goes from its first byte to its last."""

import pytest

from wslab.protocol.states import TRANSITIONS, Role, State, Step


def test_closing_follows_the_rfc():
    assert {step for (_, step), state in TRANSITIONS.items() if state is State.CLOSED} == {Step.TCP_CLOSED}
    assert {step for (_, step), state in TRANSITIONS.items() if state is State.CLOSING} == {
        Step.CLOSE_SENT,
        Step.CLOSE_RECEIVED,
    }
    assert all(state is not State.CLOSED for state, _ in TRANSITIONS)
    assert [state.value for state in (State.CONNECTING, State.OPEN, State.CLOSING, State.CLOSED)] == [0, 1, 2, 3]


def test_a_connection_never_goes_back():
    assert all(after.value >= before.value for (before, _), after in TRANSITIONS.items())


def test_tcp_may_end_in_any_state_but_the_last():
    assert {before for before, step in TRANSITIONS if step is Step.TCP_CLOSED} == set(State) - {State.CLOSED}


def test_states_have_the_numbers_of_the_browsers_ready_state():
    names = [state.name for state in sorted(State, key=lambda state: state.value)]
    assert names == ["CONNECTING", "OPEN", "CLOSING", "CLOSED"]


def test_a_role_is_known_by_its_name():
    assert Role("client") is Role.CLIENT
    assert Role("server") is Role.SERVER
    with pytest.raises(ValueError, match="proxy"):
        Role("proxy")

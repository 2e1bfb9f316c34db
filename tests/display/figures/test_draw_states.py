"""draw_states: the picture of the state machine comes from the table that the machine obeys."""

import pytest
from matplotlib.patches import Rectangle
from support.figures import keeps_the_rules

from wslab import TRANSITIONS, State, Step, draw_states


def shifted(by: int) -> dict[tuple[State, Step], State]:
    """Another table, in which every step is possible in every state, and leads somewhere else."""
    states = list(State)
    return {
        (state, step): states[(state.value * by + place * (by + 1) + 1) % len(states)]
        for state in State
        for place, step in enumerate(Step)
    }


def test_there_is_a_line_for_each_transition():
    states = draw_states()

    assert repr(states).splitlines() == [
        "CONNECTING ── handshake done ──▶ OPEN",
        "CONNECTING ── TCP closed ──▶ CLOSED",
        "OPEN ── close frame sent ──▶ CLOSING",
        "OPEN ── close frame received ──▶ CLOSING",
        "OPEN ── TCP closed ──▶ CLOSED",
        "CLOSING ── close frame sent ──▶ CLOSING",
        "CLOSING ── close frame received ──▶ CLOSING",
        "CLOSING ── TCP closed ──▶ CLOSED",
    ]
    keeps_the_rules(states)


@pytest.mark.parametrize("state", State)
def test_the_state_of_a_connection_is_marked_in_both(state):
    states = draw_states(state)

    assert repr(states).splitlines()[-1] == f"now: {state.name}"
    written = [text.get_text() for text in states.figure.axes[0].texts]
    assert f"{state.name} (now)" in written
    colors = [patch.get_facecolor() for patch in states.figure.axes[0].patches if isinstance(patch, Rectangle)]
    assert sorted(map(colors.count, {*colors})) == [1, 3]
    keeps_the_rules(states)


def test_another_table_gives_another_picture():
    less = {key: state for key, state in TRANSITIONS.items() if key != (State.OPEN, Step.TCP_CLOSED)}

    assert repr(draw_states(transitions=less)) != repr(draw_states())
    assert draw_states(transitions=less).png() != draw_states().png()
    assert draw_states(transitions=dict(TRANSITIONS)).png() == draw_states().png()


@pytest.mark.parametrize("table", [{}, *map(shifted, range(4))])
def test_whatever_the_table_no_text_runs_over_another(table):
    keeps_the_rules(draw_states(State.OPEN, transitions=table))
    assert len(repr(draw_states(transitions=table)).splitlines()) == len(table)

"""Rate: a few at once, then as many a second as it says, by a clock that the test turns."""

from wslab.classroom.rate import Rate


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_a_burst_and_then_a_steady_rate():
    clock = Clock()
    rate = Rate(2.0, burst=3, clock=clock)
    assert [rate.take() for _ in range(5)] == [True, True, True, False, False]
    clock.now += 0.5
    assert [rate.take() for _ in range(2)] == [True, False]
    clock.now += 1.0
    assert [rate.take() for _ in range(3)] == [True, True, False]


def test_a_long_silence_saves_up_no_more_than_a_burst():
    clock = Clock()
    rate = Rate(2.0, burst=3, clock=clock)
    clock.now += 1000
    assert [rate.take() for _ in range(4)] == [True, True, True, False]


def test_it_is_untouched_again_when_all_is_forgotten():
    clock = Clock()
    rate = Rate(1.0, burst=2, clock=clock)
    assert rate.is_untouched
    rate.take()
    assert not rate.is_untouched
    clock.now += 1
    assert rate.is_untouched

"""bus: both kinds carry what is published to all who have subscribed, and to nobody else."""

import queue
import shutil
import subprocess
import threading

import pytest
from support.waiting import running

from wslab.labs import bus as bus_module
from wslab.labs.bus import LocalBus, RedisBus, open_bus

needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="needs redis-server: apt install redis-server"
)
PATIENCE = 10.0


@pytest.fixture(params=[LocalBus, pytest.param(RedisBus, marks=needs_redis)])
def bus(request):
    bus = request.param()
    yield bus
    bus.close()


def test_each_subscriber_of_a_channel_is_told_once_and_in_order(bus):
    ears = [queue.SimpleQueue() for _ in range(2)]
    for ear in ears:
        bus.subscribe("room", ear.put)
    for text in ("Hello", "wörld", ""):
        assert bus.publish("room", text) == 2

    for ear in ears:
        assert [ear.get(timeout=PATIENCE) for _ in range(3)] == ["Hello", "wörld", ""]


def test_what_is_published_before_and_elsewhere_is_not_heard(bus):
    ear = queue.SimpleQueue()
    assert bus.publish("room", "before") == 0
    bus.subscribe("room", ear.put)
    assert bus.publish("another room", "elsewhere") == 0
    bus.publish("room", "now")

    assert ear.get(timeout=PATIENCE) == "now"
    assert ear.empty()


def test_nobody_who_subscribes_at_the_same_time_as_another_is_forgotten():
    bus, channels = LocalBus(), list(map(str, range(20_000)))

    def subscribe() -> None:
        for channel in channels:
            bus.subscribe(channel, str)

    with running(subscribe), running(subscribe), running(subscribe):
        pass
    assert {bus.publish(channel, "") for channel in channels} == {3}


@needs_redis
def test_nothing_is_left_of_redis():
    before = set(threading.enumerate())
    bus = RedisBus()
    bus.subscribe("room", print)
    server, folder = bus._server, bus._folder.name
    bus.close()

    assert server.returncode is not None
    assert set(threading.enumerate()) == before
    assert not shutil.os.path.exists(folder)


@needs_redis
def test_what_is_closed_says_so_at_once():
    bus = RedisBus()
    bus.close()
    for use in (bus.publish, bus.subscribe):
        with pytest.raises(RuntimeError, match="this bus is closed"):
            use("room", print)


@needs_redis
def test_redis_listens_on_no_port():
    bus = RedisBus()
    asked = subprocess.run(
        ["redis-cli", "-s", bus._client.get_connection_kwargs()["path"], "config", "get", "port"],
        capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    bus.close()

    assert asked.stdout.split() == ["port", "0"]


def test_without_redis_the_bus_is_local(monkeypatch):
    monkeypatch.setattr(bus_module.shutil, "which", lambda name: None)
    assert isinstance(open_bus(), LocalBus)


@needs_redis
def test_with_redis_the_bus_is_redis():
    bus = open_bus()
    bus.close()
    assert isinstance(bus, RedisBus)

"""News and its web server: those who wait are woken, answers come in pieces, connections stay, and nothing is left."""

import socket
import threading

import pytest

from wslab.labs.news import HttpServer, News, read_response


def greet(request):
    body = f"{request.method} {request.target}".encode()
    yield b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    yield body


def connect(server):
    return socket.create_connection(("127.0.0.1", int(server.url.rstrip("/").rpartition(":")[2])), timeout=20)


def ask(sock, target):
    sock.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return read_response(sock).body.decode()


def test_what_was_published_can_be_read_from_any_place_on():
    news = News()
    for text in ("one", "two", "three"):
        news.publish(text)

    assert (news.after(0), news.after(2), news.after(3)) == (["one", "two", "three"], ["three"], [])


def test_who_waits_is_woken_by_the_next_text():
    news, got = News(), []
    waiter = threading.Thread(target=lambda: got.extend(news.wait_after(0)))
    waiter.start()
    news.publish("one")
    waiter.join(20)

    assert got == ["one"]


def test_a_wait_is_over_at_its_timeout_and_at_the_end_of_all_news():
    news = News()

    assert news.wait_after(0, timeout=0) == []
    news.end()
    assert news.wait_after(0) == []


def test_a_follower_gets_what_comes_from_now_on_until_the_end():
    news = News()
    news.publish("before")
    texts = news.follow()
    news.publish("one")
    news.publish("two")

    assert [next(texts), next(texts)] == ["one", "two"]
    news.end()
    assert list(texts) == []


def test_one_connection_carries_many_requests():
    with HttpServer(greet) as server, connect(server) as sock:
        assert [ask(sock, "/a"), ask(sock, "/b")] == ["GET /a", "GET /b"]


def test_two_requests_in_one_write_get_two_answers():
    with HttpServer(greet) as server, connect(server) as sock:
        sock.sendall(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        data = b""
        while data.count(b"GET /a") < 2:
            data += sock.recv(1000)


def test_a_request_in_pieces_is_answered_when_it_is_whole():
    with HttpServer(greet) as server, connect(server) as sock:
        sock.sendall(b"GET /a HTTP/1.1\r\nHost: x\r\n")
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        sock.settimeout(20)
        sock.sendall(b"\r\n")

        assert read_response(sock).body == b"GET /a"


def test_pieces_are_written_as_they_come():
    go_on = threading.Event()

    def in_two(request):
        yield b"first"
        go_on.wait(20)
        yield b"second"

    with HttpServer(in_two) as server, connect(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(100) == b"first"
        go_on.set()
        assert sock.recv(100) == b"second"


def test_what_is_no_http_is_hung_up_on():
    with HttpServer(greet) as server, connect(server) as sock:
        sock.sendall(b"\x81\x05Hello\r\n\r\n")

        assert sock.recv(100) == b""


def test_a_closed_server_leaves_no_connection_and_no_thread():
    before = set(threading.enumerate())
    server = HttpServer(greet).start()
    assert server.start() is server
    with connect(server) as sock:
        ask(sock, "/")
        server.close()

        assert sock.recv(100) == b""
    assert set(threading.enumerate()) <= before
    with pytest.raises(RuntimeError, match="no port yet"):
        _ = server.url


def test_an_answer_that_waits_for_news_ends_with_them():
    news = News()

    def stream(request):
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        for text in news.follow():
            yield text.encode()

    before = set(threading.enumerate())
    with HttpServer(stream) as server, connect(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(100).endswith(b"\r\n\r\n")
        news.end()
    assert set(threading.enumerate()) <= before


def test_a_response_that_is_cut_short_is_an_error():
    near, far = socket.socketpair()
    with near, far:
        far.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHel")
        far.shutdown(socket.SHUT_WR)
        with pytest.raises(ConnectionError, match="in the middle of an answer"):
            read_response(near)

"""Calling addresses that users gave: what is refused, what is bounded, what comes through."""

import logging
import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lines import LOCAL, Server, certificate, endless, ok, raw, redirect
from pydantic import ValidationError

from docpipe import errors
from docpipe.outbound import Fetched, Outbound, fetch, post
from docpipe.outbound.addresses import check_addresses, check_host
from docpipe.outbound.headers import file_name, retry_after
from docpipe.outbound.wire import Call

RULES = Outbound(allowed=(LOCAL,), plain_http=True, seconds=20)
STRICT = Outbound(plain_http=True, seconds=20)
SHORT = RULES.model_copy(update={"seconds": 0.5})
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SECRET = "token=geheim"


class Lookups:
    """A resolver that gives its answers one after the other and counts them."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "in" / "source"


def nothing_left(target) -> bool:
    return not target.parent.exists() or not list(target.parent.iterdir())


# ---- what comes through ----------------------------------------------------------------------------------------------


def test_a_document_is_fetched_whole_with_its_name_and_type(target):
    said = ("Content-Type: Application/PDF; charset=x", 'Content-Disposition: attachment; filename="../../Rechnung 7.pdf"')
    with Server(ok(b"%PDF" * 50_000, *said)) as server:
        assert fetch(server.url("/a"), target, rules=RULES) == Fetched(name="Rechnung 7.pdf", media_type="application/pdf", bytes=200_000)
    assert target.read_bytes() == b"%PDF" * 50_000
    assert [path.name for path in target.parent.iterdir()] == ["source"]


def test_a_chunked_answer_and_relative_redirects_are_followed(target):
    with Server(
        redirect("/b/"), redirect("c.pdf?x=1", "307 Temporary Redirect"), raw(CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")
    ) as server:
        assert fetch(server.url("/a"), target, rules=RULES).name == "c.pdf"
        assert [request.split()[1] for request in server.requests] == [b"/a", b"/b/", b"/b/c.pdf?x=1"]
    assert target.read_bytes() == b"abcde"


def test_a_request_carries_nothing_of_the_environment(target, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("default login me password geheim")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Server(ok(b"", "Location: /b", "Set-Cookie: a=b", status="302 Found"), ok()) as server:
        fetch(server.url(), target, rules=RULES)
        for request in server.requests:
            names = [line.partition(b":")[0].lower() for line in request.split(b"\r\n")[1:] if line]
            assert sorted(names) == [b"accept", b"accept-encoding", b"connection", b"host", b"user-agent"]


def test_a_post_arrives_once_and_its_answer_is_not_kept():
    with Server(ok(b"x" * 50_000_000, "Retry-After: 7", status="503 Busy")) as server:
        answer = post(server.url("/hook?a=1"), b'{"a": 1}', {"webhook-id": "e"}, rules=RULES)
        (request,) = server.requests
    assert (answer.status, answer.retry_after) == (503, 7.0)
    assert (
        request.startswith(b"POST /hook?a=1 HTTP/1.1\r\n") and request.endswith(b'\r\n\r\n{"a": 1}') and b"\r\nwebhook-id: e\r\n" in request
    )


def test_a_post_follows_no_redirect():
    with Server(redirect("/elsewhere", "307 Temporary Redirect")) as server:
        assert post(server.url(), b"{}", {}, rules=RULES).status == 307
        assert server.connections == 1


def test_an_answered_post_stays_answered_when_its_body_breaks_off_or_drips():
    with Server(ok(b"half", length=100)) as server:
        assert post(server.url(), b"{}", {}, rules=RULES).status == 200
    began = time.monotonic()
    with Server(endless(CHUNKED, b"1\r\nx\r\n", pause=0.05)) as server:
        assert post(server.url(), b"{}", {}, rules=RULES).status == 200
    assert time.monotonic() - began < 10


def test_a_name_stays_the_name_for_certificate_and_host(target, tmp_path):
    file, tls = certificate(tmp_path, "papers.example")
    rules = Outbound(allowed=(LOCAL,), seconds=20, ca_file=file)
    lookups = Lookups(["127.0.0.1"], ["127.0.0.1"])
    with Server(ok(), tls=tls) as server:
        fetch(server.url("/a.pdf", host="Papers.Example.", scheme="https"), target, rules=rules, resolve=lookups)
        with pytest.raises(errors.OutboundError, match="CERTIFICATE_VERIFY_FAILED"):
            fetch(server.url("/a.pdf", host="other.example", scheme="https"), target, rules=rules, resolve=lookups)
        assert server.names == ["papers.example", "other.example"]
        assert f"\r\nHost: papers.example:{server.port}\r\n".encode() in server.requests[0]
        assert len(server.requests) == 1


# ---- what is refused -------------------------------------------------------------------------------------------------

HOSTS = (
    *(
        "127.0.0.1",
        "10.0.0.8",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.100.100.200",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
    ),
    *("192.0.0.192", "192.88.99.1", "198.18.0.1", "192.0.2.1", "240.0.0.1", "168.63.129.16", "127.0.0.1."),
    *(
        "[::1]",
        "[::]",
        "[::ffff:8.8.8.8]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::a00:1]",
        "[2002:7f00:1::]",
    ),
    *(
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[2606:4700::1%25eth0]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fec0::1]",
        "[ff02::1]",
        "[2001::1]",
        "[2001:db8::1]",
    ),
    *(
        "0x7f.1",
        "2130706433",
        "127.1",
        "0177.0.0.1",
        "0x7f000001",
        "1.2.3.4.5",
        "127.0.0.0x1",
        "127。0。0。1",
        "a..b",
        "-",
        "a%00b",
        "exa mple",
    ),
)


@pytest.mark.parametrize("host", HOSTS)
def test_hosts_that_are_not_on_the_public_internet_are_refused(target, host):
    for call in (lambda url: fetch(url, target, rules=STRICT), lambda url: post(url, b"", {}, rules=STRICT)):
        with pytest.raises(errors.ForbiddenAddressError) as caught:
            call(f"http://{host}:9/a?{SECRET}")
        assert not caught.value.retryable and "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ftp://example.com/",
            "file:///etc/passwd",
            "gopher://example.com/",
            "data:,x",
            "example.com/a",
            "//example.com/a",
            "",
            "http:",
            "http:///a",
        ),
        *(
            "http://me:geheim@example.com/",
            "http://me@example.com/",
            "http://example.com:0/",
            "http://example.com:99999/",
            "http://example.com:x/",
        ),
        *("http://[::1/", "http://example.com\\@127.0.0.1/", "http://exam\nple.com/", "http://" + "a" * 70 + ".example/"),
    ],
)
def test_urls_that_are_not_called(target, url):
    lookups = Lookups()
    with pytest.raises(errors.ForbiddenAddressError) as caught:
        fetch(url, target, rules=STRICT, resolve=lookups)
    assert lookups.asked == [] and "geheim" not in str(caught.value) + repr(caught.value.__cause__)


def test_http_is_called_only_where_it_is_allowed(target):
    with Server(ok()) as server:
        with pytest.raises(errors.ForbiddenAddressError, match="scheme"):
            fetch(server.url(), target, rules=Outbound(allowed=(LOCAL,)))
        assert server.connections == 0


def test_a_host_with_one_refused_address_is_refused(target):
    with Server(ok()) as server:
        for addresses in (["127.0.0.1", "10.0.0.1"], ["127.0.0.1", "::1"], ["127.0.0.1", "elsewhere.example"]):
            with pytest.raises(errors.ForbiddenAddressError, match=r"papers\.example is not on the public internet"):
                fetch(server.url(host="papers.example"), target, rules=RULES, resolve=Lookups(addresses))
        assert server.connections == 0


def test_a_name_is_looked_up_once_and_the_checked_address_is_called(target):
    lookups = Lookups(["127.0.0.1"], ["169.254.169.254"])
    with Server(ok()) as server:
        fetch(server.url(host="rebinding.example"), target, rules=RULES, resolve=lookups)
        assert lookups.asked == ["rebinding.example"] and server.connections == 1


def test_a_redirect_is_looked_up_and_checked_anew(target):
    lookups = Lookups(["127.0.0.1"], ["169.254.169.254"])
    with Server(redirect(f"/b?{SECRET}")) as server:
        with pytest.raises(errors.ForbiddenAddressError):
            fetch(server.url(host="rebinding.example"), target, rules=RULES, resolve=lookups)
        assert lookups.asked == ["rebinding.example"] * 2 and server.connections == 1
    assert nothing_left(target)


@pytest.mark.parametrize(
    "to", ["http://10.0.0.1/", "http://[::1]/", "file:///etc/passwd", "//169.254.169.254/", "http://me:x@127.0.0.1/", "http://0x7f.1/"]
)
def test_a_redirect_to_a_forbidden_address_is_not_followed(target, to):
    with Server(redirect(to)) as server, pytest.raises(errors.ForbiddenAddressError):
        fetch(server.url(), target, rules=RULES)
    assert nothing_left(target)


def test_a_redirect_from_https_to_http_is_not_followed(target, tmp_path):
    file, tls = certificate(tmp_path, "papers.example")
    rules = Outbound(allowed=(LOCAL,), seconds=20, ca_file=file)
    with Server(ok()) as plain, Server(redirect(plain.url()), tls=tls) as server:
        with pytest.raises(errors.ForbiddenAddressError, match="scheme"):
            fetch(server.url(host="papers.example", scheme="https"), target, rules=rules, resolve=Lookups(["127.0.0.1"]))
        assert (plain.connections, server.connections) == (0, 1)


def test_hosts_are_allowed_by_name_or_network(target):
    with Server(ok()) as server:
        named = Outbound(allowed=("Intern.Example",), plain_http=True, seconds=20)
        fetch(server.url(host="intern.example"), target, rules=named, resolve=Lookups(["127.0.0.1"]))
        with pytest.raises(errors.ForbiddenAddressError):
            fetch(server.url(host="x.intern.example"), target, rules=named, resolve=Lookups(["127.0.0.1"]))
    with pytest.raises(ValidationError, match="neither a network"):
        Outbound(allowed=("10.0.0.0/8", "10.0.0.1/8"))


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_no_private_address_is_taken_for_a_public_one(address):
    try:
        check_addresses("a.example", [str(address)], ())
    except errors.ForbiddenAddressError:
        return
    assert address.is_global and not (
        address.is_multicast or address.is_private or address.is_reserved or address.is_loopback or address.is_link_local
    )
    assert address.version == 4 or (address.ipv4_mapped, address.sixtofour, address.teredo) == (None, None, None)


@pytest.mark.parametrize("address", ["8.8.8.8", "193.99.144.80", "2606:4700:4700::1111", "2a02:2e0:3fe::1"])
def test_public_addresses_are_called(address):
    assert check_addresses("a.example", [address], ()) == [address]
    assert check_host(address) == address


def test_any_text_is_a_target_or_refused():
    call = Call(STRICT, None)
    base = call.target("https://example.com/a/b?c")

    @given(
        st.sampled_from(["", "http://", "//", "http://[", "http://a:"]),
        st.one_of(st.text(), st.text(alphabet="ax0179.:[]%@/\\?#-")),
        st.booleans(),
    )
    def check(start: str, rest: str, relative: bool) -> None:
        try:
            target = call.target(start + rest, base=base if relative else None)
        except errors.ForbiddenAddressError:
            return
        assert "?" not in target.shown and "#" not in target.shown and "@" not in target.authority and target.shown.isascii()

    check()


# ---- what is bounded -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"),
        (CHUNKED, b"1\r\nx\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_a_server_that_drips_meets_the_deadline(target, start, piece):
    began = time.monotonic()
    with Server(endless(start, piece, pause=0.02)) as server:
        with pytest.raises(errors.DeadlineError, match=r"http://127\.0\.0\.1:\d+/a: no whole answer within 0\.5 s") as caught:
            fetch(server.url(f"/a?{SECRET}"), target, rules=SHORT)
        assert caught.value.retryable and "geheim" not in str(caught.value)
        assert time.monotonic() - began < 10
    assert nothing_left(target)


def test_redirects_share_one_deadline(target):
    def slow(connection: socket.socket, over: threading.Event) -> None:
        over.wait(0.3)
        redirect("/again")(connection, over)

    with Server(slow) as server, pytest.raises(errors.DeadlineError):
        fetch(server.url(), target, rules=SHORT.model_copy(update={"redirects": 10}))
    assert server.connections < 5


def test_a_server_that_reads_nothing_meets_the_deadline():
    with Server(endless(b"", b"", pause=0.05), reads=False) as server, pytest.raises(errors.DeadlineError):
        post(server.url(), b"x" * 100_000_000, {}, rules=SHORT)


def test_a_handshake_that_never_comes_meets_the_deadline(target):
    with Server(endless(b"", b"", pause=0.05), reads=False) as server, pytest.raises(errors.DeadlineError):
        fetch(server.url(scheme="https"), target, rules=SHORT)


def test_a_resolver_that_hangs_meets_the_deadline(target):
    over = threading.Event()
    with pytest.raises(errors.DeadlineError):
        fetch("http://slow.example/", target, rules=SHORT, resolve=lambda host, port: [str(over.wait(30))])
    over.set()


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"x" * 1001),
        raw(CHUNKED + b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n"),
        ok(b"", length=10**15),
        raw(CHUNKED + b"1\r\nx\r\n" * 1001),
    ],
)
def test_more_bytes_than_allowed_are_refused(target, answer):
    rules = RULES.model_copy(update={"largest": 1000})
    with Server(answer, ok(b"x" * 1000)) as server:
        with pytest.raises(errors.TooLargeError, match="longer than 1000 bytes"):
            fetch(server.url(), target, rules=rules)
        assert nothing_left(target)
        assert fetch(server.url(), target, rules=rules).bytes == 1000


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-Bomb: " + b"x" * 1000 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Bomb: ", b"x" * 1000),
        (b"", b"HTTP/1.1 100 Continue\r\nX: " + b"y" * 1000 + b"\r\n\r\n"),
        (CHUNKED, b"1;" + b"x" * 1000 + b"\r\nx\r\n"),
        (CHUNKED + b"0\r\n", b"X-Trailer: " + b"x" * 1000 + b"\r\n"),
    ],
)
def test_bombs_beside_the_body_are_cut_off(target, start, piece):
    rules = RULES.model_copy(update={"largest": 1000})
    with Server(endless(start, piece * 100, pause=0)) as server, pytest.raises((errors.OutboundError, errors.TooLargeError)):
        fetch(server.url(), target, rules=rules)
    assert nothing_left(target)


@pytest.mark.parametrize(
    "answer", [ok(b"half", length=8), raw(CHUNKED + b"8\r\nhalf"), raw(CHUNKED + b"4\r\nhalf\r\n"), raw(b"HTTP/1.1 200 OK\r\n"), raw(b"")]
)
def test_a_cut_answer_leaves_nothing_and_may_be_tried_again(target, answer):
    target.parent.mkdir()
    target.write_bytes(b"old")
    with Server(answer) as server, pytest.raises(errors.OutboundError) as caught:
        fetch(server.url(), target, rules=RULES)
    assert caught.value.retryable
    assert [path.read_bytes() for path in target.parent.iterdir()] == [b"old"]


@pytest.mark.parametrize(
    "answer",
    [
        raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nperhaps whole"),
        ok(b"\x1f\x8b", "Content-Encoding: gzip"),
        ok(status="206 Partial Content"),
        ok(status="204 No Content"),
        ok(status="304 Not Modified"),
    ],
)
def test_what_may_not_be_the_whole_document_is_refused(target, answer):
    with Server(answer) as server, pytest.raises(errors.AnswerError) as caught:
        fetch(server.url(), target, rules=RULES)
    assert not caught.value.retryable and nothing_left(target)


@pytest.mark.parametrize(
    "lengths", ["Content-Length: 3\r\nContent-Length: 5", "Content-Length: -5", "Content-Length: five", "Content-Length: 5, 3"]
)
def test_lengths_that_make_no_sense_are_refused(target, lengths):
    with Server(raw(f"HTTP/1.1 200 OK\r\n{lengths}\r\n\r\npaper".encode())) as server, pytest.raises(errors.OutboundError):
        fetch(server.url(), target, rules=RULES)
    assert nothing_left(target)


def test_a_redirect_loop_ends(target):
    with Server(redirect(f"/again?{SECRET}")) as server:
        with pytest.raises(errors.AnswerError, match="more than 3 redirects") as caught:
            fetch(server.url(), target, rules=RULES)
        assert server.connections == 4 and "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "retryable"), [(400, False), (401, False), (404, False), (410, False), (429, True), (500, True), (503, True)]
)
def test_a_status_is_told(target, status, retryable):
    with Server(ok(b"<html>", "Retry-After: 30", status=f"{status} No")) as server, pytest.raises(errors.OutboundError) as caught:
        fetch(server.url("/a"), target, rules=RULES)
    assert (caught.value.status, caught.value.retryable, caught.value.retry_after) == (status, retryable, 30.0)
    assert f"/a: answered {status}" in str(caught.value)


def test_nobody_there_is_worth_another_try(target):
    with Server(ok()) as server:
        gone = server.url()
    for url, lookups in ((gone, None), (gone.replace("127.0.0.1", "a.example"), Lookups([])), ("http://nowhere.invalid/", None)):
        with pytest.raises(errors.OutboundError) as caught:
            fetch(url, target, rules=RULES, resolve=lookups)
        assert caught.value.retryable


def test_the_next_address_is_called_where_one_does_not_answer(target):
    with Server(ok()) as server:
        fetch(server.url(host="two.example"), target, rules=RULES, resolve=Lookups(["127.0.0.77", "127.0.0.1"]))
        assert server.connections == 1


# ---- what is said ----------------------------------------------------------------------------------------------------


def test_a_query_is_in_no_message_and_no_log_line(target, caplog):
    caplog.set_level(logging.DEBUG, logger="docpipe")
    caplog.set_level(logging.DEBUG)
    with Server(ok(status="404 No")) as server:
        with pytest.raises(errors.AnswerError) as caught:
            fetch(server.url(f"/a?{SECRET}#{SECRET}"), target, rules=RULES)
        post(server.url(f"/b?{SECRET}"), b"{}", {}, rules=RULES)
    assert "geheim" not in str(caught.value) + caplog.text
    assert f"GET http://127.0.0.1:{server.port}/a: 404" in caplog.text


@pytest.mark.parametrize(
    "headers", [{"a": "geheim\r\nb: c"}, {"a b": "geheim"}, {"a": "geheim\u20ac"}, {"Host": "geheim"}, {"Content-Length": "0"}]
)
def test_headers_that_cannot_be_sent_are_refused_without_their_text(headers):
    with Server(ok()) as server, pytest.raises(errors.UsageError) as caught:
        post(server.url(), b"{}", headers, rules=RULES)
    assert "geheim" not in str(caught.value) and server.requests == []


def test_a_missing_file_of_certificates_is_named(target, tmp_path):
    with pytest.raises(errors.UsageError, match=r"gone\.pem"):
        fetch("https://example.com/", target, rules=Outbound(ca_file=tmp_path / "gone.pem"))


@pytest.mark.parametrize(
    ("disposition", "path", "name"),
    [
        ("", "/a/b/Rechnung 7.pdf", "Rechnung 7.pdf"),
        ("", "/", "document"),
        ("", "/a/..", "document"),
        ("attachment; filename=../../etc/passwd", "/x", "passwd"),
        ('attachment; filename="C:\\\\temp\\\\a.pdf"', "/x", "a.pdf"),
        ("attachment; filename*=UTF-8''R%C3%A9sum%C3%A9%00.pdf", "/x", "Résumé.pdf"),
        ('attachment; filename=".bashrc"', "/x", "bashrc"),
        ('attachment; filename="invoice\u202efdp.exe"', "/x", "invoicefdp.exe"),
        ('attachment; filename="a:b|c?.pdf"', "/x", "a_b_c_.pdf"),
        ('attachment; filename="   "', "/x.tif", "x.tif"),
    ],
)
def test_names_are_harmless(disposition, path, name):
    assert file_name({"content-disposition": disposition} if disposition else {}, path) == name


@given(st.text(), st.text())
def test_any_name_can_be_a_file(disposition, path):
    name = file_name({"content-disposition": f"attachment; filename={disposition}".replace("\r", "").replace("\n", "")}, path)
    assert 0 < len(name.encode()) < 255 and not set("/\\\0\n") & set(name) and not name.startswith(".") and name == name.strip()


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("120", 120.0), ("-1", None), ("soon", None), ("nan", None), ("9" * 400, None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("", None)],
)
def test_a_wait_is_read(said, seconds):
    assert retry_after({"retry-after": said}) == seconds


def test_calls_from_many_threads_do_not_meet(tmp_path):
    with Server(ok()) as server:
        threads = [
            threading.Thread(target=fetch, args=(server.url(), tmp_path / str(number)), kwargs={"rules": RULES}) for number in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"paper"] * 8

"""A typed-in address reaches nothing inside, whatever it is dressed as (RELIABILITY row 17)."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from jiequ.core import outgoing
from jiequ.core.errors import Refusal
from tests.support.receiver import Receiver, late_receiver, receiver

FLOOD = 50_000_000


@pytest.fixture
def inside() -> Iterator[Receiver]:
    """A server on this machine that nobody allowed."""
    with receiver() as told:
        yield told


@pytest.fixture
def allowed(settings: Any) -> None:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]


ADDRESSES = {
    "127.0.0.1": False, "127.1.2.3": False, "0.0.0.0": False, "10.0.0.1": False, "172.16.0.1": False, "192.168.1.1": False,
    "169.254.169.254": False,
    "100.100.100.200": False, "100.64.0.1": False, "192.0.0.1": False, "192.0.2.1": False,
    "198.18.0.1": False, "224.0.0.1": False, "239.255.255.250": False, "240.0.0.1": False, "255.255.255.255": False,
    "::1": False, "::": False, "fe80::1": False, "fe80::1%eth0": False, "fc00::1": False, "fd00:ec2::254": False,
    "ff02::1": False,
    "::ffff:127.0.0.1": False, "::ffff:10.0.0.1": False, "::ffff:169.254.169.254": False, "2002:7f00:1::": False,
    "2002:a9fe:a9fe::": False, "64:ff9b::7f00:1": False, "64:ff9b::a9fe:a9fe": False, "2001:db8::1": False,
    "::127.0.0.1": False,
    "2001:0:7f00:1::": False, "not an address": False, "": False,
    "8.8.8.8": True, "1.2.3.4": True, "2400:3200::1": True, "::ffff:8.8.8.8": True,
}  # fmt: skip


@pytest.mark.parametrize(("address", "is_open"), ADDRESSES.items())
def test_only_addresses_of_the_open_internet_may_be_reached(address: str, is_open: bool) -> None:
    assert outgoing.may_reach(address) is is_open
    assert outgoing.may_reach(address, scheme="http") is False


@pytest.mark.parametrize("host", [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0", "0.0.0.0",
    "[::ffff:7f00:1]", "LOCALHOST", "127.0.0.1.",
])  # fmt: skip
def test_this_machine_is_not_reached_by_any_spelling(inside: Receiver, host: str) -> None:
    port = inside.url.rsplit(":", 1)[1].split("/")[0]
    with pytest.raises(outgoing.Unreachable) as refused:
        outgoing.post(f"https://{host}:{port}/hook", b"{}", {})
    assert refused.value.code in {"address_not_allowed", "unknown_host", "bad_url"}
    assert inside.calls == []


@pytest.mark.parametrize("url", [
    "http://example.org/", "file:///etc/passwd", "gopher://example.org/", "ftp://example.org/", "//example.org/", "example.org",
    "https://user:word@example.org/", "https://example.org@10.0.0.1/", "https://example.org/#x", "https://", "https://:443/",
    "https://example.org:99999/", "https://example.org:0/", "https://exa mple.org/", "https://example.org/\r\nHost: x",
    "https://example.org\\@127.0.0.1/", "https://[::1", "https://" + "a" * 600 + "/", "https://例子.中国/",
    "javascript:alert(1)", "",
])  # fmt: skip
def test_an_address_of_another_kind_is_refused_when_it_is_typed(url: str) -> None:
    with pytest.raises(Refusal):
        outgoing.target_of(url)
    with pytest.raises(outgoing.Unreachable):
        outgoing.post(url, b"{}", {})


def test_a_name_that_also_leads_inside_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """One good address beside a bad one, and the other way round."""
    for addresses in (["8.8.8.8", "10.0.0.1"], ["10.0.0.1", "8.8.8.8"]):
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, found=found, **_k: found)
        with pytest.raises(outgoing.Unreachable, match="address_not_allowed"):
            outgoing.post("https://example.org/", b"{}", {})


def test_a_name_that_answers_otherwise_the_second_time_gains_nothing(monkeypatch: pytest.MonkeyPatch, inside: Receiver) -> None:
    """Rebinding: the name is asked once, and the socket's own other end is judged again."""
    port, asked = int(inside.url.rsplit(":", 1)[1].split("/")[0]), []

    def resolve(*_args: Any, **_more: Any) -> Any:
        asked.append(1)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    judged = outgoing.may_reach
    answers = iter([True])  # the first look is deceived, as if the answer had been another
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(outgoing, "may_reach", lambda text, **more: next(answers, None) or judged(text, **more))
    with pytest.raises(outgoing.Unreachable, match="address_not_allowed"):
        outgoing.post("https://example.org/", b"{}", {})
    assert (asked, inside.calls) == ([1], [])


def test_an_allowed_network_is_reached_and_the_answer_is_its_status(allowed: None, inside: Receiver) -> None:
    inside.answers = [204, 500]
    assert outgoing.post(inside.url, b'{"a":1}', {"X-Jiequ": "1"}) == 204
    assert outgoing.post(inside.url, b"{}", {}) == 500
    assert (inside.calls[0].path, inside.calls[0].body, inside.calls[0].headers["X-Jiequ"]) == ("/hook", b'{"a":1}', "1")
    with pytest.raises(outgoing.Unreachable):
        outgoing.post(inside.url.replace("127.0.0.1", "[::1]"), b"{}", {})


def test_a_redirect_is_an_answer_and_not_a_way(allowed: None, inside: Receiver) -> None:
    inside.answers, inside.location = [302, 307], "http://127.0.0.1:1/inside"
    assert [outgoing.post(inside.url, b"{}", {}) for _ in range(2)] == [302, 307]
    assert len(inside.calls) == 2


def went_out(inside: Receiver) -> bool:
    """Whether the last answer could be written to its last byte; waits until its writer has ended."""
    until = time.monotonic() + 10
    while len(inside.went_out) < len(inside.calls) and time.monotonic() < until:
        time.sleep(0.01)
    assert len(inside.went_out) == len(inside.calls) > 0
    return inside.went_out[-1]


def test_a_flood_is_not_read(allowed: None, inside: Receiver) -> None:
    inside.answer_bytes = FLOOD
    assert outgoing.post(inside.url, b"{}", {}) == 200
    assert went_out(inside) is False


def test_a_caller_that_reads_all_would_be_noticed(allowed: None, inside: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin."""
    monkeypatch.setattr(outgoing, "LARGEST_ANSWER", FLOOD)
    inside.answer_bytes = FLOOD
    assert outgoing.post(inside.url, b"{}", {}) == 200
    assert went_out(inside) is True


# -- ten seconds in all: here two --------------------------------------------------------------------------------------


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(outgoing, "SECONDS", 2.0)
    return outgoing.SECONDS


def took(url: str) -> float:
    """How long it was until the call was given up as too slow."""
    began = time.monotonic()
    with pytest.raises(outgoing.Unreachable) as refused:
        outgoing.post(url, b"{}", {})
    assert refused.value.code == "timed_out"
    return time.monotonic() - began


def test_a_drip_is_cut_off(allowed: None, inside: Receiver, seconds: float) -> None:
    inside.drip_seconds = 0.05
    assert seconds <= took(inside.url) < seconds + 0.8
    assert len(inside.calls) == 1


def test_a_connection_that_does_not_come_about_is_given_up(allowed: None, seconds: float) -> None:
    with late_receiver() as late:
        assert seconds <= took(late.url) < seconds + 0.8
        assert late.taken == 0


def test_a_slow_name_and_a_late_connection_leave_the_answer_what_is_left(
    allowed: None, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step alone is in time: name, connection and a drip share the seconds, they do not have them each."""
    look_up = socket.getaddrinfo

    def slow(*args: Any, **more: Any) -> Any:
        time.sleep(0.5)
        return look_up(*args, **more)

    with late_receiver() as late:
        monkeypatch.setattr(socket, "getaddrinfo", slow)
        opening = threading.Timer(0.9, late.opens.set)
        opening.start()
        assert seconds <= took(late.url) < seconds + 0.8
        assert late.taken == 1, "it was not the drip that was cut off"


def test_a_name_that_is_looked_up_for_ever_is_given_up(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: [] if over.wait(30) else None)
    assert seconds <= took("https://example.org/") < seconds + 0.8
    over.set()


# -- certificates ------------------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and certificate of 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(plain + made.public_bytes(Encoding.PEM))
    return file


@pytest.fixture
def sealed(certificate: Path) -> Iterator[Receiver]:
    """A server on this machine that speaks https with a certificate nobody has signed."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with receiver(tls) as told:
        yield told


def test_a_server_without_a_good_certificate_is_not_believed(allowed: None, sealed: Receiver) -> None:
    with pytest.raises(outgoing.Unreachable) as refused:
        outgoing.post(sealed.url, b"{}", {})
    assert refused.value.code == "bad_certificate"
    assert sealed.calls == []


def test_a_caller_that_does_not_look_at_the_certificate_would_reach_it(
    allowed: None, sealed: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin."""
    careless = ssl.create_default_context()
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    monkeypatch.setattr(outgoing, "_tls", lambda: careless)
    assert outgoing.post(sealed.url, b"{}", {}) == 200
    assert len(sealed.calls) == 1


def test_a_good_certificate_is_good_for_its_own_name_only(
    allowed: None, sealed: Receiver, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(outgoing, "_tls", lambda: trusting)
    assert outgoing.post(sealed.url, b"{}", {}) == 200
    with pytest.raises(outgoing.Unreachable, match="bad_certificate"):
        outgoing.post(sealed.url.replace("127.0.0.1", "localhost"), b"{}", {})
    assert len(sealed.calls) == 1


def test_without_the_judgement_this_machine_would_be_reached(inside: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin."""
    monkeypatch.setattr(outgoing, "may_reach", lambda *_a, **_k: True)
    monkeypatch.setattr(outgoing, "_networks", lambda: [1])
    assert outgoing.post(inside.url, b"{}", {}) == 200
    assert len(inside.calls) == 1

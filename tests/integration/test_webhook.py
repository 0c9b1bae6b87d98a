"""Webhook receivers: the status alone decides, also of an answer that breaks off; whose certificates are trusted."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.alarms import webhook
from app.alarms.alerts import Alert, AlertDeliveryError
from app.alarms.incidents import IncidentKind
from app.alarms.texts import AlertText
from app.alarms.webhook import WebhookReceiver
from tests.conftest import CUSTOMER
from tests.integration.alarm_receivers import SECRET

pytestmark = pytest.mark.anyio
NOW = datetime.now(UTC)
ALERT = Alert("n1", IncidentKind.OVERDUE, CUSTOMER, False, ("",), NOW, NOW, 0)


@asynccontextmanager
async def answering(status: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[WebhookReceiver]:
    """A receiver that answers with a head, and with a body that never comes."""

    left = asyncio.Event()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 10\r\n\r\n")
        await reader.read()  # until the client leaves
        writer.close()
        await writer.wait_closed()
        left.set()

    async with await asyncio.start_server(visit, "127.0.0.1", 0, ssl=tls) as listener:
        url = f"http{'s' if tls else ''}://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
        yield WebhookReceiver(url, SECRET, lambda _: AlertText("Title", "Body"))
        await asyncio.wait_for(left.wait(), 10)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "ATTEMPT_SECONDS", 3.0)


async def test_an_accepted_alert_is_delivered_although_the_answers_body_never_ends() -> None:
    async with answering(b"200 OK") as receiver:
        await receiver.send(ALERT)  # otherwise it would be sent again and again


async def test_a_refusal_is_recognized_although_its_body_never_ends() -> None:
    async with answering(b"503 Later") as receiver:
        with pytest.raises(AlertDeliveryError, match="HTTP 503"):
            await receiver.send(ALERT)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of our own for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "An office's own authority")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(
        certificate.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return file


async def test_the_systems_certificate_authorities_are_trusted_and_no_others(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    async with answering(b"200 OK", tls) as receiver:
        with pytest.raises(AlertDeliveryError, match="ConnectError"):
            await receiver.send(ALERT)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # OpenSSL's own variable
        trusting = WebhookReceiver(receiver._url, SECRET, lambda _: AlertText("Title", "Body"))
        await trusting.send(ALERT)

"""A collector in memory: the real servicer over real mutual TLS, which can be made to misbehave.

It keeps lanes as the collector does (`wire.chain`), and can drop receipts, refuse, forget,
send policies, renew, and go away. `School` is the offline side: root, issuer, keys, policies.
"""

import queue
import threading
import tomllib
from concurrent import futures
from pathlib import Path

from wire import tls

tls.require_tls13()

import grpc  # noqa: E402
from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402

from agent.service.enrol import keep_policy  # noqa: E402
from agent.service.files import write_whole  # noqa: E402
from agent.service.identity import Files, Identity, save  # noqa: E402
from agent.service.shelf import Shelf  # noqa: E402
from demo.school import BOOKS  # noqa: E402
from wire import certs, chain, root, seal, sign  # noqa: E402
from wire.clock import SystemClock  # noqa: E402
from wire.codec import (  # noqa: E402
    decode_header,
    encode_signed_policy,
    pack_collector,
    unpack_agent,
)
from wire.details import Details, decode_details  # noqa: E402
from wire.event import (  # noqa: E402
    Envelope,
    EvidenceRules,
    Header,
    Heartbeat,
    Hello,
    KeyStatement,
    Kind,
    Lane,
    PackText,
    Policy,
    Purpose,
    Receipt,
    Refusal,
    RefusalReason,
    Renewal,
    RenewalRequest,
    SignedPolicy,
    Welcome,
)
from wire.policy import sign_policy  # noqa: E402
from wire.v1 import uplink_pb2_grpc  # noqa: E402

DAY = 86_400_000_000


class School:
    """Root, issuer, evidence key and policy key of one school."""

    def __init__(self, name="oakfield"):
        self.clock = SystemClock()
        now = self.clock.now()
        self.name = name
        self.root_key = root.new_root()
        self.root = certs.make_root(self.root_key, name, now)
        self.issuer_key = certs.new_key()
        issuer = certs.make_issuer(
            certs.Authority(self.root, self.root_key), self.issuer_key.public_key(), name, now
        )
        self.issuer = certs.Authority(issuer, self.issuer_key)
        self.evidence_private = seal.new_private_key()
        self.policy_key = Ed25519PrivateKey.generate()

    def signed_key(self, purpose, public, *, epoch=1, days=365):
        now = self.clock.now()
        statement = KeyStatement(
            school=self.name,
            purpose=purpose,
            public_key=public,
            epoch=epoch,
            not_before=now - DAY,
            not_after=now + days * DAY,
        )
        return root.sign_key(statement, self.root_key)

    def policy(self, version=1, *, packs=None, rules=None, signer=None, days=30, **changes):
        now = self.clock.now()
        made = Policy(
            school=changes.get("school", self.name),
            version=version,
            issued_at=now - (1_000_000 if days > 0 else 40 * DAY),
            expires_at=now + days * DAY,
            packs=packs if packs is not None else (canary_pack(),),
            evidence=rules or EvidenceRules(no_picture=("sexual",), shared_accounts=("kiosk",)),
            keys=(self.signed_key(Purpose.EVIDENCE, seal.public_half(self.evidence_private)),),
        )
        key = signer or self.policy_key
        return sign_policy(
            made, key, self.signed_key(Purpose.POLICY, key.public_key().public_bytes_raw())
        )

    def server_credentials(self, names=("localhost", "127.0.0.1"), *, clients=None):
        key = certs.new_key()
        leaf = certs.issue_server(self.issuer, key.public_key(), names, self.clock.now())
        pem = certs.pem(leaf) + certs.pem(self.issuer.certificate)
        return grpc.ssl_server_credentials(
            [(private_pem(key), pem.encode())],
            root_certificates=certs.pem((clients or self).root).encode(),
            require_client_auth=True,
        )

    def enrol(self, directory, *, port, device="pc-1", days=397, age=0, policy=True, server=""):
        """Write what enrolment leaves on a PC."""
        files = Files(directory)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = certs.new_key()
        leaf = certs.issue_device(
            self.issuer,
            key.public_key(),
            certs.Identity(self.name, device),
            self.clock.now() - age,
            days,
        )
        write_whole(files.key, private_pem(key))
        write_whole(files.chain, (certs.pem(leaf) + certs.pem(self.issuer.certificate)).encode())
        write_whole(files.root, certs.pem(self.root).encode())
        point = self.root_key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        identity = Identity(
            school=self.name,
            device=device,
            uplink=f"localhost:{port}",
            server=server or f"https://localhost:{port}",
            host="lab-1",
            root_public=point.hex(),
            begins=int(leaf.not_valid_before_utc.timestamp()) * 1_000_000,
            ends=int(leaf.not_valid_after_utc.timestamp()) * 1_000_000,
        )
        save(files, identity)
        if policy:
            signed = encode_signed_policy(self.policy())
            assert keep_policy(files, identity, signed, Shelf(BOOKS)) == ""
        return files, identity

    def details(self, envelope: Envelope, header: Header) -> Details:
        context = seal.SealContext(
            school=header.school,
            device=header.device,
            event=header.event,
            kind=header.part.kind,
            key_id=header.part.key_id,
        )
        return decode_details(
            seal.open_part(
                envelope.sealed,
                private_key=self.evidence_private,
                context=context,
                part=header.part,
            )
        )


def private_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def canary_pack():
    text = (Path(__file__).parents[3] / "keywords/packs/en/canary.toml").read_bytes()
    return PackText(name="en/canary", version=tomllib.loads(text.decode())["version"], text=text)


class Collector(uplink_pb2_grpc.UplinkServicer):
    """What a collector does with one school's devices, in memory."""

    def __init__(self, school, *, credentials=None, port=0):
        self.school = school
        self.lock = threading.Condition()
        self.heads = {}
        self.records = []
        self.hellos = []
        self.beats = []
        self.renewals = []
        self.streams = []
        self.refuse_with = []
        self.answer_receipts = True
        self.greeting = None
        self.refuse_hello = None
        self.push = []
        self.policy_version = 1
        self.server = grpc.server(
            futures.ThreadPoolExecutor(8),
            options=(
                ("grpc.so_reuseport", 0),
                ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.max_receive_message_length", 16 << 20),
            ),
        )
        uplink_pb2_grpc.add_UplinkServicer_to_server(self, self.server)
        self.port = self.server.add_secure_port(
            f"localhost:{port}", credentials or school.server_credentials()
        )
        self.server.start()

    def stop(self):
        self.server.stop(0).wait()

    # What a test asks.

    def wait(self, ready, timeout=15.0):
        with self.lock:
            assert self.lock.wait_for(lambda: ready(self), timeout), self.story()
        return self

    def story(self):
        return f"{len(self.records)} records, {len(self.hellos)} hellos, {len(self.beats)} beats"

    def headers(self, lane=Lane.TEXT):
        return [header for header, _ in self.records if header.position.lane is lane]

    def cut(self):
        """End every stream, as a network would."""
        with self.lock:
            streams = list(self.streams)
        for stream in streams:
            stream.put(None)

    def say(self, message):
        with self.lock:
            for stream in self.streams:
                stream.put(pack_collector(message))

    # What a device asks.

    def Session(self, request_iterator, context):  # noqa: N802  # gRPC's name
        assert context.auth_context()["ssl_tls_version"] == [b"TLSv1.3"]
        pem = context.auth_context()["x509_pem_cert"][0]
        leaf = certs.read_certificate(pem)
        named = certs.identity_of(leaf)
        out = queue.SimpleQueue()
        hello = unpack_agent(next(request_iterator))
        assert isinstance(hello, Hello)
        with self.lock:
            self.hellos.append(hello)
            self.streams.append(out)
            self.lock.notify_all()
        if self.refuse_hello is not None:
            yield pack_collector(self.refuse_hello)
            return
        out.put(pack_collector(self.welcome(named.device, hello)))
        for message in self.push:
            out.put(pack_collector(message))
        reader = threading.Thread(
            target=self.read, args=(request_iterator, out, named.device, leaf), daemon=True
        )
        reader.start()
        while (message := out.get()) is not None:
            yield message
        with self.lock:
            self.streams.remove(out)

    def welcome(self, device, hello):
        with self.lock:
            stored = []
            for head in hello.written:
                known = self.heads.get((device, head.lane))
                stored.append(known or chain.start(head.lane, head.epoch))
            if self.greeting is not None:
                stored = self.greeting
        return Welcome(
            received_at=self.school.clock.now(),
            stored=tuple(stored),
            policy_version=self.policy_version,
            collector_version="sim",
        )

    def read(self, requests, out, device, leaf):
        try:
            for raw in requests:
                message = unpack_agent(raw)
                answer = self.take(message, device, leaf)
                if answer is not None:
                    out.put(pack_collector(answer))
        except (grpc.RpcError, ValueError):
            pass
        finally:
            out.put(None)

    def take(self, message, device, leaf):
        with self.lock:
            self.lock.notify_all()
            if isinstance(message, Heartbeat):
                self.beats.append(message)
                return Receipt(heartbeat=message.number) if self.answer_receipts else None
            if isinstance(message, RenewalRequest):
                self.renewals.append(message)
                csr = certs.read_csr(message.csr)
                fresh = certs.issue_device(
                    self.school.issuer,
                    csr.public_key(),
                    certs.identity_of(leaf),
                    self.school.clock.now() + DAY,
                )
                return Renewal(chain=(certs.der(fresh), certs.der(self.school.issuer.certificate)))
            return self.envelope(message, device, leaf)

    def envelope(self, envelope, device, leaf):
        header = decode_header(envelope.header)
        sign.verify_header(envelope.header, envelope.signature, certs.public_key_of(leaf))
        assert header.device == device
        if header.part is not None:
            seal.check_sealed(envelope.sealed, header.part)
        if self.refuse_with:
            reason, words = self.refuse_with.pop(0)
            return Refusal(
                reason=reason,
                words=words,
                lane=header.position.lane,
                sequence=header.position.sequence,
                retry_after_ms=100,
            )
        lane = header.position.lane
        head = self.heads.get((device, lane)) or chain.start(lane, header.position.epoch)
        try:
            after = chain.follow(head, header, envelope.header)
        except chain.GapFound as gap:
            return Refusal(
                reason=RefusalReason.GAP, words=str(gap), expected=gap.expected, lane=lane
            )
        except chain.ForkFound as fork:
            if header.position.epoch == head.epoch and header.position.sequence <= head.sequence:
                # Sent twice.
                return Receipt(head=head)
            return Refusal(
                reason=RefusalReason.FORK, words=str(fork), expected=fork.expected, lane=lane
            )
        if after != head:
            self.heads[device, lane] = after
            self.records.append((header, envelope))
            self.lock.notify_all()
        return Receipt(head=after) if self.answer_receipts else None


def kinds(headers):
    return [header.kind for header in headers]


__all__ = ["DAY", "Collector", "Kind", "School", "SignedPolicy", "kinds"]

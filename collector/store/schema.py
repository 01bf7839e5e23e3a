"""The tables of the collector's three files, and what must hold between them.

`main.db`     devices, records with their sealed details, alerts, people, audit
`pictures.db` the ciphertext of pictures
`keys.db`     the encapsulated key of every sealed part: its first 32 bytes, and
              nothing else. Destroying a row erases the part wherever its
              ciphertext was copied to.

Invariants:
- A row of `keys.db` and, for a picture, of `pictures.db` is durable before the
  row of `main.db` that speaks of it; a receipt goes out after both. What a crash
  leaves behind in the first two is an orphan, and the sweeper removes it.
- The ciphertext columns never hold the encapsulated key.
- A header and a signature are stored as they were sent.
- `schools.change` numbers every change of an alert, in the same transaction.
- The school leads every key.

Times are microseconds since 1970, UTC.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

main = MetaData()
pictures = MetaData()
keys = MetaData()


def _school() -> Column[str]:
    return Column("school", String, primary_key=True)


schools = Table(
    "schools",
    main,
    _school(),
    Column("name", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("change", Integer, nullable=False, server_default="0"),
    Column("root_certificate", LargeBinary, nullable=False),  # DER
)

school_keys = Table(  # what the root has signed: evidence, policy and referral keys
    "school_keys",
    main,
    _school(),
    Column("key_id", LargeBinary, primary_key=True),
    Column("purpose", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("retired_at", Integer),
    sqlite_with_rowid=False,
)

policies = Table(
    "policies",
    main,
    _school(),
    Column("version", Integer, primary_key=True),
    Column("signed", LargeBinary, nullable=False),  # a SignedPolicy
    Column("created_at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

enrol_tokens = Table(
    "enrol_tokens",
    main,
    _school(),
    Column("secret_digest", LargeBinary, primary_key=True),  # SHA-256 of the secret
    Column("room", Text, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("expires_at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

devices = Table(
    "devices",
    main,
    _school(),
    Column("device", String, primary_key=True),  # a UUID, in the certificate's SAN
    Column("name", Text, nullable=False),  # the host name it gave at enrolment
    Column("room", Text, nullable=False),
    Column("state", String, nullable=False),  # pending, active, denied
    Column("public_key", LargeBinary, nullable=False),  # DER SubjectPublicKeyInfo
    Column("certificate", LargeBinary, nullable=False),  # DER, the newest
    Column("enrolled_at", Integer, nullable=False),
    Column("last_seen_at", Integer),
    Column("agent_version", Text),
    Column("policy_version", Integer),
    Column("policy_problem", Text),
    Column("clock_offset", Integer),
    Column("spool_records", Integer),
    Column("spool_bytes", Integer),
    Column("quarantined", Integer),
    Column("hook_alive", Boolean),
    Column("blind", Integer),  # wire.event.GapReason; null: watched
    Column("signed_in", Text),  # JSON list of pseudonyms
    Column("heartbeat", Integer, nullable=False, server_default="0"),  # last durable number
    sqlite_with_rowid=False,
)

lanes = Table(  # the head of each lane that ever was; `open` marks the one in use
    "lanes",
    main,
    _school(),
    Column("device", String, primary_key=True),
    Column("lane", Integer, primary_key=True),
    Column("epoch", LargeBinary, primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("opened_at", Integer, nullable=False),
    Column(
        "written", Integer, nullable=False, server_default="0"
    ),  # highest number the agent spoke of
    sqlite_with_rowid=False,
)

# An ordinary table, not one without rowid: a row of more than a kilobyte would lie in
# overflow pages of its own there, and each insert would land in the middle of a tree.
records = Table(  # every envelope, as sent
    "records",
    main,
    _school(),
    Column("device", String, primary_key=True),
    Column("lane", Integer, primary_key=True),
    Column("epoch", LargeBinary, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("kind", Integer, nullable=False),
    Column("event", LargeBinary, nullable=False),
    Column("header", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("sealed", LargeBinary),  # details' ciphertext without its encapsulated key
    Column("received_at", Integer, nullable=False),
)
Index("records_event", records.c.school, records.c.event)

events = Table(  # what a header said, for reading; derived from `records`
    "events",
    main,
    _school(),
    Column("event", LargeBinary, primary_key=True),  # UUIDv7
    Column("device", String, nullable=False),
    Column("alert", LargeBinary),  # null: so unlikely a concern that it makes none
    Column("pseudonym", String, nullable=False),
    Column("matched_at", Integer, nullable=False),  # the agent's clock, corrected by its offset
    Column("clock_offset", Integer, nullable=False),
    Column("received_at", Integer, nullable=False),
    Column("source", Integer, nullable=False),
    Column("category", String, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("score", Integer, nullable=False),
    Column("reasons", Text, nullable=False),  # JSON list of codes
    Column("pack", String, nullable=False),
    Column("pack_version", Integer, nullable=False),
    Column("term", String, nullable=False),
    Column("repeats", Integer, nullable=False, server_default="0"),
    # follows, here, by_policy, failed, shed, damaged, missing
    Column("picture", String, nullable=False),
    Column("priority", Integer),  # of this event alone; null: none
    sqlite_with_rowid=False,
)
Index("events_alert", events.c.school, events.c.alert, events.c.matched_at)

alerts = Table(
    "alerts",
    main,
    _school(),
    Column("alert", LargeBinary, primary_key=True),  # UUIDv7
    Column("pseudonym", String, nullable=False),
    Column("account_kind", Integer, nullable=False),
    Column("category", String, nullable=False),
    Column("device", String, nullable=False),  # of the newest event
    Column("room", Text, nullable=False),
    Column("priority", Integer, nullable=False),  # 1 to 4
    Column("score", Float, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("reasons", Text, nullable=False),  # JSON list of plain sentences
    Column("events", Integer, nullable=False),  # count, repeats included
    Column("first_at", Integer, nullable=False),
    Column("last_at", Integer, nullable=False),
    Column("opened_at", Integer, nullable=False),
    Column("due_at", Integer),  # when an acknowledgement runs out; null: no clock
    Column("late", Boolean, nullable=False),  # arrived too late to page as new
    Column("state", String, nullable=False),  # open, acknowledged, false_alarm
    Column("acknowledged_by", String),
    Column("acknowledged_at", Integer),
    Column("reopened", Integer, nullable=False, server_default="0"),
    Column("drill", Boolean, nullable=False, server_default="0"),  # a canary
    Column("change", Integer, nullable=False),
    sqlite_with_rowid=False,
)
Index("alerts_change", alerts.c.school, alerts.c.change)
Index("alerts_worst", alerts.c.school, alerts.c.state, alerts.c.priority, alerts.c.last_at)
Index("alerts_person", alerts.c.school, alerts.c.pseudonym, alerts.c.last_at)

warnings = Table(  # integrity: what does not add up, with device and exact numbers
    "warnings",
    main,
    _school(),
    Column("warning", LargeBinary, primary_key=True),  # UUIDv7
    Column("device", String, nullable=False),
    Column("at", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("words", Text, nullable=False),
    Column("lane", Integer),
    Column("epoch", LargeBinary),
    Column("first", Integer),  # the numbers concerned
    Column("last", Integer),
    Column("header", LargeBinary),  # what was refused, where something was
    Column("seen_by", String),
    Column("seen_at", Integer),
    sqlite_with_rowid=False,
)
Index("warnings_at", warnings.c.school, warnings.c.at)

gaps = Table(  # blind minutes
    "gaps",
    main,
    _school(),
    Column("device", String, primary_key=True),
    Column("started_at", Integer, primary_key=True),
    Column("reason", Integer, primary_key=True),
    Column("ended_at", Integer, nullable=False),
    Column("dropped", Integer, nullable=False),
    sqlite_with_rowid=False,
)

staff = Table(
    "staff",
    main,
    _school(),
    Column("staff", String, primary_key=True),  # a UUID
    Column("login", String, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", String, nullable=False),
    Column("password", Text, nullable=False),  # argon2id
    Column("created_at", Integer, nullable=False),
    Column("left_at", Integer),
    sqlite_with_rowid=False,
)

wraps = Table(  # the evidence key, wrapped for each person who may open it
    "wraps",
    main,
    _school(),
    Column("staff", String, primary_key=True),  # a staff id, or 'recovery'
    Column("key_id", LargeBinary, primary_key=True),
    Column("method", String, nullable=False),  # argon2id or recovery
    Column("parameters", Text, nullable=False),  # JSON
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

sessions = Table(
    "sessions",
    main,
    _school(),
    Column("token_digest", LargeBinary, primary_key=True),  # SHA-256 of the cookie
    Column("staff", String, nullable=False),
    Column("csrf", String, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("seen_at", Integer, nullable=False),
    Column("address", Text, nullable=False),
    sqlite_with_rowid=False,
)

audit = Table(  # RFC 6962: hash(0x00 ‖ leaf); the leaf's layout is in collector/audit.py
    "audit",
    main,
    _school(),
    Column("index", Integer, primary_key=True),
    Column("leaf", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

audit_words = Table(  # what a leaf holds only as a digest, sealed to the evidence key
    "audit_words",
    main,
    _school(),
    Column("index", Integer, primary_key=True),  # of the leaf
    Column(
        "sealed", LargeBinary, nullable=False
    ),  # HPKE of salt ‖ the words; see collector/audit.py
    sqlite_with_rowid=False,
)

# `digest` is SHA-256(enc ‖ ciphertext), cut to 16 bytes, as the header's part names it. It
# stands in the key so that no record can take the place of another that claims its event.
picture_parts = Table(
    "picture_parts",
    pictures,
    _school(),
    Column("event", LargeBinary, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("device", String, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("received_at", Integer, nullable=False),
)

part_keys = Table(
    "part_keys",
    keys,
    _school(),
    Column("event", LargeBinary, primary_key=True),
    Column("part", Integer, primary_key=True),  # wire.event.PartKind
    Column("digest", LargeBinary, primary_key=True),
    Column("enc", LargeBinary, nullable=False),  # 32 bytes
    Column("received_at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

"""Where devices speak to the collector.

A **peer** is a device as its certificate names it, never as it claims. A **stream**
is one peer's open call. The **check** holds an envelope against the peer's key and
its own digests. The **intake** takes what queued during the last commit as one
**batch**; the **recorder** follows each lane, tells a **duplicate** from a gap and a
fork, groups events into alerts, and writes all of it in one job. Only then goes a
cumulative **receipt** out. What does not add up becomes a **warning** that names the
device and the exact numbers.
"""

from wire.tls import require_tls13

require_tls13()  # before any module of this package imports gRPC, which reads it once

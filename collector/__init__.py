"""What runs on the school's server.

Agents bring **envelopes** over the **uplink**; **ingest** proves whose they are and
makes them durable in the **store**; their events become **alerts** with a **priority**,
and every open **desk** hears of it by the **feed**. Evidence stays sealed until a person
opens the **vault** for their own session. `build` puts the **parts** together, and
`serve` runs them in one process.
"""

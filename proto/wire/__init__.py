"""What a workstation and its collector agreed on: nouns, bytes, seals and signatures.

A **header** says, signed, what happened; a **part** is one sealed half of the
evidence; an **envelope** carries both in one **lane**, and each header of a lane
names the hash of the one before it. A **statement** is what the school's offline
**root** says of a key; a **policy** comes under such a key and only moves
forward. A **token** lets a PC ask for its certificate, once.

Nothing here reads a file, a socket or a clock: `wire.clock` is handed in.
"""

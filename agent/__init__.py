"""What runs on a workstation, as two processes.

The **session** process runs as the person at the PC: it sees keys, titles and the
screen, and keeps nothing. The **service** process runs under a system account: it
holds the device's key, the spool and the uplink. They meet at the **local** socket.
"""

VERSION = "0.1.0"

"""What runs under the system's account: it alone holds the device's key.

A **draft** is a record without its number: who and what, already sealed. The
**scribe** gives it its place in a lane and signs it, which makes it **written**.
The **spool** keeps what is written until the collector's receipt; the **uplink**
carries it there. The **intake** hears the sessions, and takes *who* from the
operating system. **Gaps** are times in which the PC was in use and not watched.
"""

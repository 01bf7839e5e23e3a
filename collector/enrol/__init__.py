"""How a PC gets its certificate, and a newer one.

A **token** gives the right to hand in one **request** (PKCS#10): it carries the PC's
public key and its host name, and nothing else may stand in it. The collector chooses
the device's id, issues a **certificate** under the agents' CA and sends the **chain**
with the policy in force. A **renewal** needs no token but a **proof**: a signature by
the key that the device already has. Every refusal is a **problem** (RFC 9457) with a
name of its own and words for the technician.
"""

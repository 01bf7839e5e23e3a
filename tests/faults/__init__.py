"""Breaking it on purpose: disks, processes and networks.

A **disk** is a loop-mounted file system whose power can be cut (`disk.py`). A
**subject** writes numbered items to it and acknowledges each; a **trial** cuts the
power at random moments and asks, after each restart, what was acknowledged and is
not there (`trial.py`). A **mutant** is a subject broken in a known way: the rig must
catch it, or its silence proves nothing. **Injection** has strace fail or kill a
process at a chosen system call (`inject.py`). A **wire** joins two network
namespaces; it loses packets, and is pulled (`wire.py`).
"""

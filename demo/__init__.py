"""A school in miniature, on this machine, from the real commands.

A **school** is a collector with its PCs; a **screen** is the virtual or real one
that a PC watches; a **pupil** opens a window on it and types; the **desk** is read
in a real browser. `python -m demo` plays one scene with them and then leaves the
desk open to look around. Nothing stays behind when it is stopped.
"""

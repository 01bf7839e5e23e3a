"""What runs in the signed-in user's session: it watches, matches and collects evidence.

A **source** turns the platform into events on one queue: a *press* of a key, a
*click*, the active *window*, the focused *field*, the screen's *lock*. The
**text** of a window is what was typed there, in memory only. A **sighting** is a
match with its grade and its place in that text; as a **found** message with its
**evidence** it goes over the local channel to the service, which alone knows who
it is, seals and keeps it. A **place** of confidential help is never captured. A
**blind** session is one that cannot be watched, and says so.
"""

"""Where the session's events come from, one small Protocol per kind, one file per platform.

A **keyboard** enqueues presses and clicks; a **windows** source says which window
is active and where it stands; a **clipboard** is read once, at a paste; a
**fields** source says whether the focused field is secure and what page it is in;
a **locks** source says when the screen is locked. All put frozen events on one
queue (`events`), from threads of their own; none of them looks at the text.
`chosen` is the one place that asks which platform this is.
"""

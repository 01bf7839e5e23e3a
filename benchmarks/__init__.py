"""How fast, how small: measured on real parts, beside what bounds them.

A **figure** is one number with its unit. Its **floor** is the barest program that does
the same work on the same machine in the same run; its **peer** is what a user would run
instead; its **ratio** is the figure over the floor (or over the peer, without a floor).
A **spread** is what many samples of one thing look like. Each benchmark is a module with
`run() -> {"figures": {...}}`.
"""

"""What we look for in a pupil's text, and how serious it is. Standard library only, no effects.

A **pack** is a versioned list of **terms** of one category and language (`pack`).
A character is read as one or more **symbols** of a small alphabet (`normalise`),
the **automaton** finds the terms' phrases in them, and the **matcher** turns keys
into **matches** whose offsets point into what was typed. A **grade** says how
serious a match is and how sure (`grade`), by **reasons** that travel as codes and
have plain words (`reasons`); the base **priority** follows from the grade alone
(`priority`), and the collector adds history and policy.
"""

"""What the ingest benchmark runs: ours and the floor as servers, and the load on both.

The **server** runs on one core, the **load** on another. The **floor** is the barest
program that does the same: mutual TLS, a durable commit of whatever queued during
the last one, one cumulative receipt per stream, a line to each listening browser.
It follows no lane and groups nothing, and unless told so checks no signature.
"""

"""The barest programs that do what ours do: they bound what can be reached.

They have TLS and a durable commit where ours have them, and nothing else: no matcher,
no sealing, no grouping, no page beyond one line of script. A slow floor is a defect.
"""

"""The packs of a policy made ready for the matcher, so that no session has to.

A **book** is the file that holds them (`keywords.bookfile`). It is **made** in a process that
lives for one policy, by the service; **kept** in a folder that everybody may read and the
service's account alone may write; and **opened** by the sessions, which look first whose it is.
A session that has no book, or refuses it, has one made for itself, of the packs.
"""

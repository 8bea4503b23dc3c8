"""The code that results rest on, by content: of plugins, of what they import, and of the host.

A module's code is followed by reading its imports, through every file that is no library's. How
far, and what is not followed, stands in docs/protocol.md.
"""

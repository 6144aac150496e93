"""Recordings: how the messages of a broker are recorded, and how a recording is judged without one."""

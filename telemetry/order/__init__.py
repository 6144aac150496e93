"""The order of messages: repeats, restarts, gaps, lateness, alignment, and clock steps.

A clock step, a clock that was set back, is handled in `recurrence`.
"""

"""Records that change how a lift is judged: maintenance windows, and changed thresholds.

The state of judging itself is in `store.records.monitors.snapshots`.
"""

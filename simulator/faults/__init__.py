"""Faults: causes, symptoms, the condition of each lift, the schedule of faults, and labels."""

"""What can go wrong: causes, symptoms, the condition of each lift, the schedule of faults, and labels."""

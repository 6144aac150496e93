"""What a simulated world is to be: scenario files, their checks, and the faults they plan."""

"""What an undo knows: the plan's rows, how they differ between two moments, whose change it was, and its name."""

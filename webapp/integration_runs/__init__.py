"""What was called: runs and their attempts, delivery."""

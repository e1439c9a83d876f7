"""What of a scheme stays from run to run: the model, the segments' ids and names, and why a user moved."""

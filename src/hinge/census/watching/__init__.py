"""What each unit does while its network trains: counts at every step, and what happened."""

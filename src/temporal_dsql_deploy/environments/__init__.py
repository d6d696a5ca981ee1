"""What an environment is, and how one is found and read."""

"""Membership: who is in the ring, who says so, what is wrong with it, and which rows may go."""

"""What a verb does, step by step, on whatever platform it is given."""

"""Mutants of a plan, applied one at a time to a rehearsal that stands, and what is then seen.

`predict` says what the rules make of a mutant, and whether that can be seen at all (`shows.json`);
`carry` turns the one difference into calls of the emulated AWS; `measure` watches.
"""

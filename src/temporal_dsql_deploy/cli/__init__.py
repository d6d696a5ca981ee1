"""The command line: one file per verb, which parses, calls, renders. Nothing else prints."""

"""The entrypoint of a server's container: checks, renders the configuration, starts the server.

It imports nothing but the standard library and its own files, because it is copied into an image,
and runs on Python 3.9 and newer: `python3 FOLDER --help`.
"""

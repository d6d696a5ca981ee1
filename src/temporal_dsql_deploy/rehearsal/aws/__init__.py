"""Emulated AWS: moto as a process of its own, extended with what Terraform needs of it.

`server.EmulatedAws` starts and stops it; `__main__` is that process; `application` is what it
answers; `extensions` is what moto lacks. What it cannot show stands in the package above.
"""

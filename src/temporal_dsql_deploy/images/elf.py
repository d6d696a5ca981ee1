"""What a program for Linux is made for, by its first bytes."""

from pathlib import Path

_MACHINES = {0x3E: "amd64", 0xB7: "arm64"}
"""e_machine of ELF (System V ABI)."""


def architecture(path: Path) -> str:
    """`amd64`, `arm64`, or what it is instead, in words. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(20)
    if not head.startswith(b"\x7fELF"):
        return "no program for Linux"
    machine = int.from_bytes(head[18:20], "little" if head[5] == 1 else "big")
    return _MACHINES.get(machine, f"machine {machine:#x} of ELF")

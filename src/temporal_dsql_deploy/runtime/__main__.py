"""`python3 FOLDER`, wherever the folder was copied to, or `python3 -m` with its package."""

import importlib
import importlib.util
import sys
from pathlib import Path

NAME = "temporal_runtime"


def package() -> str:
    """The name of the package that this folder is, loaded under a name of its own if need be."""
    if __package__:
        return __package__
    folder = Path(__file__).resolve().parent
    # Python has put the folder itself first, where its files would stand for others of their names.
    sys.path[:] = [path for path in sys.path if not path or Path(path).resolve() != folder]
    spec = importlib.util.spec_from_file_location(
        NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None  # noqa: S101
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)
    return NAME


if __name__ == "__main__":
    sys.exit(importlib.import_module(f"{package()}.entrypoint").main())

"""The setup process: python -I .../engine_setup/__main__.py install --target DIR

Run by path, since an installed extension's package has another name and `-I` keeps its folder off the path.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

if __package__:
    from .setup_command import main
else:
    package = Path(__file__).resolve().parents[1]
    spec = importlib.util.spec_from_file_location(
        "recon3d_addon", package / "__init__.py", submodule_search_locations=[str(package)]
    )
    assert spec is not None and spec.loader is not None  # always set for .py files
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    main = importlib.import_module("recon3d_addon.engine_setup.setup_command").main

if __name__ == "__main__":
    sys.exit(main())

"""Runs the kernel compiler's build without importing kagari, whose extension is being built."""

import sys
import types
from pathlib import Path

package = Path(__file__).resolve().parents[1] / "src" / "kagari"
bare = types.ModuleType("kagari")
bare.__path__ = [str(package)]
sys.modules["kagari"] = bare

from kagari.kernels.aot import build  # noqa: E402

build.main()

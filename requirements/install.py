"""Make .venv and install a lock into it: with uv if there is one, else with venv, pip and a uv from the lock's index.

Run by the Makefile with nothing but Python 3.11 on the machine.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def run(*command: object) -> None:
    """Run a command and stop at its failure, with its own words."""
    # The certificates of the system: behind a company's proxy those that uv brings along are not enough.
    environment = {"UV_NATIVE_TLS": "1", "UV_SYSTEM_CERTS": "1", **os.environ}
    finished = subprocess.run([str(part) for part in command], cwd=ROOT, check=False, env=environment)
    if finished.returncode:
        sys.exit(f"this failed: {' '.join(str(part) for part in command)}")


def make_environment() -> None:
    """Make .venv, or say which package of the system is missing."""
    try:
        import ensurepip  # noqa: F401, PLC0415
        import venv  # noqa: F401, PLC0415
    except ImportError:
        version = f"python3.{sys.version_info.minor}-venv"
        sys.exit(f"This Python cannot make environments. On Debian or Ubuntu: apt-get install {version}")
    if not PYTHON.exists():
        run(sys.executable, "-m", "venv", VENV)


def main(lock: str) -> None:
    """Install one lock, then Watchbill itself, editable."""
    if sys.version_info < (3, 11):
        sys.exit(f"Watchbill needs Python 3.11 or newer; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12")
    make_environment()
    uv = shutil.which("uv")
    if uv:
        run(uv, "pip", "sync", "--quiet", "--python", PYTHON, "--require-hashes", lock)
        run(uv, "pip", "install", "--quiet", "--python", PYTHON, "--no-deps", "--editable", ".")
    else:
        pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        run(*pip, "--require-hashes", "--requirement", lock)
        run(*pip, "--no-deps", "--editable", ".")


if __name__ == "__main__":
    main(sys.argv[1])

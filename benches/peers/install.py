"""What the peers need, below .docket/peers in the checkout, in the versions that the lock files name. Ruby's comes from
Debian's packages alone."""

import shutil
import subprocess
import sys
from pathlib import Path

from process import Failed

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STATE = ROOT / ".docket/peers"


def install(peers):
    """Installs what these peers need and what is not there yet."""
    STATE.mkdir(parents=True, exist_ok=True)
    needs = {
        node: lambda program: program == "node",
        python: lambda program: Path(program).is_relative_to(STATE / "venv"),
        rust: lambda program: Path(program).is_relative_to(STATE / "target"),
    }
    for step, is_needed in needs.items():
        if any(is_needed(peer.command[0]) for peer in peers):
            step()


def node():
    files = ["package.json", "package-lock.json"]
    if not changed(files, HERE / "node", STATE / "node"):
        return
    say("npm ci into .docket/peers/node")
    # Their install scripts only look for a compiler; what they would build ships in the packages.
    run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=STATE / "node")
    record(files, HERE / "node", STATE / "node")


def python():
    files = ["requirements.txt"]
    if not changed(files, HERE / "python", STATE / "venv"):
        return
    say("pip install into .docket/peers/venv")
    run([sys.executable, "-m", "venv", "--clear", STATE / "venv"])
    pip = [STATE / "venv/bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run([*pip, "install", "--requirement", HERE / "python/requirements.txt"])
    record(files, HERE / "python", STATE / "venv")


def rust():
    say("cargo build into .docket/peers/target (some minutes the first time)")
    run(["cargo", "build", "--locked", "--release", "--quiet", "--target-dir", STATE / "target"], cwd=HERE / "rust")


def changed(files, source, target):
    """Whether these files are others than those of the last time; then copies them to where they must lie."""
    installed = [target / f"installed-{name}" for name in files]
    if all(old.is_file() and old.read_bytes() == (source / name).read_bytes() for old, name in zip(installed, files)):
        return False
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in files:
        shutil.copy(source / name, target / name)
    return True


def record(files, source, target):
    for name in files:
        shutil.copy(source / name, target / f"installed-{name}")


def run(command, **options):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=sys.stderr, **options)
    if done.returncode:
        raise Failed(f"{Path(command[0]).name} failed; see above")


def say(text):
    print(f"== {text}", file=sys.stderr, flush=True)

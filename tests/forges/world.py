"""Real git repositories, and programs run in them as a forge would."""
import functools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
REVIEW = TOP / "ci/review"
MTP = os.environ.get("MTP_BINARY") or str(TOP / "target/debug/mtp")
LOCK = threading.Lock()
# The stub, by way of a shell where it has nothing to do: starting Python each time would take a third of the time.
PROGRAMS = tempfile.TemporaryDirectory(prefix="mtp-forges-")
STUB = pathlib.Path(PROGRAMS.name) / "mtp"
STUB.write_text(f"""#!/bin/sh
case " $STUB_LOG $* " in
    "  "*" diff "* | "  diff "* | " /"*) exec {sys.executable} -IS {HERE}/mtp-stub "$@" ;;
esac
exec "$MTP_REAL" "$@"
""")
STUB.chmod(0o755)

# Nothing of whoever runs the tests: no settings of git, no token, no forge.
CLEAN = {
    "PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "MTP_REAL": MTP, "MTP": str(STUB),
    "GIT_CONFIG_GLOBAL": str(HERE / "gitconfig"), "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org",
    "MTP_RETRY_PAUSE": "0.01", "RAYON_NUM_THREADS": "1",
}

TENANT = """apiVersion: multitenant.k8s-mtp.io/v1
kind: Tenant
metadata:
  name: {name}
spec:
  name: main
  tier: {tier}
  ownerEmail: ops@{name}.example
  admins: [a@{name}.example]
"""


def run(*command, cwd, code=0, env=None, text=None):
    """Runs it in a clean environment; its exit code has to be `code` (None: any)."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, env={**CLEAN, **(env or {})}, capture_output=True,
                          text=True, input=text if text is not None else "", errors="replace", timeout=120)
    if code is not None and done.returncode != code:
        raise AssertionError(f"{command} ended with {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}")
    return done


def git(where, *arguments, code=0, env=None):
    return run("git", "-c", "init.defaultBranch=main", *arguments, cwd=where, code=code, env=env).stdout.strip()


@functools.lru_cache(maxsize=None)
def made():
    folder = tempfile.TemporaryDirectory(prefix="mtp-forges-")
    top = pathlib.Path(folder.name)
    git(top, "init", "--quiet", "--bare", "origin.git")
    git(top, "clone", "--quiet", "origin.git", "work")
    work = top / "work"
    run(MTP, "init", cwd=work)
    (work / "tenants/acme.yaml").write_text(TENANT.format(name="acme", tier="pro"))
    run(MTP, "render", cwd=work)
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message", "first")
    git(work, "push", "--quiet", "origin", "main")
    return folder


def template():
    """A remote with a rendered platform on main, made once and copied for each test."""
    with LOCK:
        return pathlib.Path(made().name)


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mtp-forges-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def world(self):
        """A remote and a clone of it with main checked out."""
        for name in ["origin.git", "work"]:
            shutil.copytree(template() / name, self.folder / name, symlinks=True)
        self.origin, self.work = self.folder / "origin.git", self.folder / "work"
        git(self.work, "remote", "set-url", "origin", str(self.origin))
        git(self.work, "fetch", "--quiet")

    def tenant(self, name, tier="free", text=None):
        (self.work / f"tenants/{name}.yaml").write_text(text or TENANT.format(name=name, tier=tier))

    def render(self, code=0):
        return run(MTP, "render", cwd=self.work, code=code)

    def commit(self, message="change"):
        git(self.work, "add", "--all")
        git(self.work, "commit", "--quiet", "--message", message)
        return git(self.work, "rev-parse", "HEAD")

    def push(self, branch):
        git(self.work, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")

    def at(self, branch):
        """The commit of a branch of the remote."""
        return git(self.origin, "rev-parse", f"refs/heads/{branch}")

    def refs(self):
        return git(self.origin, "for-each-ref")

    def shim(self, name, script):
        """A program that comes before the real one of that name; `$real` is that one."""
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f"#!/bin/bash\nreal={shutil.which(name)}\n{script}\n")
        path.chmod(0o755)
        return f"{folder}:{CLEAN['PATH']}"

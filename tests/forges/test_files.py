"""What is handed out: actions, templates, scripts, releases."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import unittest

import forge as forges
import world

try:
    import yaml
except ImportError:
    yaml = None

ACTION, WORKFLOW, GITLAB = (world.TOP / f"ci/{name}" for name in ["github/action.yml", "github/workflow.yml", "gitlab/mtp.yml"])


def tracked():
    """Files of the repository: git's, and new ones."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=world.TOP, capture_output=True, check=True).stdout
    return [world.TOP / name for name in listed.decode().split("\0") if name and (world.TOP / name).is_file()]


def ours(path):
    """Whether it belongs to what is tested here."""
    return path.relative_to(world.TOP).as_posix().startswith(("ci/review/", "ci/github/", "ci/gitlab/", "ci/hooks/", "ci/release", "tests/forges/"))


def shell_scripts():
    for path in tracked():
        with open(path, "rb") as file:
            first = file.readline(80)
        if re.match(rb"#!.*\b(ba)?sh\b|# shellcheck shell=", first):
            yield path


class Scripts(unittest.TestCase):
    @unittest.skipUnless(shutil.which("shellcheck"), "shellcheck is not installed")
    def test_shellcheck_has_nothing_to_say(self):
        # SC1007: `CDPATH= cd` is meant.
        found = list(shell_scripts())
        self.assertGreater(len(found), 15)
        done = subprocess.run(["shellcheck", "--external-sources", "--exclude=SC1007", *found], cwd=world.TOP, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_they_parse_in_their_shell_and_say_what_they_are_for(self):
        for path in shell_scripts():
            if not ours(path):
                continue
            lines = path.read_text().splitlines()
            self.assertRegex(lines[1], r"^# .{20}", f"{path} opens with a comment")
            shell = "bash" if "bash" in lines[0] else "sh"
            done = subprocess.run([shell, "-n", path], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            if path.name != "api":
                self.assertTrue(os.access(path, os.X_OK), path)

    def test_nothing_of_a_machine_or_unfinished_is_in_them(self):
        for path in tracked():
            if ours(path):
                text = path.read_text()
                self.assertNotRegex(text, r"TO" r"DO|FIX" r"ME|(?<!\w)/(ro" r"ot|wo" r"rk|ho" r"me)/", path)


@unittest.skipUnless(yaml, "Python has no reader of YAML")
class Yaml(unittest.TestCase):
    def steps(self):
        yield from yaml.safe_load(ACTION.read_text())["runs"]["steps"]
        for job in yaml.safe_load(WORKFLOW.read_text())["jobs"].values():
            yield from job["steps"]

    def test_nothing_is_pasted_into_a_script(self):
        for step in self.steps():
            self.assertNotIn("${{", step.get("run", ""))
        for path in [ACTION, WORKFLOW]:
            for expression in re.findall(r"\$\{\{(.*?)\}\}", path.read_text()):
                self.assertRegex(expression.strip(), r"^(inputs\.[a-z0-9]+|steps\.[a-z]+\.outputs\.[a-z-]+|github\.token|runner\.temp"
                                 r"|github\.event\.pull_request\.number \|\| github\.ref|github\.event_name == 'pull_request')$")
        script = "\n".join(yaml.safe_load(GITLAB.read_text())["mtp"]["script"])
        self.assertNotRegex(script, r"CI_MERGE_REQUEST_(TITLE|DESCRIPTION)|BRANCH_NAME")

    def test_actions_are_githubs_own_and_ours(self):
        for step in self.steps():
            if "uses" in step:
                self.assertRegex(step["uses"], r"^((actions|github)/[a-z/-]+@v\d+|k8s-mtp/k8s-mtp/ci/github@v\d+\.\d+\.\d+)$")
        for path in [ACTION, WORKFLOW]:
            self.assertIn("by commit", path.read_text())

    def test_the_workflow_asks_for_least(self):
        workflow = yaml.safe_load(WORKFLOW.read_text())
        self.assertEqual(set(workflow[True]), {"pull_request", "merge_group"}) # `on` is a boolean to YAML 1.1
        self.assertEqual(workflow["permissions"], {})
        self.assertEqual(workflow["jobs"]["mtp"]["permissions"], {
            "contents": "write", "pull-requests": "write", "security-events": "write", "statuses": "write", "actions": "read"})
        self.assertNotIn("if", workflow["jobs"]["mtp"], "a job that is skipped counts as passed")
        checkout, ours = workflow["jobs"]["mtp"]["steps"]
        self.assertEqual(checkout["with"], {"fetch-depth": 0, "persist-credentials": False})
        inputs = yaml.safe_load(ACTION.read_text())["inputs"]
        self.assertLessEqual(set(ours["with"]), set(inputs))
        version = re.search(r'^version = "(.*)"', (world.TOP / "Cargo.toml").read_text(), re.M).group(1)
        self.assertEqual(ours["with"]["version"], version)
        self.assertTrue(ours["uses"].endswith(f"@v{version}"))

    def test_every_input_and_output_is_used(self):
        text = ACTION.read_text()
        for name in yaml.safe_load(text)["inputs"]:
            self.assertIn(f"inputs.{name}", text)
        review = (world.TOP / "ci/github/review").read_text()
        for name in set(re.findall(r"steps\.review\.outputs\.([a-z-]+)", text)):
            self.assertIn(f"output {name} ", review)

    def test_the_template_of_gitlab(self):
        job = yaml.safe_load(GITLAB.read_text())["mtp"]
        self.assertEqual(job["rules"], [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}])
        self.assertEqual(job["artifacts"]["when"], "always")
        self.assertTrue(job["artifacts"]["reports"]["codequality"].startswith(job["artifacts"]["paths"][0]))


class Packed(world.Case):
    binary = world.STUB

    def release(self, out="out", top=world.TOP, code=0, env=None, **more):
        arguments = {"binary": self.binary, "arch": "amd64", "version": "1.2.3", "out": self.folder / out, **more}
        words = [word for name, value in arguments.items() if value for word in (f"--{name}", value)]
        # With the Python that runs this, whatever `python3` is.
        return world.run(sys.executable, top / "ci/release", *words, cwd=self.folder, code=code, env=env)


class Release(Packed):
    def contents(self, out="out"):
        folder = self.folder / out
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def test_the_same_bytes_again_and_from_another_folder(self):
        self.release("a")
        other = self.folder / "other place"
        shutil.copytree(world.TOP / "ci", other / "ci", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ["Cargo.toml", "Containerfile", "LICENSE"]:
            shutil.copy(world.TOP / name, other / name)
        for path in other.rglob("*"):
            os.utime(path, (1, 1))
        old = os.umask(0o077)
        try:
            self.release("b", top=other, env={"TZ": "Asia/Tokyo", "USER": "x"})
        finally:
            os.umask(old)
        self.assertEqual(self.contents("a"), self.contents("b"))
        self.assertEqual(len([name for name in self.contents("a") if "/" not in name]), 5)
        self.release("c", env={"SOURCE_DATE_EPOCH": "1700000000"})
        self.assertNotEqual(self.contents("a"), self.contents("c"))

    def test_the_image_is_what_containerfile_says(self):
        self.release()
        top = self.folder / "out/mtp-1.2.3-linux-amd64.oci"
        self.assertEqual(json.loads((top / "oci-layout").read_text()), {"imageLayoutVersion": "1.0.0"})

        def blob(described):
            content = (top / "blobs" / described["digest"].replace(":", "/")).read_bytes()
            self.assertEqual(len(content), described["size"])
            self.assertEqual(f"sha256:{hashlib.sha256(content).hexdigest()}", described["digest"])
            return content

        described, = json.loads((top / "index.json").read_text())["manifests"]
        self.assertEqual(described["digest"], (self.folder / "out/mtp-1.2.3-linux-amd64.oci.digest").read_text().strip())
        manifest = json.loads(blob(described))
        config = json.loads(blob(manifest["config"]))
        layer, = manifest["layers"]
        blob(layer)
        self.assertEqual(config["config"], {"User": "65532:65532", "Entrypoint": ["/mtp"]})
        self.assertEqual((config["os"], config["architecture"]), ("linux", "amd64"))
        self.assertEqual(config["rootfs"], {"type": "layers", "diff_ids": [layer["digest"]]})
        with tarfile.open(top / "blobs" / layer["digest"].replace(":", "/")) as tar:
            member, = tar.getmembers()
            self.assertEqual((member.name, member.mode, member.uid, member.gid, member.mtime), ("mtp", 0o555, 0, 0, 0))
            self.assertEqual(tar.extractfile(member).read(), self.binary.read_bytes())
        with tarfile.open(self.folder / "out/mtp-1.2.3-linux-amd64.oci.tar") as tar:
            packed = {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}
        self.assertEqual(packed, {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*") if path.is_file()})
        files = {name for name in packed if name.startswith("blobs/")}
        self.assertEqual(len(files), 3, "no blob that nothing names")

    def test_checksums_are_those_of_the_files(self):
        self.release()
        for path in (self.folder / "out").glob("*.sha256"):
            world.run("sha256sum", "-c", path.name, cwd=self.folder / "out")

    def test_what_does_not_fit_is_refused(self):
        elf = self.folder / "elf"
        elf.write_bytes(b"\x7fELF" + bytes(14) + (183).to_bytes(2, "little") + bytes(44))
        self.assertIn("for arm64, not for amd64", self.release(binary=elf, code=1).stderr)
        self.release(binary=elf, arch=None)
        self.assertTrue((self.folder / "out/mtp-1.2.3-linux-arm64.tar.gz").exists())
        self.release(binary=self.folder / "none", code=1)
        self.release(version="../x", code=1)
        other = self.folder / "other"
        shutil.copytree(world.TOP / "ci", other / "ci", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ["Cargo.toml", "Containerfile", "LICENSE"]:
            shutil.copy(world.TOP / name, other / name)
        (other / "Containerfile").write_text((other / "Containerfile").read_text() + "RUN true\n")
        self.assertIn("`RUN true`", self.release(top=other, code=1).stderr)


class Install(Packed):
    """Releases are downloaded from a server, checked and run, by both forges."""

    def setUp(self):
        super().setUp()
        self.forge = forges.Forge("gitlab")
        self.addCleanup(self.forge.close)
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine)
        self.release(arch=machine)
        archive = self.folder / f"out/mtp-1.2.3-linux-{machine}.tar.gz"
        self.sum = hashlib.sha256(archive.read_bytes()).hexdigest()
        self.forge.files[f"/releases/v1.2.3/{archive.name}"] = archive.read_bytes()

    def install(self, code=0, **env):
        return world.run(world.REVIEW / "install", self.folder / "bin-dir", cwd=self.folder, code=code,
                         env={"MTP_VERSION": "1.2.3", "MTP_SHA256": self.sum, "MTP_URL": f"{self.forge.url}/releases/", **env})

    def test_installs_what_has_the_checksum_and_nothing_else(self):
        path = self.install(MTP_SHA256=f"{'0' * 64} {self.sum}\n").stdout.strip()
        self.assertEqual(open(path, "rb").read(), self.binary.read_bytes())
        self.assertTrue(os.access(path, os.X_OK))
        shutil.rmtree(self.folder / "bin-dir")
        self.assertIn(f"has the checksum {self.sum}", self.install(MTP_SHA256="0" * 64, code=2).stderr)
        self.assertEqual(list((self.folder / "bin-dir").iterdir()), [])
        for wrong in [{"MTP_SHA256": ""}, {"MTP_SHA256": "abc"}, {"MTP_VERSION": "../../x"}, {"MTP_VERSION": ""}, {"MTP_URL": "file:///etc"},
                      {"MTP_VERSION": "9.9.9"}]:
            self.install(code=2, **wrong)

    @unittest.skipUnless(yaml, "Python has no reader of YAML")
    def test_the_script_of_gitlab_does_the_same_and_reviews(self):
        self.world()
        self.tenant("globex")
        head = self.commit()
        self.push("change")
        runner = self.folder / "runner"
        world.git(self.folder, "clone", "--quiet", str(self.origin), str(runner))
        world.git(runner, "checkout", "--quiet", "--detach", head)
        script = "\n".join(yaml.safe_load(GITLAB.read_text())["mtp"]["script"])
        env = {
            "MTP_VERSION": "1.2.3", "MTP_SHA256": self.sum, "MTP_URL": f"{self.forge.url}/releases", "MTP_FOLDER": "", "MTP_MODE": "commit",
            "MTP_GITLAB_TOKEN": "s3cret-token", "MTP_REMOTE": "origin", "CI_API_V4_URL": self.forge.url, "CI_SERVER_URL": "https://gitlab.example",
            "CI_PROJECT_PATH": "o/r", "CI_MERGE_REQUEST_IID": "5", "CI_MERGE_REQUEST_PROJECT_ID": "42", "CI_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "42", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "change",
            "CI_COMMIT_SHA": head, "STUB_DIFF": "{}"}
        world.run("sh", "-c", script, cwd=runner, env={**env, "MTP_SHA256": "0" * 64}, code=2)
        self.assertEqual(self.at("change"), head)
        world.run("sh", "-c", script, cwd=runner, env=env)
        self.assertNotEqual(self.at("change"), head)
        self.assertEqual(len(self.forge.comments), 1)
        self.assertTrue((runner / "mtp-review/review.html").exists())


class Readme(unittest.TestCase):
    def test_its_links_into_the_repository_lead_somewhere(self):
        for link in re.findall(r"\]\(([^)#:]+)\)", (world.TOP / "README.md").read_text()):
            self.assertTrue((world.TOP / link).exists(), link)

    def test_the_names_that_it_uses_are_there(self):
        text = (world.TOP / "README.md").read_text()
        self.assertIn("MTP_GITLAB_TOKEN", text)
        for name in ["MTP_GITLAB_TOKEN", "mtp.root"]:
            self.assertTrue(any(name in path.read_text() for path in tracked() if path.is_relative_to(world.TOP / "ci")), name)

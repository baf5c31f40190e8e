"""The git hooks, in real repositories, with what is staged and what is not."""
import json
import os

import world


class Hooks(world.Case):
    def setUp(self):
        super().setUp()
        self.world()
        world.git(self.work, "config", "core.hooksPath", str(world.TOP / "ci/hooks"))

    def try_commit(self, *arguments, code=0, env=None):
        done = world.run("git", "commit", "--quiet", "--message", "x", *arguments, cwd=self.work, code=None, env=env)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def try_push(self, *arguments, code=0, **want):
        done = world.run("git", "push", "--quiet", "origin", *arguments, cwd=self.work, code=None,
                         env={"STUB_DIFF": json.dumps(want), "STUB_LOG": self.folder / "log"})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def diffs(self):
        path = self.folder / "log"
        calls = [json.loads(line)["arguments"] for line in path.read_text().splitlines()] if path.exists() else []
        if path.exists():
            path.unlink()
        return [(call[call.index("--base") + 1], call[call.index("--head") + 1]) for call in calls if call[0] == "diff"]

    def add(self, *paths):
        world.git(self.work, "add", "--all", "--", *paths)


class Commit(Hooks):
    def test_stale_is_refused_with_the_command_that_helps(self):
        self.tenant("globex")
        self.add("tenants")
        said = self.try_commit(code=1)
        self.assertIn("run: mtp render && git add rendered\n", said)
        self.assertNotIn("/tmp/", said)
        mtp = self.shim("mtp", f'exec {world.MTP} "$@"')
        world.run("sh", "-c", said.rsplit("run: ", 1)[1], cwd=self.work, env={"PATH": mtp})
        self.try_commit()
        self.assertEqual(world.git(self.work, "status", "--porcelain"), "")

    def test_errors_are_refused_with_their_places(self):
        self.tenant("globex", tier="prox")
        self.add("tenants")
        self.assertIn("tenants/globex.yaml:7:9", self.try_commit(code=1))

    def test_edits_that_are_not_staged_do_not_count(self):
        self.tenant("globex")
        self.render()
        self.add("tenants", "rendered")
        # Broken in the folder, fine in the index.
        self.tenant("globex", tier="prox")
        self.tenant("initech")
        self.try_commit()
        self.assertIn("tier: free", world.git(self.work, "show", "HEAD:tenants/globex.yaml"))

    def test_what_only_the_folder_has_does_not_help(self):
        # Rendered, but only tenants/ is staged; and one of two edits of a file is staged.
        self.tenant("globex")
        self.render()
        self.add("tenants")
        self.assertIn("rendered/ is stale", self.try_commit(code=1))
        self.add("rendered")
        self.tenant("globex", tier="pro")
        self.render()
        self.add("rendered")
        said = self.try_commit(code=1)
        self.assertIn("run: mtp render && git add tenants rendered\n", said)
        self.assertIn("not staged", said)

    def test_partial_commits_look_at_what_they_commit(self):
        self.tenant("globex")
        self.render()
        self.add("tenants", "rendered")
        self.assertIn("stale", self.try_commit("--", "tenants", code=1))
        self.try_commit("--", "tenants", "rendered")
        self.tenant("globex", tier="pro")
        self.assertIn("stale", self.try_commit("--all", code=1))

    def test_rendered_edited_by_hand_or_taken_away_is_refused(self):
        path = next((self.work / "rendered/tenants").rglob("networkpolicy-tenant-isolation.yaml"))
        path.write_text(path.read_text() + "# mine\n")
        self.add("rendered")
        self.try_commit(code=1)
        path.unlink()
        self.add("rendered")
        self.try_commit(code=1)

    def test_other_files_cost_nothing(self):
        (self.work / "notes.md").write_text("x")
        (self.work / "docs/tenants").mkdir(parents=True)
        (self.work / "docs/tenants/x.yaml").write_text(":")
        self.add(".")
        self.try_commit(env={"MTP": "/nonexistent/mtp"})

    def test_without_mtp_nothing_is_passed_unseen(self):
        self.tenant("globex")
        self.add("tenants")
        self.assertIn("is not installed", self.try_commit(code=1, env={"MTP": "/nonexistent/mtp"}))
        self.try_commit("--no-verify", env={"MTP": "/nonexistent/mtp"})

    def test_hostile_names_of_tenants_and_files(self):
        for name in ["$(touch pwned)", "a\nb", "-rf", "ü", "'; touch pwned; '", ":(top)x"]:
            (self.work / f"tenants/{name}.yaml").write_text(world.TENANT.format(name="globex", tier="free"))
            self.add("tenants")
            self.try_commit(code=1)
            (self.work / f"tenants/{name}.yaml").unlink()
            self.tenant("globex", text=world.TENANT.format(name=json.dumps(name), tier="free"))
            self.add("tenants")
            self.try_commit(code=1)
        self.assertFalse(list(self.folder.rglob("pwned")))

    def test_the_first_commit_a_symlink_a_subfolder_and_a_worktree(self):
        new = self.folder / "new"
        new.mkdir()
        world.git(new, "init", "--quiet")
        world.run(world.MTP, "init", cwd=new)
        (new / ".git/hooks").mkdir()
        os.symlink(world.TOP / "ci/hooks/pre-commit", new / ".git/hooks/pre-commit")
        world.git(new, "add", "--all")
        world.run("git", "commit", "--quiet", "-m", "x", cwd=new, code=1)
        world.run(world.MTP, "render", cwd=new)
        world.git(new, "add", "--all")
        world.run("git", "commit", "--quiet", "-m", "x", cwd=new / "tenants")
        world.git(new, "worktree", "add", "--quiet", "-b", "other", str(self.folder / "other dir"))
        self.work = self.folder / "other dir"
        self.tenant("globex")
        self.add("tenants")
        self.try_commit(code=1)
        self.render()
        self.add("rendered")
        self.try_commit()

    def test_roots_below_the_top(self):
        (self.work / "clusters/a b").mkdir(parents=True)
        for name in ["tenants", "rendered"]:
            os.rename(self.work / name, self.work / "clusters/a b" / name)
        self.add(".")
        self.try_commit() # nothing at the top: all of tenants/ is taken away
        world.git(self.work, "config", "--add", "mtp.root", "clusters/a b/")
        world.git(self.work, "config", "--add", "mtp.root", ".")
        (self.work / "clusters/a b/tenants/globex.yaml").write_text(world.TENANT.format(name="globex", tier="free"))
        self.add(".")
        self.assertIn("stale", self.try_commit(code=1))
        world.run(world.MTP, "render", "--root", "clusters/a b", cwd=self.work)
        self.add(".")
        self.try_commit()


class Push(Hooks):
    def change(self, name="globex"):
        self.tenant(name)
        self.render()
        self.add(".")
        world.git(self.work, "commit", "--quiet", "--no-verify", "--message", name)
        return world.git(self.work, "rev-parse", "HEAD")

    def test_passed_is_pushed_with_the_summary(self):
        base, head = self.at("main"), self.change()
        self.assertIn("one tenant is added", self.try_push("main", text="one tenant is added"))
        self.assertEqual(self.at("main"), head)
        self.assertEqual(self.diffs(), [(base, head)])

    def test_denied_and_undecided_are_refused(self):
        base = self.at("main")
        self.change()
        self.assertIn("a finding is denied", self.try_push("main", code=1, exit=1))
        self.assertIn("could not decide", self.try_push("main", code=1, exit=2))
        self.assertEqual(self.at("main"), base)
        world.git(self.work, "push", "--quiet", "--no-verify", "origin", "main")

    def test_a_new_branch_is_compared_with_the_remotes_default(self):
        base, head = self.at("main"), self.change()
        self.try_push("HEAD:refs/heads/$(touch\x24{IFS}pwned)")
        self.assertEqual(self.diffs(), [(base, head)])
        # Nothing of the remote is known: said, and let through, as is the very first push.
        world.git(self.work, "update-ref", "-d", "refs/remotes/origin/HEAD")
        world.git(self.work, "update-ref", "-d", "refs/remotes/origin/main")
        self.assertIn("not reviewed", self.try_push("HEAD:other", exit=1))

    def test_tags_deletions_and_other_files_are_not_looked_at(self):
        head = self.change()
        world.git(self.work, "tag", "v1")
        self.try_push("v1", exit=1)
        self.try_push("HEAD:gone")
        self.diffs()
        self.try_push("--delete", "gone", exit=1)
        (self.work / "notes").write_text("x")
        self.add(".")
        world.git(self.work, "commit", "--quiet", "--message", "notes")
        self.try_push("HEAD:main", exit=0)
        self.assertEqual(len(self.diffs()), 1)
        (self.work / "notes").write_text("y")
        self.add(".")
        world.git(self.work, "commit", "--quiet", "--message", "notes")
        self.try_push("HEAD:main", exit=1)
        self.assertEqual(self.diffs(), [])
        self.assertTrue(head)

    def test_mtp_itself_is_asked(self):
        self.tenant("acme", text=world.TENANT.format(name="acme", tier="pro") + "  egress:\n    internet: true\n")
        self.render()
        self.add(".")
        self.try_commit()
        done = world.run("git", "push", "origin", "main", cwd=self.work, code=1)
        self.assertIn("egress opened", done.stderr)
        self.assertIn("not pushed: a finding is denied", done.stderr)
        # One of several is enough, whichever it is.
        world.git(self.work, "checkout", "--quiet", "-b", "fine", "origin/main")
        self.change()
        for branches in [["fine", "main"], ["main", "fine"]]:
            world.run("git", "push", "origin", *branches, cwd=self.work, code=1)
        world.run("git", "push", "origin", "fine", cwd=self.work)

    def test_several_branches_and_a_force_over_unknown_commits(self):
        head = self.change()
        world.git(self.work, "branch", "second")
        self.change("initech")
        self.try_push("main", "second", code=1, exit=1)
        self.assertEqual(len(self.diffs()), 2)
        # The remote's main has a commit that this clone has not seen.
        unknown = world.git(self.origin, "commit-tree", "-m", "x", "-p", self.at("main"), "main^{tree}")
        world.git(self.origin, "update-ref", "refs/heads/main", unknown)
        self.assertIn("run: git fetch origin", self.try_push("+main", code=1))
        self.assertEqual(self.at("main"), unknown)
        self.assertTrue(head)

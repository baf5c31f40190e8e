"""Both modes on both forges, with real remotes, branches and merge results."""
import json
import os
import shutil
import stat
import unittest

import forge as forges
import world


def stub(**want):
    return {"STUB_DIFF": json.dumps(want)}


class Mode(world.Case):
    def setUp(self):
        super().setUp()
        self.world()
        self.forge = forges.Forge(self.kind)
        self.addCleanup(self.forge.close)
        self.out = self.folder / "out"

    def branch(self, name="change", render=False):
        """A pull request that adds a tenant."""
        git_name = f"refs/heads/{name}"
        world.git(self.work, "checkout", "--quiet", "--detach", "refs/heads/main")
        self.tenant("globex")
        if render:
            self.render()
        head = self.commit()
        world.git(self.work, "push", "--quiet", "origin", f"HEAD:{git_name}")
        return head

    def check_is_up_to_date(self, commit):
        """What a forge would merge is rendered."""
        where = self.folder / f"look-{commit[:8]}"
        world.git(self.origin, "worktree", "add", "--quiet", "--detach", str(where), commit)
        world.run(world.MTP, "render", "--check", cwd=where)


class GitHub(Mode):
    kind = "github"

    def runner(self, branch, mode, event="pull_request", fork=False, code=0, root=".", env=None, base="main", actor="alice", stubbed=True):
        """What a runner does: checks out refs/pull/5/merge with its history, and runs the action's script."""
        runner = self.folder / f"runner-{len(list(self.folder.glob('runner-*')))}"
        world.git(self.folder, "clone", "--quiet", str(self.origin), str(runner))
        world.git(runner, "checkout", "--quiet", "--detach", f"origin/{base}")
        base_commit, head = world.git(runner, "rev-parse", "HEAD"), self.at(branch)
        world.git(runner, "merge", "--quiet", "--no-ff", "-m", "merge", head)
        merge = world.git(runner, "rev-parse", "HEAD")
        payload = {"pull_request": {"number": 5, "title": "$(touch pwned)\"; touch pwned", "base": {"ref": base, "sha": base_commit},
                                    "head": {"ref": branch, "sha": head, "repo": {"full_name": "mallory/r" if fork else "o/r"}}}}
        if event == "merge_group":
            payload = {"merge_group": {"base_sha": base_commit, "head_sha": merge, "head_ref": "refs/heads/gh-readonly-queue/main/pr-5"}}
        (self.folder / "event.json").write_text(json.dumps(payload))
        outputs, summary = self.folder / "outputs", self.folder / "summary"
        outputs.write_text("")
        summary.write_text("")
        before = world.git(runner, "status", "--porcelain")
        done = world.run(world.TOP / "ci/github/review", cwd=runner, env={
            "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": self.folder / "event.json", "GITHUB_SHA": merge,
            "GITHUB_REF": "refs/pull/5/merge", "GITHUB_REPOSITORY": "o/r", "GITHUB_API_URL": self.forge.url, "GITHUB_ACTOR": actor,
            "GITHUB_SERVER_URL": "https://github.example", "GITHUB_OUTPUT": outputs, "GITHUB_STEP_SUMMARY": summary, "GITHUB_JOB": "mtp",
            "MTP_MODE": mode, "MTP_ROOT": root, "MTP_OUT": self.out, "MTP_TOKEN": "s3cret-token", **(stub() if stubbed else {}), **(env or {})})
        self.outputs = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
        self.summary, self.log = summary.read_text(), done.stdout + done.stderr
        self.assertEqual(self.outputs["result"], str(code), self.log)
        self.assertNotIn("s3cret", self.log)
        self.assertEqual(world.git(runner, "status", "--porcelain"), before, "the checkout is left alone")
        self.assertEqual(world.git(runner, "worktree", "list").count("\n"), 0, "nothing is left behind")
        self.assertFalse(list(self.folder.rglob("pwned")))
        return done

    def test_commit_pushes_rendered_and_is_idempotent(self):
        head = self.branch()
        self.runner("change", "commit")
        pushed = self.at("change")
        self.assertNotEqual(pushed, head)
        self.assertEqual(world.git(self.origin, "rev-parse", f"{pushed}^"), head)
        changed = world.git(self.origin, "diff", "--name-only", head, pushed).splitlines()
        self.assertTrue(changed and all(path.startswith("rendered/tenants/globex/") for path in changed), changed)
        self.check_is_up_to_date(pushed)
        self.assertEqual(self.forge.bodies(), ["<!-- mtp-diff platform/1 -->\nthe review 1\n"])
        self.assertIn("the review 1", self.summary)
        # The commit that no workflow will run for has its result.
        self.assertEqual([(sha, s["state"], s["context"]) for sha, s in self.forge.statuses], [(pushed, "success", "mtp")])
        self.assertEqual((self.outputs["sarif-ref"], self.outputs["sarif-sha"]), ("refs/pull/5/head", pushed))

        self.runner("change", "commit")
        self.assertEqual(self.at("change"), pushed, "a second run has nothing to push")
        self.assertEqual(len(self.forge.statuses), 1)
        self.assertEqual(self.outputs["sarif-ref"], "refs/pull/5/merge")
        self.assertEqual(len(self.forge.comments), 1)

    def test_check_writes_nothing_and_says_the_command(self):
        self.branch()
        before = self.refs()
        self.runner("change", "check", code=1)
        self.assertEqual(self.refs(), before)
        command = "git fetch origin && git merge origin/main; mtp render && git add rendered && git commit -m 'mtp render'"
        self.assertIn(f"run: {command}", self.log)
        self.assertIn(command, self.forge.bodies()[0])
        self.assertIn("::error file=rendered/", self.log)
        self.assertEqual(self.forge.statuses, [])
        # The command, run by somebody who has mtp, ends it.
        world.git(self.work, "checkout", "--quiet", "-B", "change", "origin/main")
        world.git(self.work, "reset", "--quiet", "--hard", self.at("change"))
        mtp = self.shim("mtp", f'exec {world.MTP} "$@"')
        world.run("sh", "-c", command, cwd=self.work, env={"PATH": mtp})
        self.push("change")
        self.runner("change", "check", code=0)
        self.assertNotIn("stale", self.forge.bodies()[0])

    def test_forks_are_checked_without_writing_and_the_log_says_so(self):
        # The remote here would take a push, and the branch is stale.
        self.branch("stale")
        self.branch(render=True)
        before = self.refs()
        self.runner("stale", "commit", fork=True, code=1)
        self.runner("stale", "commit", actor="dependabot[bot]", code=1)
        self.assertEqual(self.refs(), before)
        self.forge.comments.clear()
        self.forge.read_only = True
        self.runner("change", "commit", fork=True)
        self.assertIn("a fork's pull request", self.log)
        self.assertIn("not allowed to comment", self.log)
        self.assertIn("the review 1", self.summary)
        self.assertNotIn("sarif", [name for name in self.outputs if name == "sarif"])
        self.runner("change", "commit", fork=True, code=1, env=stub(exit=1))
        self.assertIn("::error file=tenants/a.yaml", self.log)

    def test_a_denied_finding_fails_and_is_posted(self):
        self.branch(render=True)
        self.runner("change", "commit", code=1, env=stub(exit=1, body="denied", parts=3))
        self.assertEqual(len(self.forge.comments), 3)
        self.assertIn("denied 3", self.summary)

    def test_what_cannot_be_decided_fails_with_2_and_replaces_the_old_review(self):
        self.branch(render=True)
        self.runner("change", "check")
        self.runner("change", "check", code=2, env=stub(exit=2, text="::set-output name=x::y\n```\n@everyone"))
        body = self.forge.bodies()
        self.assertEqual(len(body), 1)
        self.assertTrue(body[0].startswith("<!-- mtp-diff platform/1 -->\n"))
        self.assertIn("could not be reviewed", body[0])
        self.assertIn("````text\n::set-output", body[0])

    def test_what_mtp_itself_says_is_the_review(self):
        self.branch()
        self.runner("change", "commit", stubbed=False)
        body, = self.forge.bodies()
        self.assertIn("globex", body)
        self.assertIn("globex", (self.out / "review.html").read_text())
        self.assertTrue(json.loads((self.out / "review.sarif").read_text())["runs"])
        self.assertIsInstance(json.loads((self.out / "review.gitlab.json").read_text()), list)
        # The same branch opens the internet to its tenant: denied, and the one comment says so.
        world.git(self.work, "fetch", "--quiet")
        world.git(self.work, "checkout", "--quiet", "--detach", "origin/change")
        self.tenant("acme", text=world.TENANT.format(name="acme", tier="pro") + "  egress:\n    internet: true\n")
        self.commit()
        self.push("change")
        self.runner("change", "commit", code=1, stubbed=False)
        self.assertEqual(len(self.forge.comments), 1)
        self.assertIn("egress opened", self.forge.bodies()[0])
        self.assertRegex(self.log, r"(?m)^::error file=tenants/acme.yaml,line=\d+,")
        self.assertEqual([s["state"] for _, s in self.forge.statuses], ["success", "failure"])
        pushed = self.at("change")
        self.check_is_up_to_date(pushed)
        # The same again is the same to the byte: nothing is edited.
        self.forge.requests.clear()
        self.runner("change", "commit", code=1, stubbed=False)
        self.assertEqual((self.at("change"), self.forge.made()), (pushed, []))
        # A change of nothing ends with a review that says so, and begins none.
        self.forge.comments.clear()
        world.git(self.work, "checkout", "--quiet", "--detach", "refs/heads/main")
        (self.work / "notes").write_text("x")
        self.commit()
        self.push("notes")
        self.runner("notes", "commit", stubbed=False)
        self.assertEqual(self.forge.comments, [])

    def test_a_missing_base_is_exit_code_2(self):
        for base in ["nope", "0" * 40, "--help"]:
            world.run(world.REVIEW / "run", "--base", base, "--head", "HEAD", "--out", self.out, cwd=self.work, code=2)
            world.run(world.REVIEW / "render-and-push", "--base", base, "--head", "HEAD", "--branch", "x", cwd=self.work, code=2)
            world.run(world.REVIEW / "merge", base, "HEAD", cwd=self.work, code=2)

    def test_a_head_that_is_dated_back_does_not_date_the_merge_back(self):
        old = {"GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z"}
        head = world.run("git", "commit-tree", "-m", "x", "-p", "main", "main^{tree}", cwd=self.work, env=old).stdout.strip()
        merge = world.run(world.REVIEW / "merge", "main", head, cwd=self.work).stdout.strip()
        times = world.git(self.work, "show", "--no-patch", "--format=%ct", "main", merge).split()
        self.assertEqual(times[0], times[1])

    def test_errors_in_tenants_push_nothing_and_are_reviewed(self):
        world.git(self.work, "checkout", "--quiet", "--detach", "refs/heads/main")
        self.tenant("globex", tier="prox")
        self.commit()
        self.push("change")
        before = self.refs()
        self.runner("change", "commit", code=2)
        self.assertEqual(self.refs(), before)
        self.assertIn("T110", self.forge.bodies()[0])
        self.assertIn("::error file=tenants/globex.yaml,line=7", self.log)
        # Also where the platform itself is what cannot be read.
        (self.work / "tenants/platform.yaml").write_text("kind: [\n")
        self.commit()
        self.push("change")
        self.runner("change", "check", code=2)
        self.assertEqual(len(self.forge.comments), 1)

    def test_no_comment_where_nothing_changes(self):
        world.git(self.work, "checkout", "--quiet", "--detach", "refs/heads/main")
        (self.work / "README").write_text("x")
        self.commit()
        self.push("change")
        self.runner("change", "commit", env=stub(changed=0, body="no changes"))
        self.assertEqual(self.forge.comments, [])

    def test_branches_that_are_fine_alone_and_stale_together(self):
        head = self.branch(render=True)
        world.git(self.work, "checkout", "--quiet", "main")
        tier = self.work / "tenants/tiers/free.yaml"
        tier.write_text(tier.read_text().replace("pods: 20", "pods: 21"))
        self.render()
        self.commit()
        self.push("main")
        self.runner("change", "check", code=1)
        self.assertEqual(self.at("change"), head)
        self.runner("change", "commit")
        pushed = self.at("change")
        self.assertEqual(world.git(self.origin, "rev-parse", f"{pushed}^1", f"{pushed}^2").split(), [head, self.at("main")])
        self.check_is_up_to_date(pushed)
        self.runner("change", "commit")
        self.assertEqual(self.at("change"), pushed)

    def test_a_branch_that_moved_on_is_left_alone(self):
        self.branch()
        # While mtp renders, somebody pushes; and once somebody takes a commit back.
        for move in ["newer", "older"]:
            target = world.git(self.work, "commit-tree", "-m", move, "-p", self.at("change"), f"{self.at('change')}^{{tree}}") if move == "newer" \
                else self.at("main")
            world.git(self.work, "push", "--quiet", "origin", f"+{target}:refs/heads/spare")
            racing = self.folder / f"mtp-{move}"
            racing.write_text(f"#!/bin/sh\ngit -C {self.origin} update-ref refs/heads/change {target}\nexec {world.STUB} \"$@\"\n")
            racing.chmod(0o755)
            self.runner("change", "commit", code=1, env={"MTP": racing})
            self.assertEqual(self.at("change"), target)
            self.assertIn("the branch has moved on", self.log)
            world.git(self.origin, "update-ref", "refs/heads/change", world.git(self.work, "rev-parse", "HEAD"))

    def test_hostile_names_of_branches(self):
        head = self.branch()
        for name in ["$(touch${IFS}pwned);`touch${IFS}pwned`'\"|&<>", "-rf", "+%0A/🙂#1"]:
            world.git(self.origin, "update-ref", f"refs/heads/{name}", head)
            others = self.refs().count("\n")
            self.runner(name, "commit")
            self.assertNotEqual(self.at(name), head, name)
            self.assertEqual(self.refs().count("\n"), others)

    def test_a_hostile_target_branch_is_not_made_a_command(self):
        self.branch()
        name = "main;touch${IFS}pwned"
        world.git(self.origin, "update-ref", f"refs/heads/{name}", self.at("main"))
        self.runner("change", "check", code=1, base=name)
        self.assertIn("TARGET-BRANCH", self.forge.bodies()[0])
        self.assertNotIn("pwned", self.forge.bodies()[0])

    def test_text_of_tenants_is_no_command_to_the_runner(self):
        world.git(self.work, "checkout", "--quiet", "--detach", "refs/heads/main")
        self.tenant("globex", text=world.TENANT.format(name="globex", tier="free") + "::add-mask::a\n::error::pwned\n##[add-path]x\n")
        self.commit()
        self.push("change")
        for mode in ["commit", "check"]:
            self.runner("change", mode, code=2, env=stub(text="::error::pwned"))
            self.check_guarded()
        self.branch("fine", render=True)
        self.runner("fine", "check", env=stub(text="::add-path::/tmp\n::stop-commands::x"))
        self.check_guarded()

    def check_guarded(self):
        """Between stop-commands and its end, all is text; what is left are annotations of mtp's."""
        guard = None
        for line in self.log.splitlines():
            line = line.strip()
            if guard is None and line.startswith("::stop-commands::"):
                guard = line.rsplit("::", 1)[1]
                self.assertEqual(len(guard), 32)
            elif guard and line == f"::{guard}::":
                guard = None
            elif guard is None:
                self.assertNotIn("##[", line)
                if line.startswith("::"):
                    self.assertRegex(line, r"^::(error|warning|notice) ")
                    self.assertNotIn("pwned", line.split("::", 2)[1])
        self.assertIsNone(guard)

    def test_a_merge_queue_is_checked_and_not_written_to(self):
        self.branch(render=True)
        before = self.refs()
        self.runner("change", "commit", event="merge_group")
        self.assertEqual(self.refs(), before)
        self.assertEqual(self.forge.requests, [])
        self.branch("stale")
        self.runner("stale", "commit", event="merge_group", code=1)

    def test_pull_request_target_and_a_shallow_clone_are_refused(self):
        self.branch()
        before = self.refs()
        self.runner("change", "commit", event="pull_request_target", code=2)
        self.runner("change", "nonsense", code=2)
        self.assertEqual(self.refs(), before)
        self.assertEqual(self.forge.requests, [])

    def test_mtp_never_has_the_token(self):
        self.branch()
        log = self.folder / "log"
        self.runner("change", "commit", env={"STUB_LOG": log})
        calls = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertTrue(any("diff" in call["arguments"] for call in calls))
        for call in calls:
            self.assertNotIn("s3cret", json.dumps(call))

    def test_deny_and_at_reach_mtp(self):
        self.branch(render=True)
        log = self.folder / "log"
        self.runner("change", "check", env={"STUB_LOG": log, "MTP_DENY": "network,rights", "MTP_AT": "2026-11-24T10:00:00Z"})
        calls = [json.loads(line)["arguments"] for line in log.read_text().splitlines()]
        diff = next(call for call in calls if call[0] == "diff")
        self.assertEqual(diff[diff.index("--deny") + 1], "network,rights")
        self.assertEqual(diff[diff.index("--at") + 1], "2026-11-24T10:00:00Z")
        self.assertEqual(diff[diff.index("--base") + 1], self.at("main"))

    def test_a_root_below_the_top(self):
        world.git(self.work, "checkout", "--quiet", "--detach", "refs/heads/main")
        (self.work / "clusters/a, b&c").mkdir(parents=True)
        for name in ["tenants", "rendered"]:
            os.rename(self.work / name, self.work / "clusters/a, b&c" / name)
        self.commit()
        self.push("main")
        (self.work / "clusters/a, b&c/tenants/globex.yaml").write_text(world.TENANT.format(name="globex", tier="free"))
        self.commit()
        self.push("change")
        world.git(self.work, "fetch", "--quiet")
        self.runner("change", "check", code=1, root="clusters/a, b&c/")
        self.assertIn("::error file=clusters/a, b&c/rendered/", self.log)
        self.runner("change", "commit", root="./clusters/a, b&c")
        changed = world.git(self.origin, "diff", "--name-only", "change^", "change").splitlines()
        self.assertTrue(changed and all(path.startswith("clusters/a, b&c/rendered/") for path in changed), changed)

    def test_ignored_files_of_rendered_are_committed(self):
        world.git(self.work, "checkout", "--quiet", "--detach", "refs/heads/main")
        (self.work / ".gitignore").write_text("*quota*\n")
        self.tenant("globex")
        self.commit()
        self.push("change")
        self.runner("change", "commit")
        self.check_is_up_to_date(self.at("change"))

    def test_links_of_a_branch_lead_nowhere(self):
        outside = self.folder / "outside"
        outside.mkdir()
        for name in ["rendered", "rendered/tenants", "rendered/tenants/globex"]:
            world.git(self.work, "checkout", "--quiet", "--detach", "refs/heads/main")
            self.tenant("globex")
            path = self.work / name
            shutil.rmtree(path, ignore_errors=True)
            path.symlink_to(outside)
            self.commit()
            branch = name.replace("/", "-")
            self.push(branch)
            runner = self.folder / f"clone-{branch}"
            world.git(self.folder, "clone", "--quiet", str(self.origin), str(runner))
            world.run(world.REVIEW / "render-and-push", "--base", self.at("main"), "--head", self.at(branch), "--branch", branch, cwd=runner, code=None)
            self.assertEqual(list(outside.iterdir()), [], name)
            world.git(self.work, "reset", "--quiet", "--hard")

    def test_hooks_of_the_checkout_do_not_run(self):
        self.branch()
        hook = self.folder / "hooks"
        hook.mkdir()
        for name in ["pre-commit", "post-checkout", "pre-push", "commit-msg", "post-merge", "pre-merge-commit"]:
            (hook / name).write_text(f"#!/bin/sh\ntouch {self.folder}/pwned\nexit 1\n")
            (hook / name).chmod(0o755)
        (self.folder / "config").write_text(f"[core]\n hooksPath = {hook}\n")
        # Set for the scripts alone, not for the clone that the test makes.
        wrapper = self.shim("jq", f"export GIT_CONFIG_GLOBAL={self.folder}/config\nexec $real \"$@\"")
        self.assertTrue(os.stat(self.folder / "bin/jq").st_mode & stat.S_IXUSR)
        self.runner("change", "commit", env={"PATH": wrapper, "GIT_CONFIG_GLOBAL": str(self.folder / "config")})

    def test_the_token_reaches_the_remote_by_header_alone(self):
        head = self.branch()
        runner = self.folder / "clone"
        world.git(self.folder, "clone", "--quiet", str(self.origin), str(runner))
        argv = self.shim("git", f'printf "%s\\n" "$@" >>{self.folder}/argv; exec "$real" "$@"')
        world.git(runner, "config", f"http.{self.forge.url}/.extraheader", "Authorization: Basic left-behind")
        done = world.run(world.REVIEW / "render-and-push", "--base", self.at("main"), "--head", head, "--branch", "change",
                         "--remote", f"{self.forge.url}/o/r.git", cwd=runner, code=1,
                         env={"PATH": argv, "MTP_TOKEN": "s3cret-token", "MTP_PUSH_URL": self.forge.url})
        self.assertIn("the push was refused", done.stderr)
        headers = [headers for method, path, headers, _ in self.forge.requests if "info/refs" in path]
        import base64
        self.assertEqual(headers[0]["Authorization"], "Basic " + base64.b64encode(b"x-access-token:s3cret-token").decode())
        for text in [done.stdout, done.stderr, (self.folder / "argv").read_text()]:
            self.assertNotIn("s3cret", text)
            self.assertNotIn(headers[0]["Authorization"][6:], text)


class GitLab(Mode):
    kind = "gitlab"

    def job(self, branch, mode="commit", merged=True, fork=False, code=0, env=None, token="s3cret-token", train=False):
        """What a runner does: checks out the merge result, where there is one, else the branch."""
        runner = self.folder / f"runner-{len(list(self.folder.glob('runner-*')))}"
        world.git(self.folder, "clone", "--quiet", str(self.origin), str(runner))
        head = self.at(branch)
        world.git(runner, "checkout", "--quiet", "--detach", head)
        more = {"CI_COMMIT_SHA": head, "CI_MERGE_REQUEST_EVENT_TYPE": "detached"}
        if merged:
            world.git(runner, "checkout", "--quiet", "--detach", "origin/main")
            world.git(runner, "merge", "--quiet", "--no-ff", "-m", "merge", head)
            more = {"CI_COMMIT_SHA": world.git(runner, "rev-parse", "HEAD"), "CI_MERGE_REQUEST_EVENT_TYPE": "merge_train" if train else "merged_result",
                    "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": self.at("main"), "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": head}
        done = world.run(world.TOP / "ci/gitlab/review", cwd=runner, code=code, env={
            "GITLAB_CI": "true", "CI_MERGE_REQUEST_IID": "5", "CI_MERGE_REQUEST_PROJECT_ID": "42", "CI_PROJECT_ID": "43" if fork else "42",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "43" if fork else "42", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_MERGE_REQUEST_PROJECT_URL": str(self.origin).removesuffix(".git"), "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": branch,
            "CI_PROJECT_PATH": "o/r", "CI_SERVER_URL": "https://gitlab.example", "CI_API_V4_URL": self.forge.url, "MTP_REMOTE": "origin",
            "MTP_GITLAB_TOKEN": token, "MTP_MODE": mode, "MTP_OUT": self.out, **more, **stub(), **(env or {})})
        self.log = done.stdout + done.stderr
        self.assertNotIn("s3cret", self.log)
        return done

    def test_commit_pushes_and_is_idempotent_with_merged_results_and_without(self):
        for merged in [True, False]:
            name = f"change-{merged}"
            head = self.branch(name)
            self.job(name, merged=merged)
            pushed = self.at(name)
            self.assertNotEqual(pushed, head)
            self.check_is_up_to_date(pushed)
            self.job(name, merged=merged)
            self.assertEqual(self.at(name), pushed)
            self.assertEqual(len(self.forge.comments), 1)

    def test_check_forks_trains_and_jobs_without_token_write_nothing(self):
        self.branch()
        before = self.refs()
        self.job("change", "check", code=1)
        self.assertIn("stale", self.forge.bodies()[0])
        self.job("change", "check", merged=False, code=1)
        self.job("change", fork=True, token="", code=1, merged=False)
        self.assertIn("a fork's merge request", self.log)
        self.assertIn("no comment was posted: there is no token", self.log)
        self.job("change", train=True, code=1)
        self.job("change", token="", code=1)
        self.assertEqual(self.refs(), before)

    def conflict(self, by_hand):
        """Two branches that change one tenant: in other lines, or in one."""
        world.git(self.work, "checkout", "--quiet", "--detach", "refs/heads/main")
        path = self.work / "tenants/acme.yaml"
        text = path.read_text()
        (self.work / ".gitattributes").write_text("")
        self.commit()
        self.push("main")
        base = self.at("main")
        path.write_text(text.replace("tier: pro", "tier: enterprise"))
        self.render()
        self.commit()
        self.push("main")
        world.git(self.work, "checkout", "--quiet", "--detach", base)
        path.write_text(text.replace("tier: pro", "tier: free") if by_hand else text + "  viewers: [v@acme.example]\n" + "  quota:\n    pods: 9\n")
        self.render()
        head = self.commit()
        self.push("change")
        return head

    def test_a_conflict_in_rendered_alone_is_settled(self):
        head = self.conflict(by_hand=False)
        self.assertEqual(world.run(world.REVIEW / "merge", "origin/main", head, cwd=self.work, code=1).stdout.split()[0][:9], "rendered/")
        self.job("change", merged=False)
        pushed = self.at("change")
        self.assertEqual(world.git(self.origin, "rev-parse", f"{pushed}^1", f"{pushed}^2").split(), [head, self.at("main")])
        self.check_is_up_to_date(pushed)
        self.assertNotIn("<<<<<<<", world.git(self.origin, "grep", "-h", "pods", pushed))

    def test_a_conflict_in_tenants_is_for_people(self):
        self.conflict(by_hand=True)
        before = self.refs()
        for mode in ["commit", "check"]:
            self.job("change", mode, merged=False, code=1)
            self.assertIn("tenants/acme.yaml", self.log)
        self.assertEqual(self.refs(), before)

    @unittest.skipUnless(shutil.which("busybox"), "busybox is not installed")
    def test_the_programs_of_busybox_are_enough(self):
        # The template's image is Alpine.
        programs = self.folder / "programs"
        programs.mkdir()
        for name in world.run("busybox", "--list", cwd=self.folder).stdout.split():
            (programs / name).symlink_to(shutil.which("busybox"))
        for name in ["bash", "git", "jq", "curl"]:
            (programs / name).unlink(missing_ok=True)
            (programs / name).symlink_to(shutil.which(name))
        env = {"PATH": str(programs)}
        self.branch()
        self.forge.faults = [("GET", "notes", 500, {}, False), ("POST", "notes", 500, {}, True)]
        self.job("change", env=env, merged=False)
        self.check_is_up_to_date(self.at("change"))
        self.job("change", env={**env, **stub(exit=2)}, code=2)
        self.assertIn("could not be reviewed", self.forge.bodies()[0])
        self.forge.read_only = True
        self.job("change", env={**env, **stub(body="x")})
        self.assertIn("403 (Resource not accessible", self.log)

    def test_verdicts_are_exit_codes_and_notes(self):
        self.branch(render=True)
        self.job("change", code=1, env=stub(exit=1, parts=2))
        self.assertEqual(len(self.forge.comments), 2)
        self.job("change", code=2, env=stub(exit=2))
        self.assertEqual(len(self.forge.comments), 1)
        self.assertIn("could not be reviewed", self.forge.bodies()[0])

    def test_hostile_names_of_branches(self):
        head = self.branch()
        for name in ["$(touch${IFS}pwned);`touch${IFS}pwned`", "--mirror"]:
            world.git(self.origin, "update-ref", f"refs/heads/{name}", head)
            self.job(name, merged=False)
            self.assertNotEqual(self.at(name), head)
        self.assertFalse(list(self.folder.rglob("pwned")))

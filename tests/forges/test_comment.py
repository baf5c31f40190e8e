"""One review on a pull request, edited in place, whatever the forge answers."""
import forge as forges
import world


class Both:
    """Holds on GitHub and on GitLab."""

    def setUp(self):
        super().setUp()
        self.forge = forges.Forge(self.kind, page=3)
        self.addCleanup(self.forge.close)
        self.review = self.folder / "review.md"
        # Pauses are noted instead of made, command lines noted as well.
        self.shim("sleep", f'echo "$@" >>{self.folder}/slept')
        self.path = self.shim("curl", f'printf "%s\\n" "$@" >>{self.folder}/curl; exec "$real" "$@"')

    def write(self, *parts, name="k8s-mtp"):
        for old in self.folder.glob("review.md*"):
            old.unlink()
        bodies = []
        for number, text in enumerate(parts, 1):
            bodies.append(f"<!-- mtp-diff {name}/{number} -->\n{text}\n")
            path = self.review if number == 1 else self.folder / f"review.md.{number}"
            path.write_text(bodies[-1])
        return bodies

    def post(self, *arguments, code=0, token="s3cret-token"):
        self.forge.requests.clear()
        done = world.run(world.REVIEW / "comment", *arguments, self.review, cwd=self.folder, code=code, env={
            "PATH": self.path, "MTP_FORGE": self.kind, "MTP_TOKEN": token, "MTP_PULL": "5", "GITHUB_API_URL": self.forge.url,
            "GITHUB_REPOSITORY": "o/r", "CI_API_V4_URL": self.forge.url, "CI_PROJECT_ID": "42"})
        self.assertNotIn("s3cret", done.stdout + done.stderr)
        if (self.folder / "curl").exists():
            self.assertNotIn("s3cret", (self.folder / "curl").read_text())
        return done

    def slept(self):
        path = self.folder / "slept"
        return path.read_text().split() if path.exists() else []

    def test_is_created_then_left_alone_then_edited(self):
        bodies = self.write("one")
        self.post()
        self.assertEqual(self.forge.bodies(), bodies)
        self.post()
        self.assertEqual(self.forge.made(), [], "nothing changed, so nothing is sent")
        bodies = self.write("two")
        self.post()
        self.assertEqual(self.forge.bodies(), bodies)
        self.assertEqual([m for m, _ in self.forge.made()], [self.edit])
        self.assertEqual(len(self.forge.comments), 1)

    def test_bodies_are_never_on_a_command_line(self):
        self.write("in a file")
        self.post()
        self.assertNotIn("in a file", (self.folder / "curl").read_text())

    def test_grows_and_shrinks(self):
        for parts in [1, 4, 2]:
            bodies = self.write(*[f"part {n} of {parts}" for n in range(parts)])
            self.post()
            self.assertEqual(self.forge.bodies(), bodies)

    def test_large_and_strange_text_arrives_as_it_is(self):
        text = "`$(id)` \\ \" ' \u202e ü 🙂 {{x}} %s\n" * 1200
        bodies = self.write(text)
        self.post()
        self.assertEqual(self.forge.bodies(), bodies)

    def test_is_found_on_a_later_page(self):
        for n in range(7):
            self.forge.add(f"talk {n}", forges.OTHER[self.kind])
        self.forge.add("<!-- mtp-diff k8s-mtp/1 -->\nold")
        for n in range(4):
            self.forge.add(f"more talk {n}", forges.OTHER[self.kind])
        bodies = self.write("new")
        self.post()
        self.assertEqual(self.forge.bodies(), bodies)
        self.assertEqual(len(self.forge.comments), 12)

    def test_somebody_elses_comment_with_our_marker_is_text(self):
        self.forge.add("<!-- mtp-diff k8s-mtp/1 -->\nall is well", forges.OTHER[self.kind])
        bodies = self.write("denied")
        self.post()
        self.post()
        self.assertEqual(self.forge.bodies(forges.OTHER[self.kind]), ["<!-- mtp-diff k8s-mtp/1 -->\nall is well"])
        self.assertEqual(self.forge.bodies(), bodies)

    def test_our_comments_without_the_marker_in_the_first_line_are_left_alone(self):
        mine = ["see <!-- mtp-diff k8s-mtp/1 -->", "> quoted\n<!-- mtp-diff k8s-mtp/1 -->", "<!-- mtp-diff other/1 -->\nanother root",
                "<!-- mtp-diff k8s-mtp/1 --> x", ""]
        for body in mine:
            self.forge.add(body)
        bodies = self.write("new")
        self.post()
        self.assertEqual(self.forge.bodies(), mine + bodies)

    def test_other_line_ends_are_no_difference(self):
        self.forge.add("<!-- mtp-diff k8s-mtp/1 -->\r\none\r\ntwo")
        self.write("one\ntwo")
        self.post()
        self.assertEqual(self.forge.made(), [])

    def test_two_reviews_become_one(self):
        self.forge.add("<!-- mtp-diff k8s-mtp/1 -->\na")
        self.forge.add("<!-- mtp-diff k8s-mtp/1 -->\nb")
        bodies = self.write("new")
        self.post()
        self.assertEqual(self.forge.bodies(), bodies)

    def test_nothing_is_begun_where_nothing_changes(self):
        self.write("no changes")
        self.assertIn("none is begun", self.post("--unchanged").stderr)
        self.assertEqual(self.forge.comments, [])
        self.forge.add("<!-- mtp-diff k8s-mtp/1 -->\nold")
        self.forge.add("<!-- mtp-diff k8s-mtp/2 -->\nold")
        bodies = self.write("no changes")
        self.post("--unchanged")
        self.assertEqual(self.forge.bodies(), bodies)

    def test_a_broken_server_is_asked_again(self):
        self.forge.add("<!-- mtp-diff k8s-mtp/1 -->\nold")
        self.forge.faults = [("GET", "page=1", 500, {}, False), ("GET", "page=1", 502, {}, False), (self.edit, ".", 503, {}, False)]
        bodies = self.write("new")
        self.post()
        self.assertEqual(self.forge.bodies(), bodies)
        self.assertEqual(len(self.slept()), 3)

    def test_retry_after_is_obeyed_within_bounds(self):
        self.forge.faults = [("GET", "page=1", 429, {"Retry-After": "7"}, False), ("GET", "page=1", 429, {"Retry-After": "86400"}, False),
                             ("POST", "comments|notes", 429, {"Retry-After": "3"}, False),
                             ("GET", "page=1", 429, {"Retry-After": "$(touch x)"}, False)]
        bodies = self.write("new")
        self.post()
        self.assertEqual(self.forge.bodies(), bodies)
        self.assertEqual(self.slept()[:2], ["7", "60"])
        self.assertIn("3", self.slept())
        self.assertFalse((self.folder / "x").exists())

    def test_a_comment_that_was_made_though_the_answer_was_500_is_not_made_twice(self):
        self.forge.faults = [("POST", "comments|notes", 500, {}, True)]
        bodies = self.write("one", "two")
        self.post()
        self.assertEqual(self.forge.bodies(), bodies)

    def test_a_server_that_stays_broken_ends_it(self):
        self.forge.faults = [("GET", "page=1", 500, {}, False)] * 50
        self.write("new")
        self.assertIn("not posted", self.post(code=1).stderr)
        self.assertLess(len(self.forge.requests), 10)
        self.forge.faults = [("POST", "comments|notes", 500, {}, False)] * 50
        self.assertIn("posting answered 500", self.post(code=1).stderr)
        self.assertLess(len(self.forge.made("POST")), 10)

    def test_a_server_that_is_not_there_ends_it(self):
        self.forge.close()
        self.write("new")
        self.post(code=1)

    def test_not_being_allowed_is_said_and_is_no_failure(self):
        self.forge.read_only = True
        self.write("new")
        self.assertIn("not allowed to comment: 403 (Resource not accessible", self.post().stderr)
        self.assertEqual(self.forge.comments, [])
        self.assertEqual(self.slept(), [])
        self.assertIn("not allowed", self.post(token="wrong").stderr)

    def test_a_comment_that_somebody_deletes_meanwhile_is_made_anew(self):
        old = self.forge.add("<!-- mtp-diff k8s-mtp/1 -->\nold")
        self.forge.faults = [(self.edit, str(old["id"]), 404, {}, False)]
        bodies = self.write("new")
        self.post()
        self.assertEqual(self.forge.bodies(), bodies)

    def test_what_is_no_review_is_not_posted(self):
        self.review.write_text("hello\n")
        self.post(code=2)
        self.assertEqual(self.forge.requests, [])

    def test_a_list_that_cannot_be_read_makes_no_second_review(self):
        self.forge.work = lambda *_: (200, b"<html>", {})
        self.write("new")
        self.post(code=1)
        self.assertEqual(self.forge.made(), [])


class GitHub(Both, world.Case):
    kind, edit = "github", "PATCH"

    def test_the_secondary_limit_is_no_refusal(self):
        self.forge.faults = [("POST", "comments", 403, {"Retry-After": "2"}, False)]
        bodies = self.write("new")
        self.post()
        self.assertEqual(self.forge.bodies(), bodies)
        self.assertEqual(self.slept(), ["2"])

    def test_where_nobody_tells_who_we_are_a_bots_comment_is_ours_and_a_persons_is_not(self):
        self.forge.knows_viewer = False
        self.forge.add("<!-- mtp-diff k8s-mtp/1 -->\nno", forges.OTHER["github"])
        self.forge.add("<!-- mtp-diff k8s-mtp/1 -->\nold")
        bodies = self.write("new")
        self.post()
        self.assertEqual(self.forge.bodies(), bodies)
        self.assertEqual(len(self.forge.comments), 2)

    def test_the_status_of_a_commit(self):
        for code, state in [(0, "success"), (1, "failure"), (2, "error")]:
            self.forge.faults = [("POST", "statuses", 502, {}, False)]
            world.run(world.TOP / "ci/github/status", "abc", code, cwd=self.folder, env={
                "PATH": self.path, "MTP_TOKEN": "s3cret-token", "GITHUB_API_URL": self.forge.url, "GITHUB_REPOSITORY": "o/r", "GITHUB_JOB": "mtp"})
            self.assertEqual(self.forge.statuses[-1][1]["state"], state)
            self.assertEqual(self.forge.statuses[-1][1]["context"], "mtp")
        self.forge.read_only = True
        done = world.run(world.TOP / "ci/github/status", "abc", 0, cwd=self.folder, code=1, env={
            "PATH": self.path, "MTP_TOKEN": "s3cret-token", "GITHUB_API_URL": self.forge.url, "GITHUB_REPOSITORY": "o/r"})
        self.assertIn("statuses: write", done.stderr)


class GitLab(Both, world.Case):
    kind, edit = "gitlab", "PUT"

    def test_no_line_is_a_command_of_whoever_posts(self):
        self.write("text\n/merge\n/approve\n  /close\npath /x\n/")
        self.post()
        body = self.forge.bodies()[0]
        self.assertNotIn("\n/", body)
        self.assertIn("\u2060/merge", body)
        self.assertIn("path /x", body)
        self.post()
        self.assertEqual(self.forge.made(), [])

    def test_notes_of_the_system_are_left_alone(self):
        note = self.forge.add("<!-- mtp-diff k8s-mtp/1 -->\nx")
        note["system"] = True
        self.write("new")
        self.post()
        self.assertEqual(note["body"], "<!-- mtp-diff k8s-mtp/1 -->\nx")

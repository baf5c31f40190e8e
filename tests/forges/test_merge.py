"""Two changes are merged as the README says: its own lines are run."""
import re

import world


def recipe():
    """The commands under `Merge two changes`."""
    section = re.search(r"^### Merge two changes\n(.*?)^##", (world.TOP / "README.md").read_text(), re.M | re.S).group(1)
    return re.search(r"```sh\n(.*?)```", section, re.S).group(1)


class Merge(world.Case):
    def setUp(self):
        super().setUp()
        self.world()
        self.mtp = self.shim("mtp", f'exec {world.MTP} "$@"')

    def change(self, branch, start, edit, render=True):
        world.git(self.work, "checkout", "--quiet", "-B", branch, start)
        edit()
        if render:
            self.render()
        head = self.commit(branch)
        self.push(branch)
        return head

    def edit(self, path, old, new):
        def work():
            file = self.work / path
            text = file.read_text()
            self.assertIn(old, text)
            file.write_text(text.replace(old, new))
        return work

    def merge_by_hand(self, first, second, conflicts):
        """`second` is merged after `first` has become main."""
        world.git(self.work, "push", "--quiet", "--force", "origin", f"{first}:refs/heads/main")
        world.git(self.work, "fetch", "--quiet")
        world.git(self.work, "checkout", "--quiet", second)
        lines = [line for line in recipe().splitlines() if line.strip()]
        self.assertEqual(len(lines), 3)
        done = world.run("sh", "-c", lines[0], cwd=self.work, code=None, env={"PATH": self.mtp})
        unmerged = world.git(self.work, "diff", "--name-only", "--diff-filter=U").splitlines()
        self.assertEqual(bool(unmerged), conflicts, done.stdout)
        self.assertTrue(all(path.startswith("rendered/") for path in unmerged), unmerged)
        self.conflicted = "".join((self.work / path).read_text() for path in unmerged if (self.work / path).exists())
        for line in lines[1:]:
            world.run("sh", "-c", line, cwd=self.work, env={"PATH": self.mtp})
        self.assertEqual(world.git(self.work, "status", "--porcelain"), "")
        world.run(world.MTP, "render", "--check", cwd=self.work)
        self.assertEqual(world.git(self.work, "rev-parse", "HEAD^1", "HEAD^2").split(), [self.at(second), self.at("main")])
        # As a pull request, it merges without a conflict then.
        world.run(world.REVIEW / "merge", "origin/main", "HEAD", cwd=self.work)
        return unmerged

    def both(self, first, second, conflicts, attributes=True):
        base = self.at("main")
        if not attributes:
            (self.work / ".gitattributes").unlink()
            base = self.commit("no attributes")
        self.change("first", base, first)
        self.change("second", base, second)
        return self.merge_by_hand("first", "second", conflicts)

    def test_two_tenants(self):
        self.both(lambda: self.tenant("globex"), lambda: self.tenant("initech"), conflicts=False)

    def test_a_tier_and_a_new_tenant_of_it(self):
        self.both(self.edit("tenants/tiers/free.yaml", "pods: 20", "pods: 21"), lambda: self.tenant("globex"), conflicts=False)
        self.assertIn('pods: "21"', world.git(self.work, "grep", "-h", "pods", "HEAD", "--", "rendered/tenants/globex"))

    def test_rendered_conflicts_without_markers(self):
        # One changes the tier's ceiling, the other the tenant's own: tenants/ merges, its quota file does not.
        tier = self.edit("tenants/tiers/pro.yaml", "pods: 100", "pods: 90")
        tenant = self.edit("tenants/acme.yaml", "tier: pro\n", "tier: pro\n  quota:\n    pods: 50\n")
        unmerged = self.both(tier, tenant, conflicts=True)
        self.assertTrue(any("resourcequota" in path for path in unmerged), unmerged)
        self.assertNotIn("<<<<<<<", self.conflicted)
        self.assertIn('pods: "50"', world.git(self.work, "grep", "-h", "pods", "HEAD", "--", "rendered/tenants/acme"))

    def test_rendered_conflicts_with_markers(self):
        tier = self.edit("tenants/tiers/pro.yaml", "pods: 100", "pods: 90")
        tenant = self.edit("tenants/acme.yaml", "tier: pro\n", "tier: pro\n  quota:\n    pods: 50\n")
        self.both(tier, tenant, conflicts=True, attributes=False)
        self.assertIn("<<<<<<<", self.conflicted)
        self.assertEqual(world.git(self.work, "grep", "-l", "<<<<<<<", "HEAD", code=1), "")

    def test_one_takes_a_file_away_that_the_other_changes(self):
        internet = self.edit("tenants/acme.yaml", "tier: pro\n", "tier: pro\n  egress:\n    internet: true\n")
        self.change("main", "main", internet)
        off = self.edit("tenants/acme.yaml", "internet: true", "internet: false")

        def cidr():
            file = self.work / "tenants/platform.yaml"
            file.write_text(re.sub(r"^(  network:\n)", r"\1    nodeCidrs: [203.0.114.0/24]\n", file.read_text(), flags=re.M))
        self.both(off, cidr, conflicts=True)

    def test_a_conflict_in_tenants_is_refused_until_settled(self):
        base = self.at("main")
        self.change("first", base, self.edit("tenants/acme.yaml", "tier: pro", "tier: free"))
        self.change("second", base, self.edit("tenants/acme.yaml", "tier: pro", "tier: enterprise"))
        world.git(self.work, "merge", "--no-commit", "first", code=1)
        self.assertIn("tenants/acme.yaml:", self.render(code=2).stderr)
        (self.work / "tenants/acme.yaml").write_text(world.TENANT.format(name="acme", tier="free"))
        self.render()
        world.git(self.work, "add", "tenants", "rendered")
        world.git(self.work, "commit", "--no-edit")
        world.run(world.MTP, "render", "--check", cwd=self.work)

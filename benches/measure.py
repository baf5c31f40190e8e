"""Runs mtp beside cp, diff and helm on the same tenants and prints how they compare. `ci/bench` sets the environment."""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import time

NAMES = ("MTP", "FLEET", "WEBHOOK", "LINT", "HELM", "PYTHON", "WORK", "CHART", "ONLY")
MTP, FLEET, WEBHOOK, LINT, HELM, PYTHON, WORK, CHART, ONLY = (os.environ[n] for n in NAMES)
TENANTS, RUNS, FULL = int(os.environ["TENANTS"]), int(os.environ["RUNS"]), bool(os.environ["FULL"])
ROWS = []


def run(*command, codes=(0,), out=subprocess.DEVNULL):
    """Seconds that a command takes."""
    start = time.perf_counter()
    done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE)
    seconds = time.perf_counter() - start
    if done.returncode not in codes:
        sys.exit(f"{command} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    return seconds


def peak(*command):
    """Peak of resident memory of one command, in bytes."""
    script = "import resource,subprocess,sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True); " \
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    return int(subprocess.check_output([sys.executable, "-c", script, *command])) * 1024


def size(folder):
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)


def count(folder):
    return sum(len(names) for _, _, names in os.walk(folder))


def row(what, ratio, target, detail):
    verdict = "ok" if ratio <= target else "OVER"
    ROWS.append(f"{what:<58} {ratio:7.2f}  <= {target:<5} {verdict:<5} {detail}")
    print(ROWS[-1], flush=True)


def median(values):
    return statistics.median(values)


def folder(name):
    return os.path.join(WORK, name)


def generate(name, tenants, layout):
    run(FLEET, "generate", str(tenants), folder(name), layout)
    return folder(name)


def layouts():
    for layout in ("object", "namespace"):
        # First render into an empty folder, in turns with a copy of the result.
        ours, copies = [], []
        for turn in range(RUNS):
            root = generate(f"{layout}-{turn}", TENANTS, layout)
            os.sync()
            ours.append(run(MTP, "render", "--quiet", "--root", root))
            os.sync()
            copies.append(run("cp", "-r", f"{root}/rendered", f"{root}/copy"))
            os.sync()
        bytes_, files = size(f"{root}/rendered"), count(f"{root}/rendered")
        row(f"{layout}: first render / cp -r", median(ours) / median(copies), 1,
            f"{median(ours):.2f} s / {median(copies):.2f} s; {files} files, {bytes_ / 1e6:.0f} MB")

        again, checks, changed, diffs = [], [], [], []
        for turn in range(RUNS + 1):
            diffs.append(run("diff", "-rq", f"{root}/rendered", f"{root}/copy", codes=(0, 1)))
            again.append(run(MTP, "render", "--quiet", "--root", root))
            checks.append(run(MTP, "render", "--check", "--quiet", "--root", root))
            run(FLEET, "change", str(TENANTS), root, str(turn + 1))
            changed.append(run(MTP, "render", "--quiet", "--root", root))
        # The first turn warms the page cache.
        diff = median(diffs[1:])
        for what, times in (("render again", again), ("render --check", checks), ("render, 1 % changed", changed)):
            row(f"{layout}: {what} / diff -rq", median(times[1:]) / diff, 0.5, f"{median(times[1:]):.2f} s / {diff:.2f} s")
        row(f"{layout}: peak memory / output", peak(MTP, "render", "--quiet", "--root", root) / bytes_, 4, "")
        if layout == "namespace":
            helm(again[1:])


def values(tenants):
    path = folder(f"values-{tenants}.json")
    with open(path, "wb") as out:
        subprocess.run([FLEET, "values", str(tenants)], stdout=out, check=True)
    return path


def same(tenants):
    """The chart must make the same objects, or comparing with it means nothing."""
    root = generate("same", tenants, "namespace")
    run(MTP, "render", "--quiet", "--root", root)
    theirs = folder("same.yaml")
    with open(theirs, "wb") as out:
        run(HELM, "template", "fleet", CHART, "--values", values(tenants), out=out)
    same = os.path.join(os.path.dirname(__file__), "same.py")
    subprocess.run([PYTHON, same, f"{root}/rendered/tenants", theirs], check=True)


def helm(ours):
    path = values(TENANTS)
    theirs = [run(HELM, "template", "fleet", CHART, "--values", path) for _ in range(min(RUNS, 2))]
    row("namespace: render / helm template", median(ours) / median(theirs), 0.1,
        f"{median(ours):.2f} s / {median(theirs):.2f} s")


def linear():
    for layout in ("object", "namespace"):
        each = {}
        for tenants in (100, 1000, 10000):
            root = generate(f"linear-{layout}-{tenants}", tenants, layout)
            run(MTP, "render", "--quiet", "--root", root)
            each[tenants] = median(run(MTP, "render", "--quiet", "--root", root) for _ in range(3)) / tenants
        row(f"{layout}: time a tenant, 10,000 / 1,000", each[10000] / each[1000], 1.5,
            ", ".join(f"{n}: {seconds * 1e6:.0f} us" for n, seconds in each.items()))
    memory = {}
    for tenants in (100, 1000, 10000) + ((100000,) if FULL else ()):
        outputs = [subprocess.check_output([FLEET, "memory", str(tenants), "namespace"]).split() for _ in range(3)]
        memory[tenants] = median(float(o[0]) for o in outputs) / tenants
    most = max(memory)
    row(f"in memory: time a tenant, {most:,} / 1,000", memory[most] / memory[1000], 1.5,
        ", ".join(f"{n}: {seconds * 1e6:.0f} us" for n, seconds in memory.items()))
    if FULL:
        root = generate("linear-full", 100000, "namespace")
        run(MTP, "render", "--quiet", "--root", root)
        # Two gigabytes were written just now: the disk must not be at it any more.
        os.sync()
        again = median(run(MTP, "render", "--quiet", "--root", root) for _ in range(3)) / 100000
        row("namespace: time a tenant, 100,000 / 10,000", again / each[10000], 1.5, f"{again * 1e6:.0f} us")


def webhook():
    """Answers a second, and how long they take, next to an empty handler of the same server."""
    os.makedirs(folder("webhook"))
    said = subprocess.check_output([WEBHOOK, MTP, folder("webhook"), os.environ.get("SECONDS_EACH", "5")], text=True)
    for line in said.splitlines():
        what, *figures = line.split()
        figures = [float(figure) for figure in figures]
        if what == "process":
            print(f"webhook: {figures[0]:,.0f} verdicts a second in process, one core, bodies of {figures[1]:.0f} bytes")
        elif what == "handshakes":
            print(f"webhook: {figures[0]:,.0f} new connections a second")
        elif what == "idle":
            row("webhook: idle memory, MiB", figures[0] / 1024, 40, f"{figures[1]:,.0f} namespaces known")
        elif what == "tls":
            count, ours, p50, p99, empty, empty50, empty99 = figures
            row(f"webhook: {count:.0f} connections, empty / ours a second", empty / ours, 1.43,
                f"{empty:,.0f} / {ours:,.0f}")
            row(f"webhook: {count:.0f} connections, p99 of ours / empty", p99 / empty99, 1.5,
                f"{p99:.0f} us / {empty99:.0f} us; p50 {p50:.0f} us / {empty50:.0f} us")


def review():
    """`mtp diff` of a change that touches every tenant, beside one render of the same."""
    for layout in ("object", "namespace"):
        root = generate(f"review-{layout}", TENANTS, layout)
        run(MTP, "render", "--quiet", "--root", root)
        git = ("git", "-C", root, "-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "-c", "gc.auto=0")
        for command in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "one"), ("gc", "--quiet")):
            run(*git, *command)
        for what, edit in (("no change", None), ("every tenant touched", ("level: restricted", "level: baseline"))):
            if edit:
                platform = os.path.join(root, "tenants/platform.yaml")
                with open(platform, encoding="utf-8") as file:
                    text = file.read()
                assert edit[0] in text
                with open(platform, "w", encoding="utf-8") as file:
                    file.write(text.replace(*edit))
            renders, diffs = [], []
            for _ in range(RUNS + 1):
                renders.append(run(MTP, "render", "--check", "--quiet", "--root", root, codes=(0, 1)))
                diffs.append(run(MTP, "diff", "--output", "summary", "--root", root, codes=(0, 1)))
            render, diff = median(renders[1:]), median(diffs[1:])
            row(f"{layout}: diff, {what} / render --check", diff / render, 3, f"{diff:.2f} s / {render:.2f} s")


def lint():
    """The rules beside the reading of the same 20 MB, in one process: files are in memory."""
    root = generate("lint", 1000, "object")
    run(MTP, "render", "--quiet", "--root", root)
    parse, lint, size, objects = subprocess.check_output([LINT, os.path.join(root, "rendered"), str(RUNS)]).split()
    detail = f"{float(lint):.2f} s / {float(parse):.2f} s; {int(objects)} objects, {int(size) / 1e6:.0f} MB"
    row("lint / reading the same files", float(lint) / float(parse), 2, detail)
    row("lint, with files and report, / reading", run(MTP, "lint", os.path.join(root, "rendered")) / float(parse), 4, "")


def start():
    run(MTP, "--version")
    times = [run(MTP, "--version") for _ in range(200)]
    nothing = [run("/bin/true") for _ in range(200)]
    row("mtp --version, ms (process start included)", median(times) * 1000, 5, f"/bin/true: {median(nothing) * 1000:.1f} ms")


filesystem = subprocess.check_output(["stat", "-f", "-c", "%T", WORK]).decode().strip()
print(f"{os.cpu_count()} CPUs, {filesystem}, {TENANTS} tenants, medians of {RUNS} runs in turns\n")
if not ONLY:
    same(500)
    start()
    layouts()
    linear()
if ONLY in ("", "review"):
    review()
if ONLY in ("", "lint"):
    lint()
if ONLY in ("", "webhook"):
    webhook()
shutil.rmtree(WORK, ignore_errors=True)
print("\n" + "\n".join(ROWS))

"""A server that plays the comments of GitHub and GitLab as the scripts see them, faults included, and records what it is asked."""
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

ME = {"github": {"login": "github-actions[bot]", "type": "Bot"}, "gitlab": {"id": 7}}
OTHER = {"github": {"login": "mallory", "type": "User"}, "gitlab": {"id": 666}}


class Forge:
    """`faults` is a list of (method, pattern, code, headers, done): each is used once; `done`: the work is done all the same."""

    def __init__(self, kind, page=100):
        self.kind, self.page = kind, page
        self.comments, self.requests, self.faults, self.statuses, self.files = [], [], [], [], {}
        self.number, self.read_only, self.knows_viewer = 100, False, True
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def handle_any(self):
                forge.answer(self)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def add(self, body, author=None):
        self.number += 1
        who = "user" if self.kind == "github" else "author"
        comment = {"id": self.number, "body": body, who: author or ME[self.kind]}
        if self.kind == "gitlab":
            comment["system"] = False
        self.comments.append(comment)
        return comment

    def bodies(self, author=None):
        who = "user" if self.kind == "github" else "author"
        return [c["body"] for c in self.comments if c[who] == (author or ME[self.kind])]

    def made(self, *methods):
        """Requests that changed, or tried to change, comments."""
        return [(m, p) for m, p, *_ in self.requests if m in (methods or ("POST", "PATCH", "PUT", "DELETE")) and "graphql" not in p and "statuses" not in p]

    def answer(self, http):
        length = int(http.headers.get("content-length") or 0)
        sent = http.rfile.read(length)
        self.requests.append((http.command, http.path, dict(http.headers), sent))
        fault = None
        for i, (method, pattern, *_) in enumerate(self.faults):
            if method == http.command and re.search(pattern, http.path):
                fault = self.faults.pop(i)
                break
        code, value, headers = self.work(http, sent) if not fault or fault[4] else (0, {}, {})
        if fault:
            code, value, headers = fault[2], {"message": "broken, on purpose"}, fault[3]
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        http.send_response(code)
        for name, text in headers.items():
            http.send_header(name, text)
        http.send_header("content-length", str(len(body)))
        http.end_headers()
        http.wfile.write(body)

    def work(self, http, sent):
        url = urlparse(http.path)
        if url.path in self.files:
            return 200, self.files[url.path], {}
        token = http.headers.get("authorization") if self.kind == "github" else http.headers.get("private-token")
        if token not in ("Bearer s3cret-token", "s3cret-token"):
            return 401, {"message": "Bad credentials"}, {"www-authenticate": "Basic"}
        if url.path == "/graphql":
            return (200, {"data": {"viewer": {"login": ME["github"]["login"]}}}, {}) if self.knows_viewer else (403, {}, {})
        if url.path == "/user":
            return 200, ME["gitlab"], {}
        if self.read_only and http.command != "GET":
            return 403, {"message": "Resource not accessible by integration"}, {}
        if "/statuses/" in url.path:
            self.statuses.append((url.path.rsplit("/", 1)[1], json.loads(sent)))
            return 201, {}, {}
        one = re.fullmatch(r"/repos/o/r/issues/comments/(\d+)|/projects/42/merge_requests/5/notes/(\d+)", url.path)
        if one:
            found = [c for c in self.comments if c["id"] == int(one.group(1) or one.group(2))]
            if not found:
                return 404, {"message": "Not Found"}, {}
            if http.command == "DELETE":
                self.comments.remove(found[0])
                return 204, b"", {}
            if http.command != ("PATCH" if self.kind == "github" else "PUT"):
                return 405, {}, {}
            found[0]["body"] = json.loads(sent)["body"]
            return 200, found[0], {}
        if url.path not in ("/repos/o/r/issues/5/comments", "/projects/42/merge_requests/5/notes"):
            return 404, {"message": "Not Found"}, {}
        if http.command == "POST":
            body = json.loads(sent)["body"]
            return 201, self.add(body), {}
        query = parse_qs(url.query)
        size, page = min(self.page, int(query["per_page"][0])), int(query["page"][0])
        more = len(self.comments) > size * page
        headers = {"Link": f'<{self.url}{url.path}?page={page + 1}>; rel="next"'} if more else {}
        return 200, self.comments[size * (page - 1):size * page], headers

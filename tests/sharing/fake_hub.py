"""A hub of one repository in this process, which speaks what huggingface_hub asks for."""

import base64
import contextlib
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

NAME = "user/name"


class FakeHub(ThreadingHTTPServer):
    """Serves the files of each branch; `sent` are the paths that were asked to be changed."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.branches, self.sent, self.token = {}, [], "hf_token"

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def commit(self, branch):
        """The name of a commit, which follows from its files."""
        files = sorted(self.branches[branch].items())
        return hashlib.sha1(repr(files).encode()).hexdigest()

    def files(self, revision):
        """The files of a branch or of a commit."""
        found = [branch for branch in self.branches if revision in (branch, self.commit(branch))]
        return self.branches[found[0]] if found else None


@contextlib.contextmanager
def running():
    hub = FakeHub()
    thread = threading.Thread(target=hub.serve_forever, args=(0.01,))
    thread.start()
    yield hub
    hub.shutdown()
    thread.join()
    hub.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, hub = urlsplit(self.path).path, self.server
        if path.startswith(f"/{NAME}/resolve/"):
            revision, name = path.removeprefix(f"/{NAME}/resolve/").split("/", 1)
            content = hub.files(revision)[name]
            etag = hashlib.sha1(content).hexdigest()
            return self.answer(content, ETag=f'"{etag}"', **{"X-Repo-Commit": revision})
        kind, _, revision = path.removeprefix(f"/api/models/{NAME}/").partition("/")
        if hub.files(revision) is None:
            error = "RevisionNotFound" if f"/{NAME}/" in path else "RepoNotFound"
            return self.answer({}, 404, **{"X-Error-Code": error})
        if kind == "revision":
            return self.answer({"id": NAME, "sha": hub.commit(revision), "siblings": []})
        return self.answer(
            [
                {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
                for name, content in hub.files(revision).items()
            ]
        )

    def do_HEAD(self):
        self.do_GET()

    def do_POST(self):
        path, hub, body = urlsplit(self.path).path, self.server, self.body()
        if self.headers["Authorization"] != f"Bearer {hub.token}":
            return self.answer({"error": "Invalid username or password."}, 401)
        if path == "/api/repos/create":
            hub.sent.append(json.loads(body))
            hub.branches.setdefault("main", {})
            return self.answer({"url": f"{hub.address}/{NAME}"})
        if path == "/api/validate-yaml":
            return self.answer({"errors": [], "warnings": []})
        kind, branch = path.removeprefix(f"/api/models/{NAME}/").split("/")
        if kind == "branch":
            hub.branches.setdefault(branch, dict(hub.branches["main"]))
        if kind == "preupload":
            names = [file["path"] for file in json.loads(body)["files"]]
            regular = {"uploadMode": "regular", "shouldIgnore": False}
            return self.answer({"files": [{"path": name, **regular} for name in names]})
        for line in body.splitlines() if kind == "commit" else ():
            match json.loads(line):
                case {"key": "file", "value": value}:
                    hub.branches[branch][value["path"]] = base64.b64decode(value["content"])
                case {"key": "deletedFile", "value": value}:
                    del hub.branches[branch][value["path"]]
        oid = hub.commit(branch)
        return self.answer({"commitUrl": f"{hub.address}/{NAME}/commit/{oid}", "commitOid": oid})

    def body(self):
        if self.headers["Transfer-Encoding"] != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"] or 0))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def answer(self, content, status=200, **headers):
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(content)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *arguments):
        pass

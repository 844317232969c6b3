"""hub against a server of its own: downloads, resuming, checksums, mirrors, repositories."""

import contextlib
import doctest
import hashlib
import http.server
import importlib
import io
import threading
import urllib.error
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import kagari
from kagari import hub
from kagari.hub import repositories


class Server(http.server.BaseHTTPRequestHandler):
    """Serves `files`; breaks off after `stop` bytes, if that is set."""

    files: dict = {}
    stop: list = []
    asked: list = []

    def do_GET(self):
        data, tag = self.files.get(self.path, (None, None))
        if data is None:
            self.send_error(404)
            return
        start = 0
        if self.headers.get("Range") and self.headers.get("If-Range") == tag:
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            if start >= len(data):
                self.send_error(416)
                return
        Server.asked.append(start)
        self.send_response(206 if start else 200)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        end = self.stop.pop() if self.stop else len(data)
        self.wfile.write(data[start:end])

    def log_message(self, *args):
        pass


@pytest.fixture
def site():
    Server.files, Server.stop, Server.asked = {}, [], []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KAGARI_HUB_MIRROR", raising=False)
    monkeypatch.setattr(repositories, "_folder", None)
    return tmp_path


DATA = np.random.default_rng(0).integers(0, 256, 10**6, np.uint8).tobytes()
HASH = hashlib.sha256(DATA).hexdigest()


def test_an_interrupted_download_goes_on(site, folder):
    Server.files["/w.bin"] = (DATA, '"one"')
    Server.stop.append(300_000)
    target = folder / "w.bin"
    with pytest.raises(urllib.error.URLError, match="broke off after 300000 of 1000000 bytes"):
        hub.download_url_to_file(f"{site}/w.bin", str(target))
    assert not target.exists()
    hub.download_url_to_file(f"{site}/w.bin", str(target), HASH[:8])
    assert target.read_bytes() == DATA and Server.asked == [0, 300_000]
    assert sorted(path.name for path in folder.iterdir()) == ["w.bin"]


def test_a_file_that_changed_meanwhile_is_begun_anew(site, folder):
    Server.files["/w.bin"] = (DATA[::-1], '"one"')
    Server.stop.append(500_000)
    with contextlib.suppress(urllib.error.URLError):
        hub.download_url_to_file(f"{site}/w.bin", str(folder / "w"))
    Server.files["/w.bin"] = (DATA, '"two"')
    hub.download_url_to_file(f"{site}/w.bin", str(folder / "w"))
    assert (folder / "w").read_bytes() == DATA and Server.asked == [0, 0]


def test_a_complete_part_is_taken(site, folder):
    Server.files["/w.bin"] = (DATA, '"one"')
    (folder / "w.part").write_bytes(DATA)
    (folder / "w.part.from").write_text('"one"')
    hub.download_url_to_file(f"{site}/w.bin", str(folder / "w"), HASH)
    assert (folder / "w").read_bytes() == DATA


def test_wrong_checksum_and_missing_files(site, folder):
    Server.files["/w.bin"] = (DATA, '"one"')
    with pytest.raises(RuntimeError, match="invalid hash value"):
        hub.download_url_to_file(f"{site}/w.bin", str(folder / "w"), "00ff")
    assert not (folder / "w").exists() and not (folder / "w.part").read_bytes()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        hub.download_url_to_file(f"{site}/none", str(folder / "n"))
    assert not (folder / "n").exists()


def test_two_downloads_at_once(site, folder):
    Server.files["/w.bin"] = (DATA, '"one"')
    with ThreadPoolExecutor(4) as pool:
        found = [
            pool.submit(hub.download_url_to_file, f"{site}/w.bin", str(folder / "w"))
            for _ in range(8)
        ]
    assert [each.result() for each in found] == [None] * 8
    assert (folder / "w").read_bytes() == DATA


def saved():
    file = io.BytesIO()
    kagari.save({"w": kagari.arange(3)}, file)
    return file.getvalue()


def test_weights_are_kept_and_checked(site, folder, monkeypatch):
    data = saved()
    name = f"model-{hashlib.sha256(data).hexdigest()[:8]}.pt"
    Server.files[f"/{name}"] = (data, '"a"')
    for _ in range(2):
        state = hub.load_state_dict_from_url(f"{site}/{name}", check_hash=True)
    assert state["w"].tolist() == [0, 1, 2] and len(Server.asked) == 1
    assert (folder / "home" / "hub" / "checkpoints" / name).exists()
    Server.files["/model-0123abcd.pt"] = (data, '"a"')
    with pytest.raises(RuntimeError, match="invalid hash"):
        hub.load_state_dict_from_url(f"{site}/model-0123abcd.pt", check_hash=True)
    hub.set_dir(folder / "other")
    hub.load_state_dict_from_url(f"{site}/{name}", file_name="x.pt", map_location="cpu")
    assert (folder / "other" / "checkpoints" / "x.pt").exists()


def test_a_mirror_needs_no_network(folder, monkeypatch):
    mirror = folder / "mirror"
    (mirror / "weights.example" / "v1").mkdir(parents=True)
    (mirror / "weights.example" / "v1" / "a.pt").write_bytes(saved())
    (mirror / "b.pt").write_bytes(saved())
    monkeypatch.setenv("KAGARI_HUB_MIRROR", str(mirror))
    for name in ("v1/a.pt", "v2/b.pt"):
        state = hub.load_state_dict_from_url(f"https://weights.example/{name}")
        assert state["w"].tolist() == [0, 1, 2]
    with pytest.raises(RuntimeError, match=r"no file for .*/c\.pt"):
        hub.load_state_dict_from_url("https://weights.example/c.pt")
    with pytest.raises(RuntimeError, match="no file for"):
        hub.load_state_dict_from_url("https://weights.example/../../x.pt")


HUBCONF = '''
dependencies = ["math"]
import part

def model(n, scale=1.0):
    """A model."""
    return [part.ONE * scale] * n

def _hidden():
    pass
'''


def repository(where, **files):
    where.mkdir(parents=True)
    for name, text in {"hubconf.py": HUBCONF, "part.py": "ONE = 1.0"}.items():
        (where / name).write_text(files.get(name[:-3], text))
    return str(where)


def test_local_repositories(folder):
    path = repository(folder / "one")
    assert hub.load(path, "model", 2, source="local", scale=3.0) == [3.0, 3.0]
    with pytest.raises(RuntimeError, match="Cannot find callable other in hubconf; it has model"):
        hub.load(path, "other", source="local")
    with pytest.raises(FileNotFoundError, match=r"hubconf\.py"):
        hub.load(str(folder), "model", source="local")
    with pytest.raises(ValueError, match="Unknown source"):
        hub.load(path, "model", source="ftp")
    lacking = repository(folder / "two", hubconf="dependencies = ['no_such_package']")
    with pytest.raises(RuntimeError, match="Missing dependencies: no_such_package"):
        hub.load(lacking, "model", source="local")


def archive(names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zip:
        for name, text in names.items():
            zip.writestr(name, text)
    return file.getvalue()


def test_repositories_of_github(folder, monkeypatch, capsys):
    mirror = folder / "mirror"
    place = mirror / "github.com" / "owner" / "name" / "zipball"
    place.mkdir(parents=True)
    tree = {"owner-name-1234/hubconf.py": HUBCONF, "owner-name-1234/part.py": "ONE = 2.0"}
    (place / "main").write_bytes(archive(tree))
    monkeypatch.setenv("KAGARI_HUB_MIRROR", str(mirror))
    with pytest.raises(RuntimeError, match="not trusted"):
        hub.load("owner/name", "model", 1)
    importlib.sys.modules.pop("part", None)
    assert hub.load("owner/name", "model", 1, trust_repo=True) == [2.0]
    assert hub.load("owner/name:main", "model", 1) == [2.0]  # trusted by now, and there
    assert "Using cache" in capsys.readouterr().err
    assert hub.list("owner/name") == ["model"] and hub.help("owner/name", "model") == "A model."
    (place / "evil").write_bytes(archive({"../../x.py": "", "a/hubconf.py": ""}))
    with pytest.raises(RuntimeError, match="has a path"):
        hub.load("owner/name:evil", "model", trust_repo=True)
    (place / "junk").write_bytes(b"no archive")
    with pytest.raises(RuntimeError, match="no archive"):
        hub.load("owner/name:junk", "model", trust_repo=True)
    for wrong in ("owner", "a/b/c", "/x"):
        with pytest.raises(ValueError, match="owner/name"):
            hub.load(wrong, "model")


def test_examples(tmp_path):
    (tmp_path / "a.txt").write_text("weights")
    for module in (hub.download, repositories, hub.weights):
        names = {"kagari": kagari, "folder": tmp_path}
        for test in doctest.DocTestFinder(exclude_empty=True).find(module, globs=names):
            assert not doctest.DocTestRunner().run(test).failed


def test_the_bar_tells_how_far_it_is(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr("sys.stderr", shown)
    shown.isatty = lambda: True
    bar = hub.download.Bar("w.pt", 10, 10**6, True)
    bar.add(499_990)
    bar.close()
    assert "w.pt: [##########          ]  50% of 1.0 MB" in shown.getvalue()

"""kagari.hub: files from addresses and mirrors, checked, whole or not at all; local models."""

import hashlib
from urllib.error import URLError

import pytest

import kagari
from kagari import hub


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KAGARI_HUB_MIRROR", raising=False)
    return tmp_path


def weights(folder, name="net.pt"):
    folder.mkdir(parents=True, exist_ok=True)
    kagari.save({"w": kagari.arange(3)}, folder / name)
    return folder / name


def test_file_addresses_and_the_cache(home):
    made = weights(home / "there")
    got = hub.load_state_dict_from_url(made.as_uri(), progress=False)
    assert got["w"].tolist() == [0, 1, 2]
    assert (home / "home" / "hub" / "checkpoints" / "net.pt").exists()
    made.unlink()
    assert hub.load_state_dict_from_url(made.as_uri())["w"].tolist() == [0, 1, 2]


def test_a_mirror_folder(home, monkeypatch):
    weights(home / "mirror" / "example.invalid" / "models")
    monkeypatch.setenv("KAGARI_HUB_MIRROR", str(home / "mirror"))
    got = hub.load_state_dict_from_url("https://example.invalid/models/net.pt", progress=False)
    assert got["w"].tolist() == [0, 1, 2]


def test_checksums(home):
    made = weights(home / "there")
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    right = made.rename(made.with_name(f"net-{digest[:8]}.pt"))
    hub.load_state_dict_from_url(right.as_uri(), check_hash=True)
    wrong = weights(home / "there", "net-00000000.pt")
    with pytest.raises(RuntimeError, match="invalid hash"):
        hub.load_state_dict_from_url(wrong.as_uri(), check_hash=True)
    assert not list((home / "home" / "hub" / "checkpoints").glob("net-00000000*"))


def test_half_a_file_is_gone_on_with(home):
    made = weights(home / "there")
    (home / "out.pt.part").write_bytes(made.read_bytes()[:100])
    hub.download_url_to_file(made.as_uri(), str(home / "out.pt"), progress=False)
    assert (home / "out.pt").read_bytes() == made.read_bytes()
    assert not (home / "out.pt.part").exists()


def test_no_network_says_what_helps(home, monkeypatch):
    monkeypatch.setenv("KAGARI_HUB_MIRROR", str(home))
    with pytest.raises(URLError, match="KAGARI_HUB_MIRROR"):
        hub.download_url_to_file("https://example.invalid/x.pt", str(home / "x.pt"))
    assert not (home / "x.pt").exists()


def test_set_dir(home, monkeypatch):
    monkeypatch.setattr(hub, "_chosen", None)
    assert hub.get_dir() == str(home / "home" / "hub")
    hub.set_dir(home / "else")
    assert hub.get_dir() == str(home / "else")


def test_models_from_a_folder(home):
    (home / "hubconf.py").write_text(
        "import beside\ndependencies = ['json']\n"
        "def net(n):\n    'A net.'\n    return beside.two * n\n"
    )
    (home / "beside.py").write_text("two = 2\n")
    assert hub.load(str(home), "net", 4, source="local") == 8
    assert hub.list(str(home)) == ["net"] and hub.help(str(home), "net") == "A net."
    with pytest.raises(RuntimeError, match="Cannot find callable"):
        hub.load(str(home), "nothing", source="local")
    with pytest.raises(NotImplementedError, match="local"):
        hub.load("owner/repository", "net")
    (home / "hubconf.py").write_text("dependencies = ['no_such_package']\n")
    with pytest.raises(RuntimeError, match="no_such_package"):
        hub.list(str(home))

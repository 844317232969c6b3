"""Models by name from repositories that have a hubconf.py: of a folder, or of GitHub.

A hubconf.py is a Python file whose public functions make models; its list `dependencies` names the
packages they need. It is the repository's own code, which is why a repository has to be trusted.
"""

import builtins
import errno
import importlib.util
import json
import os
import shutil
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from .download import MIRROR, download_url_to_file

_HUBCONF = "hubconf.py"
_KNOWN_OWNERS = ("facebookresearch", "facebookincubator", "pytorch", "fairinternal")
_folder: str | None = None


def get_dir() -> str:
    """The folder where repositories and weights are kept: the one `set_dir` was given, or else
    $TORCH_HOME/hub; $TORCH_HOME is ~/.cache/torch by default, so PyTorch's downloads are found."""
    if _folder is not None:
        return _folder
    return os.path.join(_get_torch_home(), "hub")


def _get_torch_home() -> str:
    """$TORCH_HOME, which libraries ask for under this name."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return os.path.expanduser(os.environ.get("TORCH_HOME", os.path.join(cache, "torch")))


def set_dir(d: str | os.PathLike[str]) -> None:
    """Keep repositories and weights in this folder."""
    global _folder
    _folder = os.path.expanduser(d)


def load(
    repo_or_dir: str, model: str, *args: Any, source: str = "github",
    trust_repo: bool | str | None = "check", force_reload: bool = False, verbose: bool = True,
    skip_validation: bool = False, **kwargs: Any,
) -> Any:  # fmt: skip
    """What the function `model` of a repository's hubconf.py returns: usually a module.

    Args:
        repo_or_dir: "owner/name[:branch or tag]" on GitHub; with source="local" a folder.
        args, kwargs: for the function.
        trust_repo: True; False asks on the terminal; "check" asks unless the repository has been
            trusted before, or is PyTorch's own.
        force_reload: download again what is there.
        skip_validation: do not ask GitHub whether the branch is the repository's own.

    Raises:
        ValueError: an unknown source, or a branch that the repository does not have.
        RuntimeError: there is no such function, a package is missing, or it is not trusted.

    Example:
        >>> (folder / "hubconf.py").write_text("def line(n): return [0.0] * n")
        29
        >>> kagari.hub.load(str(folder), "line", 2, source="local")
        [0.0, 0.0]
    """
    source = source.lower()
    if source not in ("github", "local"):
        raise ValueError(f'Unknown source: "{source}". Allowed values: "github" | "local".')
    if source == "github":
        repo_or_dir = _fetched(repo_or_dir, force_reload, verbose, trust_repo, skip_validation)
    return _entry(_hubconf(repo_or_dir), model)(*args, **kwargs)


def list(
    github: str, force_reload: bool = False, skip_validation: bool = False,
    trust_repo: bool | str | None = "check", verbose: bool = True,
) -> "builtins.list[str]":  # fmt: skip
    """The names of the functions that make models in a repository on GitHub."""
    folder = _fetched(github, force_reload, verbose, trust_repo, skip_validation)
    module = _hubconf(folder)
    return [name for name, value in vars(module).items() if callable(value) and name[0] != "_"]


def help(
    github: str, model: str, force_reload: bool = False, skip_validation: bool = False,
    trust_repo: bool | str | None = "check",
) -> str | None:  # fmt: skip
    """The docstring of a function that makes models in a repository on GitHub."""
    folder = _fetched(github, force_reload, True, trust_repo, skip_validation)
    return _entry(_hubconf(folder), model).__doc__


# --- hubconf.py --------------------------------------------------------------------------------


def _hubconf(folder: str) -> ModuleType:
    path = os.path.join(folder, _HUBCONF)
    if not os.path.exists(path):
        raise FileNotFoundError(errno.ENOENT, "hub: the repository has no hubconf.py", path)
    spec = importlib.util.spec_from_file_location(_HUBCONF, path)
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)  # type: ignore[union-attr]
    except ModuleNotFoundError as error:
        if error.name == "torch":
            error.add_note("call kagari.install_as_torch() first: the repository imports torch")
        raise
    finally:
        sys.path.remove(folder)
    _check_dependencies(module)
    return module


def _check_dependencies(module: ModuleType) -> None:
    wanted = getattr(module, "dependencies", [])
    missing = [name for name in wanted if importlib.util.find_spec(name) is None]
    if missing:
        raise RuntimeError(f"Missing dependencies: {', '.join(missing)}: pip install them")


def _entry(module: ModuleType, name: str) -> Callable[..., Any]:
    if not isinstance(name, str):
        raise ValueError(f"Invalid input: model should be a string of function name, got {name!r}")
    function = getattr(module, name, None)
    if not callable(function):
        there = [n for n, value in vars(module).items() if callable(value) and n[0] != "_"]
        raise RuntimeError(
            f"Cannot find callable {name} in hubconf; it has {', '.join(there) or 'none'}"
        )
    return function


# --- GitHub ------------------------------------------------------------------------------------


def _fetched(
    github: str, force: bool, verbose: bool, trust: bool | str | None, skip_validation: bool
) -> str:
    """The folder of a repository, downloaded if it is not there."""
    owner, name, ref = _parsed(github)
    hub = get_dir()
    folder = os.path.join(hub, f"{owner}_{name}_{ref.replace('/', '_')}")
    _check_trust(owner, name, trust)
    if os.path.exists(folder) and not force:
        if verbose:
            print(f"Using cache found in {folder}", file=sys.stderr)
        return folder
    if not skip_validation and not os.environ.get(MIRROR):  # whoever filled it has looked
        _check_branch(owner, name, ref)
    os.makedirs(hub, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=hub) as temporary:
        archive = os.path.join(temporary, "archive.zip")
        url = f"https://github.com/{owner}/{name}/zipball/{ref}"
        download_url_to_file(url, archive, progress=verbose)
        inside = _unpacked(archive, os.path.join(temporary, "tree"), github)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(inside, folder)
    return folder


def _parsed(github: str) -> tuple[str, str, str]:
    repository, _, ref = github.partition(":")
    owner, slash, name = repository.partition("/")
    if not slash or not owner or not name or "/" in name:
        raise ValueError(f'hub: expected "owner/name[:branch or tag]", got {github!r}')
    return owner, name, ref or _default_branch(owner, name)


def _ask(url: str) -> Any:
    headers = {"Accept": "application/vnd.github+json", "User-Agent": "kagari.hub"}
    if token := os.environ.get("GITHUB_TOKEN"):
        headers["Authorization"] = f"token {token}"
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        return json.load(answer)


def _default_branch(owner: str, name: str) -> str:
    """Without a network, the branch that is there already, or that the mirror has."""
    if os.environ.get(MIRROR):
        return "main"
    try:
        return _ask(f"https://api.github.com/repos/{owner}/{name}")["default_branch"]
    except OSError:
        for ref in ("main", "master"):
            if os.path.exists(os.path.join(get_dir(), f"{owner}_{name}_{ref}")):
                return ref
        raise


def _check_branch(owner: str, name: str, ref: str) -> None:
    """Refuse commits of forks, which GitHub serves under the name of what they were forked from."""
    for kind in ("branches", "tags"):
        page = 1
        while found := _ask(
            f"https://api.github.com/repos/{owner}/{name}/{kind}?per_page=100&page={page}"
        ):
            if any(ref == each["name"] or each["commit"]["sha"].startswith(ref) for each in found):
                return
            page += 1
    raise ValueError(
        f"Cannot find {ref} in https://github.com/{owner}/{name}. If it's a commit from a forked "
        "repo, please call hub.load() with forked repo directly."
    )


def _check_trust(owner: str, name: str, trust: bool | str | None) -> None:
    path = Path(get_dir(), "trusted_list")
    known = path.read_text().split() if path.exists() else []
    entry = f"{owner}_{name}"
    if trust in ("check", None) and (entry in known or owner in _KNOWN_OWNERS):
        return
    if trust is not True:
        question = (
            f"The repository {owner}/{name} does not belong to the list of trusted repositories; "
            "its code will be run. Do you trust it and wish to add it to the list? (y/N) "
        )
        if not sys.stdin.isatty() or input(question).strip().lower() not in ("y", "yes"):
            raise RuntimeError(
                f"hub: {owner}/{name} is not trusted: its code was not run. Look at it, then say "
                "trust_repo=True"
            )
    if entry not in known:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([*known, entry]) + "\n")


def _unpacked(archive: str, folder: str, shown: str) -> str:
    """The one folder that is in an archive of GitHub's; nothing is written outside `folder`."""
    try:
        with zipfile.ZipFile(archive) as file:
            for info in file.infolist():
                target = os.path.realpath(os.path.join(folder, info.filename))
                if not target.startswith(os.path.realpath(folder) + os.sep):
                    raise RuntimeError(f"hub: {shown}: the archive has a path {info.filename!r}")
            file.extractall(folder)
    except zipfile.BadZipFile as error:
        raise RuntimeError(f"hub: {shown}: what was downloaded is no archive: {error}") from error
    folders = [entry.path for entry in os.scandir(folder) if entry.is_dir()]
    if len(folders) != 1:
        raise RuntimeError(f"hub: {shown}: the archive has {len(folders)} folders, expected one")
    return folders[0]

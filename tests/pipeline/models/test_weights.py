"""Weights: where they are searched, what is refused, and that downloading needs consent."""

import hashlib
import json
import os
import pickle
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from blender_recon3d.pipeline.errors import Cancelled, UserError
from blender_recon3d.pipeline.events import Event, Progress
from blender_recon3d.pipeline.models import fetch as fetching
from blender_recon3d.pipeline.models import magic_leap, registry, weights
from tests.support.planted import planted_superglue, planted_superpoint


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """An empty cache and an empty place for bundled weights."""
    bundled = tmp_path / "bundled"
    bundled.mkdir()
    monkeypatch.setenv(registry.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(registry, "bundled_folders", lambda: [bundled])
    return bundled


@pytest.fixture(scope="module")
def superpoint():
    return planted_superpoint()


def sentence(error: pytest.ExceptionInfo[UserError], *words: str) -> None:
    text = str(error.value)
    assert "\n" not in text
    for word in words:
        assert word in text


# --- where they come from


def test_without_weights_the_message_says_what_to_do():
    for source in ("bundled", "official"):
        with pytest.raises(UserError) as error:
            weights.load("superpoint", source)
        sentence(
            error, source, "superpoint", "--features sift", "recon3d weights fetch superpoint", "--weights"
        )
        assert error.value.exit_code == 2


def test_bundled_weights_are_found_as_soon_as_they_exist(places, superpoint):
    """A file and its card appear: listed with the card's license, checked by its sha256, converted from fp16."""
    path = places / "superpoint.safetensors"
    save_file({name: tensor.half() for name, tensor in superpoint.items()}, path)
    card = {
        "licence": "CC0-1.0",
        "commercial_use": True,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    path.with_suffix(".json").write_text(json.dumps(card))
    row = next(r for r in weights.list_weights() if r["name"] == "superpoint" and r["set"] == "bundled")
    assert row["where"] == str(path)
    assert row["licence"] == "CC0-1.0"
    assert row["commercial"] is True
    loaded = weights.load("superpoint", "bundled")
    assert list(loaded) == list(superpoint)
    assert all(tensor.dtype == torch.float32 for tensor in loaded.values())
    torch.testing.assert_close(loaded["conv1b.weight"], superpoint["conv1b.weight"], atol=1e-3, rtol=0)

    path.with_suffix(".json").write_text(json.dumps(card | {"sha256": "0" * 64}))
    with pytest.raises(UserError) as error:
        weights.load("superpoint", "bundled")
    sentence(error, str(path), "sha256")


def test_the_cache_takes_precedence_over_bundled_weights(places, superpoint):
    save_file(superpoint, places / "superpoint.safetensors")
    assert weights.find("superpoint", "bundled")[0].parent == places
    registry.fetched_folder().mkdir(parents=True)
    save_file(superpoint, registry.fetched_folder() / "superpoint.safetensors")
    assert weights.find("superpoint", "bundled")[0].parent == registry.fetched_folder()


def test_a_folder_may_contain_safetensors_or_the_published_files(tmp_path, superpoint):
    folder = tmp_path / "my wéights 重み"
    folder.mkdir()
    torch.save(superpoint, folder / "superpoint_v1.pth")
    torch.save({"state_dict": planted_superglue()}, folder / "superglue.pth")
    loaded = weights.load("superpoint", str(folder))
    torch.testing.assert_close(loaded["convPb.bias"], superpoint["convPb.bias"])
    assert "gnn.layers.1.mlp.3.weight" in weights.load("superglue", str(folder))
    with pytest.raises(UserError) as error:
        weights.load("efficientnet_b0", str(folder))
    sentence(error, str(folder), "efficientnet_b0.safetensors")
    with pytest.raises(UserError) as error:
        weights.load("superpoint", str(tmp_path / "nowhere"))
    sentence(error, "nowhere", "no such folder")


def test_the_cache_is_the_platforms(monkeypatch, tmp_path):
    monkeypatch.delenv(registry.CACHE_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    expected = {"linux": "xdg/recon3d", "win32": "local/recon3d", "darwin": "home/Library/Caches/recon3d"}
    for platform, folder in expected.items():
        monkeypatch.setattr(registry.sys, "platform", platform)
        assert registry.cache_folder() == tmp_path / folder
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(registry.sys, "platform", "linux")
    assert registry.cache_folder() == tmp_path / "home/.cache/recon3d"


def test_what_is_listed():
    rows = weights.list_weights()
    assert {(row["name"], row["set"]) for row in rows} == {
        ("superpoint", "bundled"),
        ("superglue", "bundled"),
        ("efficientnet_b0", "bundled"),
        ("superpoint", "official"),
        ("superglue", "official"),
        ("superglue-indoor", "official"),
        ("efficientnet_b0", "imagenet"),
    }
    assert all(row["where"] is None for row in rows)
    for row in rows:
        assert row["commercial"] == ("Magic Leap" not in row["licence"])
    # Whatever can be fetched can be checked, and torchvision's name holds the start of its sha256.
    assert all(len(bytes.fromhex(entry.sha256)) == 32 for entry in registry.FETCHABLE)
    (imagenet,) = (entry for entry in registry.FETCHABLE if entry.set == "imagenet")
    assert imagenet.sha256.startswith("7f5810bc")


# --- what is refused


def test_a_hostile_pickle_is_not_run(tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "pwned"),)

    path = tmp_path / "superpoint.pth"
    for data in (pickle.dumps({"conv1a.weight": Hostile()}), None):
        if data is None:
            torch.save({"conv1a.weight": Hostile()}, path)
        else:
            path.write_bytes(data)
        with pytest.raises(UserError) as error:
            weights.load("superpoint", str(tmp_path))
        sentence(error, str(path))
        assert not (tmp_path / "pwned").exists()
    torch.load(path, weights_only=False)  # loading it the usual way does run it
    assert (tmp_path / "pwned").exists()


@pytest.mark.parametrize("kind", ["safetensors", "pth"])
@pytest.mark.parametrize("keep", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_file_is_one_message(tmp_path, superpoint, kind, keep):
    path = tmp_path / f"superpoint.{kind}"
    save_file(superpoint, path) if kind == "safetensors" else torch.save(superpoint, path)
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(UserError) as error:
        weights.load("superpoint", str(tmp_path))
    sentence(error, str(path))


@pytest.mark.parametrize("content", [[1, 2], {"conv1a.weight": 3}, {1: torch.zeros(2)}, torch.zeros(3)])
def test_a_torch_file_of_something_else_is_one_message(tmp_path, content):
    torch.save(content, tmp_path / "superpoint.pth")
    with pytest.raises(UserError) as error:
        weights.load("superpoint", str(tmp_path))
    sentence(error, "superpoint.pth", "named tensors")


def changed(tensors, change: str):
    tensors = dict(tensors)
    if change == "missing":
        del tensors["conv3b.bias"]
    elif change == "unknown":
        tensors["conv9.weight"] = torch.zeros(3)
    elif change == "shape":
        tensors["conv3b.bias"] = torch.zeros(64)
    elif change == "not finite":
        tensors["conv3b.bias"] = torch.full((128,), float("nan"))
    return tensors


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("missing", ["conv3b.bias is missing", "1 such difference"]),
        ("unknown", ["conv9.weight is unknown"]),
        ("shape", ["conv3b.bias is [64], not [128]"]),
        ("not finite", ["conv3b.bias", "not finite"]),
    ],
)
def test_another_layout_is_one_message(tmp_path, superpoint, change, words):
    path = tmp_path / "superpoint.safetensors"
    save_file(changed(superpoint, change), path)
    with pytest.raises(UserError) as error:
        weights.load("superpoint", str(tmp_path))
    sentence(error, str(path), *words)


def test_superglues_weights_under_superpoints_name(tmp_path, superpoint):
    save_file(planted_superglue(), tmp_path / "superpoint.safetensors")
    save_file(superpoint, tmp_path / "superglue.safetensors")
    for name in ("superpoint", "superglue"):
        with pytest.raises(UserError) as error:
            weights.load(name, str(tmp_path))
        sentence(error, f"are not {name}'s")


def test_a_huge_layer_number_needs_no_memory(tmp_path):
    save_file({"gnn.layers.999999999.mlp.0.weight": torch.zeros(1)}, tmp_path / "superglue.safetensors")
    with pytest.raises(UserError) as error:
        weights.load("superglue", str(tmp_path))
    sentence(error, "superglue.safetensors")


def test_a_broken_card_is_one_message(places, superpoint):
    save_file(superpoint, places / "superpoint.safetensors")
    for text in ("{", "[]", '{"sha256": 5}'):
        (places / "superpoint.json").write_text(text)
        with pytest.raises(UserError) as error:
            weights.load("superpoint", "bundled")
        sentence(error, "superpoint.json")


# --- fetching


class Server(ThreadingHTTPServer):
    """Serves `content` at every address and records the requests; `length` is its declared length."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.length, self.status, self.asked = b"", None, 200, []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        server.asked.append(self.path)
        self.send_response(server.status)
        self.send_header("Content-Length", str(server.length or len(server.content)))
        self.end_headers()
        self.wfile.write(server.content)

    def log_message(self, *arguments) -> None:
        pass


@pytest.fixture
def server(monkeypatch):
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def published(server, monkeypatch, superpoint, tmp_path):
    """The registry with one entry, on the local server, whose content is a complete SuperPoint."""
    torch.save(superpoint, tmp_path / "published.pth")
    server.content = (tmp_path / "published.pth").read_bytes()
    entry = registry.WeightsEntry(
        "superpoint",
        "official",
        "superpoint",
        magic_leap.LICENSE,
        False,
        "superpoint_v1.pth",
        hashlib.sha256(server.content).hexdigest(),
        f"http://127.0.0.1:{server.server_port}/superpoint_v1.pth",
        magic_leap.TERMS,
    )
    monkeypatch.setattr(registry, "FETCHABLE", (entry,))
    monkeypatch.setattr(fetching, "FETCHABLE", (entry,))
    return entry


def test_nothing_is_fetched_without_accepting_the_license(published, server):
    with pytest.raises(UserError) as error:
        weights.fetch("superpoint", accept_license=False)
    sentence(error, "non-commercial research only", "NO commercial use", published.terms, "--accept-license")
    with pytest.raises(UserError):
        weights.load("superpoint", "official")
    assert server.asked == []


def test_fetched_once_and_then_found(published, server):
    events: list[Event] = []
    path = weights.fetch("superpoint", accept_license=True, progress=Progress(events.append))
    assert path == registry.fetched_folder() / "superpoint_v1.pth"
    assert events[-1].done == events[-1].total == len(server.content)
    assert list(path.parent.iterdir()) == [path]
    assert "conv1a.weight" in weights.load("superpoint", "official")
    assert weights.fetch("superpoint", accept_license=False) == path  # there and complete: nothing to ask
    assert len(server.asked) == 1
    path.write_bytes(b"damaged")
    with pytest.raises(UserError) as error:
        weights.load("superpoint", "official")
    sentence(error, str(path), "fetch")
    weights.fetch("superpoint", accept_license=True)
    assert "conv1a.weight" in weights.load("superpoint", "official")


@pytest.mark.parametrize("failure", ["other content", "cut short", "not found", "no server"])
def test_a_failed_download_is_one_message_and_leaves_nothing(published, server, failure, monkeypatch):
    whole = server.content
    if failure == "other content":
        server.content = b"<html>Sign in to this network</html>"
    elif failure == "cut short":
        server.content, server.length = whole[:1000], len(whole)
    elif failure == "not found":
        server.status = 404
    else:
        nowhere = registry.WeightsEntry(**{**vars(published), "url": "http://127.0.0.1:1/superpoint_v1.pth"})
        monkeypatch.setattr(fetching, "FETCHABLE", (nowhere,))
    with pytest.raises(UserError) as error:
        weights.fetch("superpoint", accept_license=True)
    sentence(error, "superpoint_v1.pth", "into " + str(registry.fetched_folder()))
    assert list(registry.fetched_folder().iterdir()) == []


def test_the_proxy_is_used(published, server, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
    elsewhere = registry.WeightsEntry(
        **{**vars(published), "url": "http://weights.invalid/superpoint_v1.pth"}
    )
    monkeypatch.setattr(fetching, "FETCHABLE", (elsewhere,))
    weights.fetch("superpoint", accept_license=True)
    assert server.asked == ["http://weights.invalid/superpoint_v1.pth"]


def test_a_cancelled_download_leaves_nothing(published):
    with pytest.raises(Cancelled):
        weights.fetch("superpoint", accept_license=True, progress=Progress(cancelled=lambda: True))
    assert list(registry.fetched_folder().iterdir()) == []


def test_what_cannot_be_fetched(tmp_path, monkeypatch, published):
    with pytest.raises(UserError) as error:
        weights.fetch("superglu", accept_license=True)
    sentence(error, "superglu", "superpoint")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(registry.CACHE_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(UserError) as error:
        weights.fetch("superpoint", accept_license=True)
    sentence(error, "cannot write", str(tmp_path / "file"))

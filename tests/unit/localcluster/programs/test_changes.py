"""Modules are compiled in changed form only where the change still fits them."""

from pathlib import Path

import pytest

from localcluster.errors import NotPossible
from localcluster.programs import changes
from localcluster.programs.binaries import JOINT
from localcluster.programs.changes import CHANGES, Change

GENERATED = """package extensions

import (
\t_ "github.com/envoyproxy/go-control-plane/contrib/envoy/extensions/vcl/v3alpha"
\t_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
\t_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/redis_proxy/v3"
)
"""
MAIN = """\tif err = ctrl.NewWebhookManagedBy(mgr).
\t\tFor(&v1beta1.InferenceService{}).
\t\tWithDefaulter(&v1beta1.Defaulter{}).
\t\tWithValidator(&v1beta1.Validator{}).
\t\tComplete(); err != nil {
"""
POD = 'type PodSpec struct {\n\tHostnameOverride *string `json:"hostnameOverride"`\n}\n'


def change(file: str) -> Change:
    return next(change for change in CHANGES if change.file.endswith(file))


def modules(folder: Path) -> dict[str, Path]:
    """Folders with the files that the changes name, as the module proxy would have them."""
    content = {"extensions.gen.go": GENERATED, "main.go": MAIN, "collector_webhook.go": MAIN, "podspec.go": POD}
    for each in CHANGES:
        file = folder / each.thing / each.file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content.get(file.name, MAIN.replace("\t\tWithDefaulter(&v1beta1.Defaulter{}).\n", "")))
    return {thing: folder / thing for thing in {change.thing for change in CHANGES}}


def test_only_the_message_types_that_something_names_stay_registered():
    kept = [line for line in change("extensions.gen.go").applied(GENERATED).splitlines() if "_ " in line]
    assert kept == ['\t_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"']


def test_an_untyped_webhook_becomes_one_for_its_object():
    changed = change("cmd/manager/main.go").applied(MAIN)
    assert "NewWebhookManagedBy(mgr, &v1beta1.InferenceService{}).\n\t\tWithCustomDefaulter(" in changed
    assert "WithCustomValidator(&v1beta1.Validator{})" in changed
    assert "For(" not in changed


def test_kserve_s_pods_get_the_field_that_kubernetes_has_more():
    changed = change("podspec.go").applied(POD)
    assert changed.startswith(POD.removesuffix("}\n"))
    assert "\tSchedulingGroup *corev1.PodSchedulingGroup " in changed


def test_a_change_that_does_not_fit_the_module_says_where_to_adapt_it():
    with pytest.raises(NotPossible, match=r"cmd/manager/main.go of kserve .* localcluster/programs/changes.py"):
        change("cmd/manager/main.go").applied("package main\n")


def test_the_changed_modules_take_the_place_of_theirs_and_leave_them_as_they_were(tmp_path: Path):
    folders = modules(tmp_path / "modules")
    original = folders["kserve"] / "cmd/manager/main.go"
    changes.write(tmp_path / "unfinished", tmp_path / "changed", JOINT, folders.__getitem__)
    assert original.read_text() == MAIN
    assert "WithCustomValidator" in (tmp_path / "unfinished/kserve/cmd/manager/main.go").read_text()
    assert not (tmp_path / "unfinished/kserve/pkg/agent/storage/s3.go").exists()
    text = (tmp_path / "unfinished/go.mod").read_text()
    assert f"replace github.com/kserve/kserve => {tmp_path / 'changed' / 'kserve'}\n" in text
    assert (tmp_path / "unfinished/go.sum").read_bytes() == (JOINT / "go.sum").read_bytes()


def test_a_module_without_the_file_of_a_change_is_refused(tmp_path: Path):
    folders = modules(tmp_path / "modules")
    (folders["kserve"] / "pkg/agent/storage/s3.go").unlink()
    with pytest.raises(NotPossible, match=r"kserve has no pkg/agent/storage/s3.go"):
        changes.write(tmp_path / "unfinished", tmp_path / "changed", JOINT, folders.__getitem__)

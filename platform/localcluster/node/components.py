"""The programs of the control plane and the node: how each is started and how its health is asked.

In the order of this file each one needs those before it. `Component.health` is an address that answers 200 when the
component is well; a component that runs and is not well is ended and started again.
"""

import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from localcluster.versions import local_image

from .members import CLUSTER_POD_RANGE, FIRST, Member, reserved
from .network import DNS_SERVICE, HOST_ADDRESS, NODE_ADDRESS, SERVICE_RANGE

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
_SECURE_URL = f"https://{NODE_ADDRESS}"


@dataclass(frozen=True)
class Component:
    """A program, its arguments, the configuration files it reads and where its health is answered."""

    name: str
    arguments: list[str]
    health: str = ""
    files: tuple[tuple[Path, str], ...] = ()


def containerd(state: Path, root: Path, member: Member = FIRST) -> Component:
    """containerd with runc and our own pause image; imported images outlive the cluster in `root`."""
    configuration = state / "containerd.toml"
    network = state / "cni" / "10-pods.conflist"
    unused = ", ".join(f'"io.containerd.snapshotter.v1.{name}"' for name in ("aufs", "btrfs", "devmapper", "zfs"))
    content = f"""version = 2
root = {json.dumps(str(root))}
state = "/run/containerd/state"
disabled_plugins = [{unused}]
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{local_image("pause")}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = {json.dumps(str(network.parent))}
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
      BinaryName = "/usr/sbin/runc"
"""
    files = ((configuration, content), (network, json.dumps(_pod_network(member.pod_range), indent=1)))
    return Component("containerd", ["-c", str(configuration)], files=files)


def _pod_network(pod_range: str) -> dict[str, Any]:
    ipam = {"type": "host-local", "ranges": [[{"subnet": pod_range}]], "routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True, "hairpinMode": True, "ipam": ipam}
    port_map = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, port_map]}


def etcd(data: Path, client: str = "http://127.0.0.1:2379", peer: str = "http://127.0.0.1:2380") -> Component:
    """etcd without fsync: the cluster is made anew rather than recovered after a power cut."""
    arguments = [
        f"--data-dir={data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]
    return Component("etcd", arguments)


def api_server(certificates: Path, address: str, port: int, etcd_client: str, service_range: str) -> list[str]:
    """Arguments every kube-apiserver of ours gets; `certificates` holds what `identities` made."""
    return [
        f"--etcd-servers={etcd_client}",
        f"--bind-address={address}",
        f"--secure-port={port}",
        f"--tls-cert-file={certificates}/apiserver.crt",
        f"--tls-private-key-file={certificates}/apiserver.key",
        f"--client-ca-file={certificates}/ca.crt",
        f"--service-account-key-file={certificates}/service-accounts.pub",
        f"--service-account-signing-key-file={certificates}/service-accounts.key",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-cluster-ip-range={service_range}",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        "--profiling=false",
    ]


def cluster_api_server(certificates: Path) -> Component:
    """The cluster's API server: reaches kubelets by address, trusts the front proxy for aggregated APIs."""
    arguments = api_server(certificates, "0.0.0.0", 6443, "http://127.0.0.1:2379", SERVICE_RANGE)  # noqa: S104 - all links of its own namespace
    arguments += [
        f"--advertise-address={NODE_ADDRESS}",
        "--enable-admission-plugins=NodeRestriction",
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-certificate-authority={certificates}/ca.crt",
        f"--kubelet-client-certificate={certificates}/kubelet-client.crt",
        f"--kubelet-client-key={certificates}/kubelet-client.key",
        f"--requestheader-client-ca-file={certificates}/front-proxy-ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={certificates}/front-proxy-client.crt",
        f"--proxy-client-key-file={certificates}/front-proxy-client.key",
    ]
    return Component("kube-apiserver", arguments, f"{_SECURE_URL}:6443/readyz")


def controller_manager(certificates: Path, kubeconfig: Path) -> Component:
    """All controllers; the autoscaler looks every 5 s so that scaling can be watched."""
    arguments = [
        f"--kubeconfig={kubeconfig}",
        f"--bind-address={NODE_ADDRESS}",
        f"--tls-cert-file={certificates}/apiserver.crt",
        f"--tls-private-key-file={certificates}/apiserver.key",
        f"--service-account-private-key-file={certificates}/service-accounts.key",
        f"--root-ca-file={certificates}/ca.crt",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--allocate-node-cidrs=false",
        "--horizontal-pod-autoscaler-sync-period=5s",
    ]
    return Component("kube-controller-manager", arguments, f"{_SECURE_URL}:10257/healthz")


def scheduler(certificates: Path, kubeconfig: Path) -> Component:
    """The scheduler, alone and therefore without an election."""
    arguments = [
        f"--kubeconfig={kubeconfig}",
        f"--bind-address={NODE_ADDRESS}",
        f"--tls-cert-file={certificates}/apiserver.crt",
        f"--tls-private-key-file={certificates}/apiserver.key",
        "--leader-elect=false",
    ]
    return Component("kube-scheduler", arguments, f"{_SECURE_URL}:10259/healthz")


def kubelet(state: Path, certificates: Path, member: Member = FIRST, nodes: int = 1) -> Component:
    """The kubelet of one of so many nodes: cgroups below our own folder, images never collected, swap tolerated."""
    configuration = state / "kubelet.yaml"
    content = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "failSwapOn": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": member.cgroup_root,
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(certificates / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(certificates / f"{member.kubelet_identity}.crt"),
        "tlsPrivateKeyFile": str(certificates / f"{member.kubelet_identity}.key"),
        "healthzBindAddress": member.address,
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": "cluster.local",
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "resolvConf": "",
        "systemReserved": reserved(nodes),
        "enforceNodeAllocatable": ["pods"],
        "serializeImagePulls": False,
        "maxPods": 200,
    }
    arguments = [
        f"--config={configuration}",
        f"--kubeconfig={certificates / member.kubelet_identity}.kubeconfig",
        f"--hostname-override={member.name}",
        f"--node-ip={member.address}",
    ]
    files = ((configuration, yaml.safe_dump(content, sort_keys=False)),)
    return Component("kubelet", arguments, f"http://{member.address}:10248/healthz", files)


def proxy(state: Path, kubeconfig: Path, member: Member = FIRST) -> Component:
    """kube-proxy with nftables; connection tracking settings of the host stay as they are."""
    configuration = state / "kube-proxy.yaml"
    content = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "clusterCIDR": CLUSTER_POD_RANGE,
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "nftables": {"minSyncPeriod": "100ms"},
        "nodePortAddresses": [f"{member.address}/32"],
        "healthzBindAddress": f"{member.address}:10256",
        "hostnameOverride": member.name,
    }
    files = ((configuration, yaml.safe_dump(content, sort_keys=False)),)
    return Component("kube-proxy", [f"--config={configuration}"], f"http://{member.address}:10256/healthz", files)


def serving_hosts() -> list[str]:
    """Every name and address the API server is reached by."""
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]
    return [*names, "localhost", "127.0.0.1", "10.96.0.1", NODE_ADDRESS, HOST_ADDRESS]


def answers(url: str, authority: Path | None = None) -> bool:
    """Whether `url` answers 200, verified by `authority` when it is https."""
    context = ssl.create_default_context(cafile=str(authority)) if authority and url.startswith("https") else None
    try:
        with urllib.request.urlopen(url, timeout=2, context=context) as response:  # noqa: S310 - our own addresses
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def listens(url: str) -> bool:
    """Whether anything answers at `url`, with whatever status."""
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own addresses
            return True
    except urllib.error.HTTPError:
        return True
    except (urllib.error.URLError, OSError):
        return False

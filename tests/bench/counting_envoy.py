"""`python -m tests.bench.counting_envoy ADDRESS PORT MODELS`: an Envoy pod that has counted for six backends a Model.

It writes what Envoy writes of the clusters that the query's filter selects, some thirty lines each. The Models are
`m0`, `m1`, … of the namespace NAMESPACE; every request it is asked adds one answer to each backend.
"""

import argparse
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_ROUTES = ("httproute/{0}/{1}", "httproute/{0}/{1}--path", "grpcroute/{0}/{1}")
_BOUNDS = (0.5, 1, 2.5, 5, 10, 25, 50, 100, 150, 200, 250, 300, 400, 500, 750, 1000, 2500, 5000, 10000, 30000, 60000)


def clusters(namespace: str, models: int) -> list[str]:
    """The names of all backends' clusters."""
    routes = [route.format(namespace, f"m{number}") for number in range(models) for route in _ROUTES]
    return [f"{route}/rule/0/backend/{slot}" for route in routes for slot in (0, 1)]


def lines(cluster: str, number: int) -> str:
    """What Envoy says of one cluster that has answered so many requests."""
    label = f'envoy_cluster_name="{cluster}"'
    text = [f'envoy_cluster_upstream_rq_xx{{envoy_response_code_class="2",{label}}} {number}']
    text += [f'envoy_cluster_upstream_rq_time_bucket{{{label},le="{bound:g}"}} {number}' for bound in _BOUNDS]
    text.append(f'envoy_cluster_upstream_rq_time_bucket{{{label},le="+Inf"}} {number}')
    text.append(f"envoy_cluster_upstream_rq_time_count{{{label}}} {number}")
    if cluster.startswith("grpc"):
        text.append(f"envoy_cluster_grpc_ModelInfer_0{{{label}}} {number}")
    return "\n".join(text)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("namespace")
    parser.add_argument("models", type=int)
    options = parser.parse_args()
    names = clusters(options.namespace, options.models)
    asked = 0

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nonlocal asked
            asked += 1
            chosen = re.compile(parse_qs(urlsplit(self.path).query)["filter"][0])
            body = "\n".join(lines(name, asked) for name in names if chosen.search(f"cluster.{name}.upstream_rq_time"))
            raw = f"{body}\n".encode() if body else b""
            self.send_response(200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    ThreadingHTTPServer((options.address, options.port), Handler).serve_forever()


if __name__ == "__main__":
    main()

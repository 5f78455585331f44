from tests.support.store import store_server

__all__ = ["store_server"]

from modelyard.sdk import AsyncClient as AsyncClient
from modelyard.sdk import Client as Client

__version__: str

"""Internet sockets."""

from __future__ import annotations

from kernel_model.net.socket import Socket


class InetSocket(Socket):
    """An internet socket of any protocol."""

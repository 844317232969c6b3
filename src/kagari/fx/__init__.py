"""torch.fx as far as it stands without a tracer: the mark `wrap`, and classes to name.

Libraries name its classes in annotations, derive from them and ask isinstance when they are
imported; none of their objects can be made, and the error says so. See docs/not_supported.md.
"""

from . import graph_module as graph_module
from . import node as node
from . import proxy as proxy
from .graph_module import Graph, GraphModule, Tracer
from .node import Node
from .proxy import Proxy, wrap

__all__ = ["Graph", "GraphModule", "Node", "Proxy", "Tracer", "wrap"]

"""The mesh as documents say it is."""

from analyzer.mesh.documents import MeshWarning, read_documents
from analyzer.mesh.loading import load_mesh
from analyzer.mesh.model import Document, Endpoint, Mesh, Origin, Port, ServiceEntry
from analyzer.mesh.protocols import PortClass, port_class

__all__ = [
    "Document",
    "Endpoint",
    "Mesh",
    "MeshWarning",
    "Origin",
    "Port",
    "PortClass",
    "ServiceEntry",
    "load_mesh",
    "port_class",
    "read_documents",
]

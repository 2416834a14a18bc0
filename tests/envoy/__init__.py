"""A real Envoy, configured as istiod configures a sidecar's outbound side, in network namespaces of its own."""

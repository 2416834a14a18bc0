"""The kinds of manifests, one file each; see `analyzer.proposals.manifest_kind` for what a file must offer."""

"""Who calls the pipeline: this process, or several on this machine."""

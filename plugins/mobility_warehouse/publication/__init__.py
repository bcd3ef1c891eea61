"""Publication: the audited candidate becomes the marts; as-of rebuilds; traces."""

"""From Istio access logs to ServiceEntries that are proven before anyone applies them."""

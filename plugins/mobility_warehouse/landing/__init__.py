"""Landing: archive, versions, quarantine, reconciliation. No HTTP and no source's name in here."""

"""`export`: a pack for auditors, or the figures of cycles for other systems."""

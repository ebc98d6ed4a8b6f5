"""`init`: a first configuration, as it comes or as the API tells."""

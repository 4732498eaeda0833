"""MLflow, pulled over REST: its server is asked, and whatever changed is sent once."""
